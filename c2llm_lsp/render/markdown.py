"""Answers as Markdown for a language model: notes and freshness first, then locations, names and code in fences.

A workspace's text can neither begin a heading, a link or a note of its own nor end its fence: file names and symbols are
code spans, code is fenced, and everything is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from c2llm_lsp.render.escape import code_span, escape_block, fenced, markdown_line
from c2llm_lsp.render.freshness import index_summary, nothing_found, nothing_packed
from retrieval.rag.spans import copies_line
from retrieval.types import Answer, Freshness, Hit

if TYPE_CHECKING:
    from retrieval.rag import PackedContext

MAX_HIT = 2_000  # characters of one hit: a long class must not crowd out the others


def answer_markdown(
    answer: Answer,
    notes: Sequence[str] = (),
    snippet_lines: int | None = None,
    is_shown: Callable[[Hit], bool] = lambda _: False,
) -> str:
    """The hits, best first, after the freshness and the notes; `notes` follow the answer's. Of each hit so many lines are
    shown; with 0, and where its code was shown before, only where it is.
    """
    header = _header(answer.freshness, (*answer.notes, *notes))
    if not answer.hits:
        return f"{nothing_found(answer.freshness)}\n\n{header}"
    return "\n".join([header, "", *(_section(hit, snippet_lines, is_shown) for hit in answer.hits)])


def context_markdown(packed: PackedContext, notes: Sequence[str] = ()) -> str:
    """A packed context after its freshness and notes."""
    header = _header(packed.freshness, (*packed.notes, *notes))
    context = packed.context
    if not context.spans:
        return f"{nothing_packed(packed)}\n\n{header}"
    return f"{header}\n\n{context.text}"


def _header(freshness: Freshness, notes: Iterable[str]) -> str:
    return "\n".join([index_summary(freshness), *map(markdown_line, notes)])


def _section(hit: Hit, snippet_lines: int | None, is_shown: Callable[[Hit], bool]) -> str:
    chunk = hit.chunk
    name = f"{chunk.kind} {code_span(chunk.qualified)}" if chunk.symbol else chunk.kind
    place = f"{code_span(f'{chunk.path}:{hit.start_line}-{hit.end_line}')} ({name})"
    if snippet_lines == 0:
        return f"- {place}"
    if is_shown(hit):
        return f"## {place}\n\nUnchanged since an earlier answer showed it (`repeat` shows it again).\n"
    also = "".join(f"{line}\n\n" for line in copies_line(hit.copies))
    return f"## {place}\n\n{also}{fenced(_truncated(escape_block(hit.text), snippet_lines), chunk.language)}\n"


def _truncated(text: str, most_lines: int | None) -> str:
    """Whole lines from the start, and how many were left out."""
    lines = text.split("\n")
    if most_lines is not None and len(lines) > most_lines:
        shown = "\n".join(lines[:most_lines])
    elif len(text) > MAX_HIT:
        shown = text[: max(text.rfind("\n", 0, MAX_HIT), 0) or MAX_HIT]
    else:
        return text
    shown = shown if len(shown) <= MAX_HIT else shown[: max(shown.rfind("\n", 0, MAX_HIT), 0) or MAX_HIT]
    return f"{shown}\n… ({text.count(chr(10), len(shown))} more lines)"
