"""`workspace/executeCommand`: what the product can do where there is no plugin of ours.

Each command returns its result as JSON, and shows it in a background task: the result does not wait for the user. Ids are
unlike those of the extensions, because VS Code makes a server's commands its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pygls.uris import from_fs_path

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.server import protocol
from c2llm_lsp.server.context_files import save_context
from c2llm_lsp.server.fast_initialize import COPY_CONTEXT, FIND_SIMILAR
from c2llm_lsp.server.handlers.context import context
from c2llm_lsp.server.handlers.query_params import folders_of
from c2llm_lsp.server.handlers.search import search
from c2llm_lsp.server.handlers.similar import similar
from c2llm_lsp.server.handlers.status import status
from c2llm_lsp.server.protocol.decoding import decode
from c2llm_lsp.server.protocol.schema import COMMANDS
from c2llm_lsp.server.result_picker import NOTHING_FOUND, offer_results, open_document
from c2llm_lsp.server.services import Services
from retrieval.errors import QueryError

P = TypeVar("P", bound=protocol.ProtocolType)


async def execute_command(server: Services, name: str, arguments: Sequence[Any]) -> protocol.ProtocolType:
    """Run one of the commands with its decoded argument."""
    return await HANDLERS[name](server, _argument(name, COMMANDS[name][0], arguments))


def _argument(name: str, kind: type[P], arguments: Sequence[Any]) -> P:
    """The one argument, an object. Words are a query, as they come from editors where commands are typed."""
    argument: Any = arguments[0] if arguments else {}
    if kind is protocol.SearchParams and arguments and all(isinstance(word, str) for word in arguments):
        argument = {"query": " ".join(arguments)}
    elif len(arguments) > 1:
        raise QueryError(f"{name} takes one argument, an object; {len(arguments)} were given.")
    return decode(name, kind, argument)


async def search_command(server: Services, params: protocol.SearchParams) -> protocol.Answer:
    answer = await search(server, params)
    server.loop.create_task(offer_results(server, f"Results for “{_short(params.query)}”:", answer))
    return answer


async def similar_command(server: Services, params: protocol.SimilarParams) -> protocol.Answer:
    answer = await similar(server, params)
    server.loop.create_task(offer_results(server, "Similar code:", answer))
    return answer


async def context_command(server: Services, params: protocol.ContextParams) -> protocol.SavedContext:
    """The context, saved as a file that the editor opens."""
    answer = await context(server, params)
    fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
    if not answer.pieces:
        server.client.show_message(next(iter(answer.notes), NOTHING_FOUND))
        return protocol.SavedContext(file="", **fields)
    path = await server.queries.run(lambda: save_context(answer.text, server.state.settings.merged.cache))
    saved = protocol.SavedContext(file=from_fs_path(str(path)) or "", **fields)
    places = f"{len(answer.pieces)} place{'s' if len(answer.pieces) != 1 else ''}"
    server.loop.create_task(_show_context(server, saved.file, f"{places} in {answer.tokens:,} tokens: {path}"))
    return saved


async def _show_context(server: Services, uri: str, summary: str) -> None:
    server.client.show_message(f"Context for an assistant, {summary}")
    if server.state.client.show_document:
        await open_document(server, uri)


async def reindex_command(server: Services, params: protocol.ReindexParams) -> protocol.StatusAnswer:
    """Scan everything again; a folder that failed is opened again."""
    for folder in folders_of(server, params.folder):
        if folder.unusable:
            server.folders.reopen(folder)
        else:
            folder.rescan("asked")
    return await status(server, protocol.StatusParams(folder=params.folder))


async def status_command(server: Services, params: protocol.StatusParams) -> protocol.StatusAnswer:
    answer = await status(server, params)
    server.client.show_message(
        "\n".join(escape_line(_status_line(folder)) for folder in answer.folders) or "No folder is open."
    )
    return answer


def _status_line(folder: protocol.FolderStatus) -> str:
    text = folder.message or f"{folder.state}."
    if (now := folder.freshness) is not None:
        text += f" {now.files:,} files"
        text += ", some of them found by words only so far." if now.pending_chunks else "."
    return f"{folder.name}: {text}"


def _short(query: str) -> str:
    line = " ".join(query.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


HANDLERS: dict[str, Callable[[Services, Any], Awaitable[protocol.ProtocolType]]] = {
    FIND_SIMILAR: similar_command,
    COPY_CONTEXT: context_command,
    "c2llm.server.search": search_command,
    "c2llm.server.reindex": reindex_command,
    "c2llm.server.status": status_command,
}
