"""What the messages share: parameters checked, engine's hits as the wire's, answers of several folders as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.navigation_target import Landing, landing
from c2llm_lsp.server.positions import Encoding, last_line, whole_lines
from retrieval.errors import QueryError
from retrieval.types import Answer, Filters, Freshness, Hit

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder

P = TypeVar("P", bound=protocol_types.Wire)
NO_FOLDER = "No folder is open: open one to search it."
NOT_OPEN = "{}: the index is not open ({})."


def own_request(
    server: Server, method: str, kind: type[P], answer: Callable[[Server, P], Awaitable[protocol_types.Wire]]
) -> None:
    """Register one of the product's own requests. Parameters of another shape are refused with what is wrong where."""

    async def handle(params: Any) -> Any:
        try:
            asked = msgspec.convert({} if params is None else params, kind)
        except msgspec.ValidationError as error:
            raise QueryError(f"{method}: {error}") from None
        return await answer(server, asked)

    server.feature(method)(handle)


def folders_of(server: Server, uri: str | None) -> list[Folder]:
    """The one folder that is named, else all. Raises QueryError for one that is not open."""
    if uri is None:
        return list(server.folders)
    folder = server.folder_at(uri)
    if folder is None:
        raise QueryError(f"{uri} is not an open folder.")
    return [folder]


async def ready(server: Server, asked: protocol_types.Filtered) -> list[Folder]:
    """The folders that a request is about, when it may be answered. Raises QueryError for one that is not open."""
    folders = folders_of(server, asked.folder)
    if asked.wait_for_edits:
        await server.opened(folders)
        await server.edits.settled()
    return folders


def filters(asked: protocol_types.Filtered) -> Filters:
    return Filters(languages=tuple(asked.languages), paths=tuple(asked.paths), kinds=tuple(asked.kinds))


def limit(server: Server, asked: protocol_types.Filtered) -> int:
    return asked.limit or server.settings.results


@dataclass(frozen=True, slots=True)
class Part:
    """One folder's answer, its hits as they go on the wire. Made where the question was answered: the loop reads input."""

    folder: Folder
    answer: Answer
    hits: tuple[protocol_types.Hit, ...]


def part(server: Server, folder: Folder, answer: Answer) -> Part:
    """Any thread."""
    return Part(folder, answer, tuple(wire_hit(server, folder, hit) for hit in answer.hits))


def together(server: Server, parts: Sequence[Part], count: int, asked: Sequence[Folder]) -> protocol_types.Answer:
    """The answers of several folders as one, best first; their scores come from the same signals."""
    found = sorted((hit for part in parts for hit in part.hits), key=lambda hit: -hit.score)
    # A folder inside another one has its files in both indexes.
    hits = list({(hit.uri, hit.range.start.line): hit for hit in reversed(found)}.values())
    hits.reverse()
    answers = [(part.folder, part.answer) for part in parts]
    return protocol_types.Answer(
        hits=hits[:count],
        freshness=freshness(server, [(folder, answer.freshness) for folder, answer in answers]),
        encoder=next((answer.encoder for _, answer in answers if answer.encoder), ""),
        seconds=max((answer.seconds for _, answer in answers), default=0.0),
        notes=notes(answers, asked),
    )


def notes(answers: Sequence[tuple[Folder, Answer]], asked: Sequence[Folder]) -> list[str]:
    """What should be said about the answers of the folders that were asked."""
    if not asked:
        return [NO_FOLDER]
    answered = {id(folder) for folder, _ in answers}
    silent = [NOT_OPEN.format(f.name, f.standing.message or f.standing.state) for f in asked if id(f) not in answered]
    return list(dict.fromkeys([*(note for _, answer in answers for note in answer.notes), *silent]))


def freshness(server: Server, parts: Sequence[tuple[Folder, Freshness]]) -> protocol_types.Freshness:
    """How current several folders are, together; buffers that are not in yet count as files."""
    return protocol_types.Freshness(
        files=sum(part.files for _, part in parts),
        chunks=sum(part.chunks for _, part in parts),
        pending_files=sum(part.pending_files + server.edits.pending_in(folder) for folder, part in parts),
        pending_chunks=sum(part.pending_chunks for _, part in parts),
        stale=any(part.stale for _, part in parts),
    )


def selection(hit: Hit, land: Landing, encoding: Encoding) -> protocol_types.Range:
    """From where a jump lands to the end of the best piece."""
    end = whole_lines(hit.chunk.end_line, hit.chunk.end_line, last_line(hit.chunk.text), encoding).end
    return protocol_types.Range(
        start=protocol_types.Position(line=land.line - 1, character=encoding.units(land.before)),
        end=protocol_types.Position(line=end.line, character=end.character),
    )


def wire_hit(server: Server, folder: Folder, hit: Hit) -> protocol_types.Hit:
    land = landing(hit)
    span = whole_lines(hit.start_line, hit.end_line, last_line(hit.text), server.encoding)
    return protocol_types.Hit(
        uri=folder.uri_of(hit.chunk.path),
        folder=folder.uri,
        path=hit.chunk.path,
        range=protocol_types.wire_range(span),
        selection_range=selection(hit, land, server.encoding),
        label=land.name,
        language=hit.chunk.language,
        kind=hit.chunk.kind,
        symbol=hit.chunk.symbol,
        scope=hit.chunk.scope,
        score=round(float(hit.score), 6),
        text=hit.text,
        salient_lines=[line - 1 for line in hit.salient_lines],
        signals=[
            protocol_types.Signal(name=s.name, value=round(float(s.value), 6), effect=round(float(s.effect), 6))
            for s in hit.signals
        ],
    )
