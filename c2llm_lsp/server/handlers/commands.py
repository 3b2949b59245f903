"""`workspace/executeCommand`: what can be asked for where no plugin asks.

Each command returns its result as JSON, and shows it. The result does not wait for the person: what is shown is shown by
a task of its own. Ids are unlike those of the extensions, because VS Code makes a server's commands its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from pygls.uris import from_fs_path

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.client_ui import NOTHING, offer, open_document, opens_documents
from c2llm_lsp.server.context_files import save_context
from c2llm_lsp.server.fast_initialize import COPY_CONTEXT, FIND_SIMILAR
from c2llm_lsp.server.handlers.common import folders_of
from c2llm_lsp.server.handlers.context import context
from c2llm_lsp.server.handlers.search import search
from c2llm_lsp.server.handlers.similar import similar
from c2llm_lsp.server.handlers.status import status
from c2llm_lsp.server.schema import COMMANDS
from retrieval.errors import QueryError

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server

P = TypeVar("P", bound=protocol_types.Wire)
Run = Callable[["Server", Any], Awaitable[protocol_types.Wire]]


def register(server: Server) -> None:
    runs: dict[str, Run] = {
        FIND_SIMILAR: _similar,
        COPY_CONTEXT: _context,
        "c2llm.server.search": _search,
        "c2llm.server.reindex": _reindex,
        "c2llm.server.status": _status,
    }
    for name, run in runs.items():
        _command(server, name, run)


def _command(server: Server, name: str, run: Run) -> None:
    kind = COMMANDS[name][0]

    async def execute(arguments: Sequence[Any]) -> Any:
        return await run(server, _argument(name, kind, arguments))

    server.command(name)(execute)


def _argument(name: str, kind: type[P], arguments: Sequence[Any]) -> P:
    """The one argument, an object. Words are a query, as they come from editors where commands are typed."""
    given: Any = arguments[0] if arguments else {}
    if kind is protocol_types.SearchParams and arguments and all(isinstance(word, str) for word in arguments):
        given = {"query": " ".join(arguments)}
    elif len(arguments) > 1:
        raise QueryError(f"{name} takes one argument, an object; {len(arguments)} were given.")
    try:
        return msgspec.convert({} if given is None else given, kind)
    except msgspec.ValidationError as error:
        raise QueryError(f"{name}: {error}") from None


async def _similar(server: Server, asked: protocol_types.SimilarParams) -> protocol_types.Answer:
    answer = await similar(server, asked)
    server.keep(asyncio.ensure_future(offer(server, "Similar code:", answer)))
    return answer


async def _search(server: Server, asked: protocol_types.SearchParams) -> protocol_types.Answer:
    answer = await search(server, asked)
    server.keep(asyncio.ensure_future(offer(server, f"Found for “{_short(asked.query)}”:", answer)))
    return answer


async def _context(server: Server, asked: protocol_types.ContextParams) -> protocol_types.SavedContext:
    answer = await context(server, asked)
    known = {name: getattr(answer, name) for name in answer.__struct_fields__}
    if not answer.pieces:
        server.say(next(iter(answer.notes), NOTHING))
        return protocol_types.SavedContext(file="", **known)
    path = await server.loop.run_in_executor(server.asking, save_context, answer.text, server.settings.cache)
    saved = protocol_types.SavedContext(file=from_fs_path(str(path)) or "", **known)
    places = f"{len(answer.pieces)} place{'s' if len(answer.pieces) != 1 else ''}"
    server.keep(
        asyncio.ensure_future(_show_context(server, saved.file, f"{places} in {answer.tokens:,} tokens: {path}"))
    )
    return saved


async def _show_context(server: Server, uri: str, said: str) -> None:
    server.say(f"Context for an assistant, {said}")
    if opens_documents(server):
        await open_document(server, uri)


async def _reindex(server: Server, asked: protocol_types.ReindexParams) -> protocol_types.StatusAnswer:
    for folder in folders_of(server, asked.folder):
        if folder.unusable:
            server.renew(folder)
        elif folder.session is not None:
            folder.session.rescan("asked")
    return await status(server, protocol_types.StatusParams(folder=asked.folder))


async def _status(server: Server, asked: protocol_types.StatusParams) -> protocol_types.StatusAnswer:
    answer = await status(server, asked)
    server.say("\n".join(map(_sentence, answer.folders)) or "No folder is open.")
    return answer


def _sentence(folder: protocol_types.FolderStatus) -> str:
    said = folder.message or f"{folder.state}."
    if (now := folder.freshness) is not None:
        said += f" {now.files:,} files, {now.chunks:,} chunks"
        said += f", {now.pending_chunks:,} of them by words only." if now.pending_chunks else "."
    return f"{folder.name}: {said}"


def _short(query: str) -> str:
    line = " ".join(query.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
