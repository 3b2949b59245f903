"""`c2llm batch`: JSON lines in, JSON lines out, for programs that ask many questions of one workspace.

Prints `ready` when the index is complete. Then each line of input, `{"query": "...", "limit": 10}` with optional
`languages`, `paths`, `kinds`, `content` (lists, as in --lang, --path, --kind; content is of code, docs, config) and `grep` (a
pattern) is answered by exactly one line: `{"results": [...]}`, best first, each with `path` (relative to the workspace),
`start_line`, `end_line`, `kind`, `symbol`, `scope`, `score`, with `notes` where there are any; or `{"error": "..."}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, guarded, locate, open_workspace, remark
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.settings import SCHEMA
from retrieval.errors import C2llmError, QueryError
from retrieval.types import SearchRequest

if TYPE_CHECKING:
    from retrieval.engine import Workspace

app = typer.Typer(add_completion=False)

MAX_LIMIT = next(setting.maximum for setting in SCHEMA if setting.name == "results")


@app.command()
@guarded
def batch(path: options.WorkspacePath = None, encoder: options.Encoder = None, quiet: options.Quiet = False) -> int:
    """Answer queries given as JSON lines.

    Prints `ready` once the index is complete, then one line of JSON for each line of input.
    """
    from c2llm_lsp.cli.progress import refresh

    target = locate(path, quiet=quiet, encoder=encoder)
    with open_workspace(target) as workspace:
        report = refresh(workspace, quiet=quiet, wait=True)
        if report.cancelled:
            return INTERRUPTED
        for note in () if quiet else report.notes:
            remark(note)
        _write("ready")
        for line in _lines():
            _write(json.dumps(reply(workspace, line, default_limit=target.settings.results)))
    return FOUND


def _lines() -> Iterator[bytes]:
    """Lines as they come; iterating over the file itself would read ahead."""
    return iter(sys.stdin.buffer.readline, b"")


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def reply(workspace: Workspace, line: bytes, *, default_limit: int) -> dict[str, Any]:
    """The answer to one line; whatever is wrong with it, the next one is answered too."""
    try:
        request = _request(line)
        filters = options.filters(_filters(request), root=workspace.root)
        answer = workspace.search(SearchRequest(_query(request), filters, _limit(request, default_limit)))
    except (C2llmError, OSError) as error:
        return {"error": error_message(error)}
    results = [
        {
            "path": hit.chunk.path,
            "start_line": hit.start_line,
            "end_line": hit.end_line,
            "kind": hit.chunk.kind,
            "symbol": hit.chunk.symbol,
            "scope": hit.chunk.scope,
            "score": round(float(hit.score), 6),
        }
        for hit in answer.hits
    ]
    return {"results": results, **({"notes": list(answer.notes)} if answer.notes else {})}


def _request(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise QueryError(f"The line is not JSON: {error}.") from None
    if not isinstance(request, dict):
        raise QueryError('The line is not an object; expected {"query": "...", "limit": 10}.')
    return request


def _query(request: dict[str, Any]) -> str:
    query = request.get("query")
    if not isinstance(query, str) or not query.strip():
        raise QueryError("`query` is missing, empty or not a string.")
    return query


def _limit(request: dict[str, Any], default: int) -> int:
    name = "k" if "k" in request and "limit" not in request else "limit"  # `k` is its name of before
    limit = request.get(name, default)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise QueryError(f"`{name}` must be a number from 1 to {MAX_LIMIT}.")
    return limit


def _filters(request: dict[str, Any]) -> options.FilterOptions:
    grep = request.get("grep")
    if grep is not None and not isinstance(grep, str):
        raise QueryError("`grep` must be a string.")
    paths, languages, kinds, content = (_texts(request, name) for name in ("paths", "languages", "kinds", "content"))
    return options.FilterOptions(paths, languages, kinds, content or (), grep)


def _texts(request: dict[str, Any], name: str) -> list[str] | None:
    value = request.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise QueryError(f"`{name}` must be a list of strings.")
    return value
