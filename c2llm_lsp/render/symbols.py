"""Answers about symbols as lines of text and as the object that `--json`, the language server and MCP give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.freshness import counted
from c2llm_lsp.render.json_output import SCHEMA_VERSION, freshness_dict
from retrieval.structure import SymbolAnswer, SymbolDefinition, Usage
from retrieval.structure.outline import Outline
from retrieval.types import Freshness

_INDENT = "  "
MAX_UNRESOLVED = 30  # names that are not in the index, in text


def symbol_dict(answer: SymbolAnswer, *, root: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "relation": answer.relation,
        "symbol": answer.symbol,
        "root": root,
        "seconds": round(answer.seconds, 6),
        "freshness": freshness_dict(answer.freshness),
        "notes": list(answer.notes),
        "definitions": [definition_dict(definition) for definition in answer.definitions],
        "total": answer.total,
        "results": [{**asdict(usage), "calls": list(usage.calls)} for usage in answer.usages],
        "near": list(answer.near),
        "unresolved": list(answer.unresolved),
    }


def definition_dict(definition: SymbolDefinition) -> dict[str, Any]:
    fields = ("path", "language", "kind", "name", "scope", "first_line", "last_line", "line")
    return {name: getattr(definition, name) for name in fields}


def usage_line(usage: Usage, show_path: Callable[[str], str]) -> str:
    """`path:line: [certain] in Scope.name: code`, as grep writes it; of callees where what is called is defined."""
    if usage.calls:
        where = (
            f"{usage.symbol}, called on line{'s' if len(usage.calls) > 1 else ''} {', '.join(map(str, usage.calls))}"
        )
    else:
        where = f"{usage.kind} in {usage.symbol}" if usage.symbol else usage.kind
    return escape_line(f"{show_path(usage.path)}:{usage.line}: [{usage.certainty}] {where}: {usage.text}")


def symbol_notes(answer: SymbolAnswer, show_path: Callable[[str], str]) -> list[str]:
    """What a reader should know beside the usages: which definitions were meant, what was left out, what is near."""
    notes = []
    if not answer.definitions:
        near = f" Names like it: {', '.join(answer.near)}." if answer.near else ""
        notes.append(f"'{answer.symbol}' is not defined in the index.{near}")
    else:
        places = [f"{show_path(d.path)}:{d.line}" for d in answer.definitions[:5]]
        more = f" and {len(answer.definitions) - 5} more" if len(answer.definitions) > 5 else ""
        notes.append(f"{answer.definitions[0].qualified} is defined in {', '.join(places)}{more}.")
        if not answer.usages:
            notes.append(f"No {answer.relation} found.")
    if answer.total > len(answer.usages):
        notes.append(f"{len(answer.usages)} of {answer.total} shown; --limit shows more.")
    if answer.unresolved:
        names = ", ".join(answer.unresolved[:MAX_UNRESOLVED])
        notes.append(
            f"Called and not defined in the index: {names}{', …' if len(answer.unresolved) > MAX_UNRESOLVED else ''}."
        )
    return [escape_line(note) for note in (*notes, *answer.notes)]


def outline_dict(found: Outline, notes: tuple[str, ...], freshness: Freshness, *, root: str) -> dict[str, Any]:
    shared = {"schema_version": SCHEMA_VERSION, "root": root, "freshness": freshness_dict(freshness)}
    return {**shared, **asdict(found), "notes": list(notes)}


def outline_lines(found: Outline, show_path: Callable[[str], str] = str) -> list[str]:
    """One line a definition, under its file: the line's number and its text."""
    out: list[str] = []
    for file in found.files:
        out.append(escape_line(show_path(file.path)))
        out += [f"{_INDENT * (1 + entry.depth)}{entry.line} {escape_line(entry.text)}" for entry in file.entries]
    return out


def outline_summary(found: Outline) -> str:
    definitions = sum(len(file.entries) for file in found.files)
    hidden = sum(file.left_out for file in found.files)
    if not definitions:
        return "Nothing is defined there, or nothing fits into the budget."
    left_out = f", {hidden:,} more in them" if hidden else ""
    files = f"; {counted(found.files_left_out, 'more file')}" if found.files_left_out else ""
    shown = f"{counted(definitions, 'definition')} in {counted(len(found.files), 'file')}"
    return f"{found.tokens:,} of {found.budget:,} tokens (estimated): {shown}{left_out}{files}."
