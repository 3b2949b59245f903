"""Draws the state as styled text of prompt_toolkit: one row a result, the preview, the line below. Pure.

Whatever the workspace holds is escaped before it is drawn, and nothing is said by colour alone: the selected row has a pointer,
matches are underlined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, pairwise, takewhile

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.utils import get_cwidth

from c2llm_lsp.picker.state import PickerState
from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.freshness import freshness_notes
from c2llm_lsp.render.snippet import anchor_line, answer_line, hit_lines
from retrieval.search.matches import matches
from retrieval.types import NOTHING_CERTAIN, Hit

POINTER = "> "
ELLIPSIS = "…"
KEYS = "Enter open · ^Y copy · ^O print · Tab complete · F1 keys · Esc leave"
HELP = (
    ("Up Down, ^P ^N, ^K ^J", "previous and next result"),
    ("PgUp PgDn", "ten results up and down"),
    ("Shift-Up Shift-Down", "scroll the preview"),
    ("Enter", "open in $VISUAL or $EDITOR at the line"),
    ("^Y", "copy path and line"),
    ("^O", "leave, and print path and line"),
    ("^U ^W ^A ^E", "clear, delete a word, go to the start, to the end"),
    ("Tab", "complete a filter: lang: kind: path: -path: in: content: grep:"),
    ("Alt-D Alt-K", "only this folder, only its package; again: everywhere"),
    ("Alt-C Alt-T", "only what changed since the last commit, no tests"),
    ("Esc ^C ^G", "leave"),
)
STYLE = {
    "path": "ansigreen",
    "name": "bold",
    "weak": "ansibrightblack",
    "dim": "ansibrightblack",
    "match": "bold underline",
    "number": "ansibrightblack",
    "problem": "ansired",
    "pygments.comment": "ansibrightblack italic",
    "pygments.keyword": "ansimagenta",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.number": "ansicyan",
    "pygments.name.function": "ansiblue",
    "pygments.name.class": "ansiblue bold",
    "pygments.name.decorator": "ansicyan",
    "pygments.name.builtin": "ansicyan",
}
_LONGEST = 1_000  # characters of a line that are colored and marked: no screen shows more
_PLACE_SHARE = 0.45  # of a row's width, at most, for path and line

ShowPath = Callable[[str], str]


def result_rows(state: PickerState, width: int, height: int, show_path: ShowPath) -> StyleAndTextTuples:
    """The rows of the results around the selected one, each `path:line  name  the line that answers`."""
    first = min(max(state.selected - height + 1, 0), max(len(state.hits) - height, 0))
    shown = state.hits[first : first + height]
    places = [f"{escape_line(show_path(hit.chunk.path))}:{_telling(hit)[0]}" for hit in shown]
    column = min(max(map(get_cwidth, places), default=0), int(width * _PLACE_SHARE))
    rows: StyleAndTextTuples = []
    for number, (hit, place) in enumerate(zip(shown, places, strict=True), first):
        base = "class:weak" if state.uncertain else ""
        pointer = POINTER if number == state.selected else " " * len(POINTER)
        left = _ending(place, column)
        left += " " * (column - get_cwidth(left))
        room = width - len(POINTER) - column - 2
        name = _beginning(escape_line(hit.chunk.qualified) or f"({hit.chunk.kind})", room)
        line = escape_line(hit_lines(hit).get(_telling(hit)[1], "")).strip()
        line = _beginning(line, room - get_cwidth(name) - 2)
        row: StyleAndTextTuples = [
            ("", pointer),
            (base or "class:path", left),
            ("", "  "),
            (f"{base} class:name", name),
        ]
        row += [("", "  "), *_marked([(base or "class:dim", line)], line, hit)] if line else []
        rows += [*(_reversed(row, width) if number == state.selected else row), ("", "\n")]
    return rows[:-1]


def preview_rows(state: PickerState, width: int, height: int, show_path: ShowPath) -> StyleAndTextTuples:
    """A heading, then lines of the selected result."""
    hit = state.hit
    if state.help or hit is None:
        return _help() if state.help or state.answer is None else []
    lines = f"{hit.start_line}-{hit.end_line}" if hit.end_line > hit.start_line else str(hit.start_line)
    copies = f" · also in {len(hit.copies)} other place{'s' * (len(hit.copies) != 1)}" if hit.copies else ""
    heading = f"{escape_line(show_path(hit.chunk.path))}:{lines} · {hit.chunk.language} {hit.chunk.kind}{copies}"
    rows: StyleAndTextTuples = [("class:dim", _beginning(heading, width)), ("", "\n")]
    digits, first = len(str(hit.end_line)), state.preview_start(height - 1)
    colored = _colored(hit)
    for number in range(first, min(first + height - 1, hit.end_line + 1)):
        style = "bold" if number in _telling(hit) else "class:number"
        row = colored[number - hit.start_line] if number - hit.start_line < len(colored) else []
        text = "".join(part[1] for part in row)
        rows += [(style, f"{number:>{digits}} "), *_marked(row, text, hit), ("", "\n")]
    return rows[:-1]


def status_row(state: PickerState, width: int) -> StyleAndTextTuples:
    """One line: what is wrong, else what should be known of the answer, else the keys."""
    text, style = _status(state)
    room = width - get_cwidth(text) - 3
    keys = KEYS if get_cwidth(KEYS) <= room else "F1 keys" if room >= len("F1 keys") else ""
    row: StyleAndTextTuples = [(style, _beginning(text, width))]
    return [*row, ("", " " * (room + 3 - get_cwidth(keys))), ("class:dim", keys)] if keys else row


def _status(state: PickerState) -> tuple[str, str]:
    if state.message or state.problem:
        return escape_line(state.message or state.problem), "" if state.message else "class:problem"
    answer = state.answer
    if answer is None:
        return state.work, ""
    notes = [NOTHING_CERTAIN] if state.uncertain else []
    notes += [note for note in answer.notes if note != NOTHING_CERTAIN]
    if not state.work:
        notes += freshness_notes(answer.freshness)[:1]
    found = f"{len(answer.hits)} result{'s' * (len(answer.hits) != 1)}" if answer.hits else "Nothing found"
    return escape_line(" · ".join([found, *([state.work] if state.work else []), *notes])), ""


def _help() -> StyleAndTextTuples:
    width = max(len(keys) for keys, _ in HELP)
    rows: StyleAndTextTuples = []
    for keys, what in HELP:
        rows += [("class:name", f"  {keys:<{width}}  "), ("", f"{what}\n")]
    return rows


@lru_cache(maxsize=128)
def _telling(hit: Hit) -> tuple[int, int]:
    """The line of a result's name, and the line that says most beside it. All of its lines are looked through for that, and each
    key draws them again.
    """
    anchor = anchor_line(hit)
    return anchor, answer_line(hit, anchor)


@lru_cache(maxsize=32)
def _colored(hit: Hit) -> tuple[StyleAndTextTuples, ...]:
    """The lines of a result with syntax colours, in one go so that strings over many lines get theirs."""
    lines = [escape_line(line[:_LONGEST]) for line in hit_lines(hit).values()]
    # by name alone: guessing by content is slow and wrong as often as not
    row = PygmentsLexer.from_filename(hit.chunk.path.rpartition("/")[2]).lex_document(Document("\n".join(lines)))
    return tuple(row(number) for number in range(len(lines)))


def _marked(row: Iterable[tuple[str, str] | tuple[str, str, object]], text: str, hit: Hit) -> StyleAndTextTuples:
    """A row with the words that match the query marked."""
    spans = matches(text, hit.terms)
    out: StyleAndTextTuples = []
    at = 0
    for style, part, *_ in row:
        inside = {at, at + len(part)} | {n for span in spans for n in span if at < n < at + len(part)}
        edges = sorted(inside)
        for start, end in pairwise(edges):
            match = any(first <= start < last for first, last in spans)
            out.append((f"{style} class:match" if match else style, part[start - at : end - at]))
        at += len(part)
    return out


def _reversed(row: StyleAndTextTuples, width: int) -> StyleAndTextTuples:
    """The selected row, over the whole width."""
    used = sum(get_cwidth(part[1]) for part in row)
    out: StyleAndTextTuples = [("reverse bold underline" if "match" in part[0] else "reverse", part[1]) for part in row]
    return [*out, ("reverse", " " * max(width - used, 0))]


def _beginning(text: str, width: int) -> str:
    """The text cut to so many columns at its end."""
    if get_cwidth(text) <= width:
        return text
    return text[: _fitting(text, width - 1)] + ELLIPSIS if width > 0 else ""


def _ending(text: str, width: int) -> str:
    """The text cut to so many columns at its beginning: of a path the end says most."""
    if get_cwidth(text) <= width:
        return text
    return ELLIPSIS + text[len(text) - _fitting(reversed(text), width - 1) :] if width > 0 else ""


def _fitting(characters: Iterable[str], width: int) -> int:
    """How many of the first characters take at most so many columns."""
    return sum(1 for _ in takewhile(lambda used: used <= width, accumulate(map(get_cwidth, characters))))
