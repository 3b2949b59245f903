"""How current an answer is, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.types import Answer, Freshness

if TYPE_CHECKING:
    from retrieval.rag.context import PackedContext

EMPTY_INDEX = "The index is empty: there is no file here that can be searched."


def nothing_found(freshness: Freshness) -> str:
    """Why an answer has no results."""
    is_empty = not freshness.chunks and not freshness.pending_files
    return EMPTY_INDEX if is_empty else "Nothing found."


def nothing_packed(packed: PackedContext) -> str:
    """Why a context has no code."""
    context = packed.context
    return f"Nothing fits into {context.budget:,} tokens." if context.left_out else nothing_found(packed.freshness)


def answer_notes(answer: Answer) -> list[str]:
    """What the reader should know about the answer: the engine's notes, what is pending, what may be stale."""
    return [*answer.notes, *freshness_notes(answer.freshness)]


def freshness_notes(freshness: Freshness) -> list[str]:
    """What is not indexed yet, and what may be stale; empty where the index is current."""
    notes = []
    if freshness.pending_files:
        notes.append(f"{counted(freshness.pending_files, 'file')} not indexed yet.")
    if freshness.pending_chunks:
        notes.append(f"{counted(freshness.pending_chunks, 'chunk')} without vectors yet (keyword search only).")
    if freshness.stale:
        notes.append("Files may have changed since the index was made; `c2llm index` brings it up to date.")
    return notes


def index_summary(freshness: Freshness) -> str:
    """Size and freshness of an index in one line."""
    notes = " ".join(freshness_notes(freshness)) or "All of it is current."
    return f"Index: {freshness.files:,} files, {freshness.chunks:,} chunks. {notes}"


def counted(number: int, noun: str) -> str:
    """1 file, 2 files."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
