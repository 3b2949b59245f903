"""Results of the engine as protocol types, and the answers of several folders as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.snippet import answer_line, hit_lines
from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.navigation_target import NavigationTarget, navigation_target
from c2llm_lsp.server.text.positions import Encoding, last_line, whole_lines
from retrieval.types import NOTHING_CERTAIN, Answer, Freshness, Hit, Location

WEAK = 1 / 3  # of the best score: of ten results the first three to six are above it, as a rule
NO_FOLDER = "No folder is open: open one to search it."
NOT_OPEN = "{}: the index is not open ({})."


@dataclass(frozen=True, slots=True)
class FolderAnswer:
    """One folder's answer, with its hits as protocol types: made on the query's thread, for the loop reads input."""

    folder: Folder
    answer: Answer
    hits: tuple[protocol.Hit, ...]


def folder_answer(folder: Folder, answer: Answer, encoding: Encoding) -> FolderAnswer:
    """Any thread."""
    return FolderAnswer(folder, answer, tuple(protocol_hit(folder, hit, encoding) for hit in answer.hits))


def merged_answer(
    server: Services, answers: Sequence[FolderAnswer], limit: int, folders: Sequence[Folder]
) -> protocol.Answer:
    """The answers of several folders as one, best first; their scores come from the same signals."""
    ranked = sorted((hit for one in answers for hit in one.hits), key=lambda hit: -hit.score)
    # A folder inside another one has its files in both indexes.
    hits = list({(hit.uri, hit.range.start.line): hit for hit in reversed(ranked)}.values())
    hits.reverse()
    engine_answers = [(one.folder, one.answer) for one in answers]
    notes = merged_notes(engine_answers, folders)
    return protocol.Answer(
        hits=_weighed(hits[:limit], NOTHING_CERTAIN not in notes),
        freshness=merged_freshness(server, [(folder, answer.freshness) for folder, answer in engine_answers]),
        encoder=next((answer.encoder for _, answer in engine_answers if answer.encoder), ""),
        seconds=max((answer.seconds for _, answer in engine_answers), default=0.0),
        notes=notes,
    )


def _weighed(hits: list[protocol.Hit], is_certain: bool) -> list[protocol.Hit]:
    """The hits, the weak ones marked."""
    least = hits[0].score * WEAK if hits and is_certain else float("inf")
    return [replace(hit, weak=True) if hit.score < least else hit for hit in hits]


def merged_notes(answers: Sequence[tuple[Folder, Answer]], folders: Sequence[Folder]) -> list[str]:
    """The notes of the answers, and which of the queried folders have none."""
    missing = missing_notes([folder for folder, _ in answers], folders)
    if not folders:
        return missing
    notes = dict.fromkeys(note for _, answer in answers for note in answer.notes)
    if not all(NOTHING_CERTAIN in answer.notes for _, answer in answers):
        notes.pop(NOTHING_CERTAIN, None)  # another folder has what was meant
    return list(dict.fromkeys([*notes, *missing]))


def missing_notes(answered: Sequence[Folder], folders: Sequence[Folder]) -> list[str]:
    """Which of the queried folders have no answer."""
    if not folders:
        return [NO_FOLDER]
    known = set(map(id, answered))
    return [NOT_OPEN.format(one.name, one.state.reason) for one in folders if id(one) not in known]


def merged_freshness(server: Services, parts: Sequence[tuple[Folder, Freshness]]) -> protocol.Freshness:
    """How current several folders are, together; buffers that are not indexed yet count as files."""
    return protocol.Freshness(
        files=sum(part.files for _, part in parts),
        chunks=sum(part.chunks for _, part in parts),
        pending_files=sum(part.pending_files + server.sync.pending_in(folder) for folder, part in parts),
        pending_chunks=sum(part.pending_chunks for _, part in parts),
        stale=any(part.stale for _, part in parts),
    )


def protocol_hit(folder: Folder, hit: Hit, encoding: Encoding) -> protocol.Hit:
    target = navigation_target(hit)
    answering = answer_line(hit, target.line)
    span = whole_lines(hit.start_line, hit.end_line, last_line(hit.text), encoding)
    return protocol.Hit(
        uri=folder.files.uri_of(hit.chunk.path),
        folder=folder.uri,
        path=hit.chunk.path,
        range=protocol.to_protocol_range(span),
        selection_range=selection_range(hit, target, encoding),
        label=escape_line(target.name),
        language=hit.chunk.language,
        kind=hit.chunk.kind,
        symbol=hit.chunk.symbol,
        scope=hit.chunk.scope,
        score=round(float(hit.score), 6),
        text=hit.text,
        salient_lines=[line - 1 for line in hit.salient_lines],
        answer_line=answering - 1,
        marks=[_mark(line, span, encoding) for line, span in _matches(hit, {*hit.salient_lines, answering})],
        weak=False,  # next to the others, which are not at hand here
        signals=[
            protocol.Signal(name=s.name, value=round(float(s.value), 6), effect=round(float(s.effect), 6))
            for s in hit.signals
        ],
        copies=[protocol_copy(folder, copy) for copy in hit.copies],
    )


def _matches(hit: Hit, numbers: set[int]) -> list[tuple[tuple[int, str], tuple[int, int]]]:
    """What matches in these lines: the line with its number, and the span in it."""
    from retrieval.search.matches import matches  # imported here: slow, and needed only where there are hits

    lines = hit_lines(hit)
    shown = [(number, lines[number]) for number in sorted(numbers) if number in lines]
    return [(line, span) for line in shown for span in matches(line[1], hit.terms)]


def _mark(line: tuple[int, str], span: tuple[int, int], encoding: Encoding) -> protocol.Range:
    number, text = line
    start, end = (protocol.Position(line=number - 1, character=encoding.units(text[:column])) for column in span)
    return protocol.Range(start=start, end=end)


def protocol_copy(folder: Folder, copy: Location) -> protocol.Copy:
    """Its last line is not at hand: the range ends at the beginning of the line behind it."""
    return protocol.Copy(
        uri=folder.files.uri_of(copy.path),
        path=copy.path,
        range=protocol.Range(
            start=protocol.Position(line=copy.first_line - 1, character=0),
            end=protocol.Position(line=copy.last_line, character=0),
        ),
    )


def selection_range(hit: Hit, target: NavigationTarget, encoding: Encoding) -> protocol.Range:
    """From the navigation target to the end of the best match."""
    end = whole_lines(hit.chunk.end_line, hit.chunk.end_line, last_line(hit.chunk.text), encoding).end
    return protocol.Range(
        start=protocol.Position(line=target.line - 1, character=encoding.units(target.before)),
        end=protocol.Position(line=end.line, character=end.character),
    )
