"""Answers as a language model reads them: places, names, code in fences, and how current it all is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from c2llm_lsp.render.snippet import pending
from retrieval.types import Answer, Freshness, Hit

if TYPE_CHECKING:
    from retrieval.rag import Packed

MAX_HIT = 2_000  # characters of one place: a long class must not crowd out the others


def answer_markdown(answer: Answer, trouble: Sequence[str] = ()) -> str:
    """The places, best first, after what should be known about the answer."""
    head = _head(answer.freshness, (*answer.notes, *trouble))
    if not answer.hits:
        return f"Nothing found.\n\n{head}"
    return "\n".join([head, "", *(_place(hit) for hit in answer.hits)])


def packed_markdown(packed: Packed, trouble: Sequence[str] = ()) -> str:
    head = _head(packed.freshness, (*packed.notes, *trouble))
    found = packed.context
    if not found.pieces:
        nothing = f"Nothing fits into {found.budget:,} tokens." if found.left_out else "Nothing found."
        return f"{nothing}\n\n{head}"
    return f"{head}\n\n{found.text}"


def standing(fresh: Freshness) -> str:
    """How current an index is, in one line."""
    said = " ".join(pending(fresh)) or "All of it is current."
    return f"Index: {fresh.files:,} files, {fresh.chunks:,} chunks. {said}"


def _head(fresh: Freshness, notes: Iterable[str]) -> str:
    return "\n".join([standing(fresh), *notes])


def _place(hit: Hit) -> str:
    chunk = hit.chunk
    name = f"{chunk.kind} {chunk.qualified}" if chunk.symbol else chunk.kind
    text = _shortened(hit.text)
    ticks = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"## {chunk.path}:{hit.start_line}-{hit.end_line} ({name})\n\n{ticks}{chunk.language}\n{text}\n{ticks}\n"


def _shortened(text: str) -> str:
    """Whole lines from the start, and how many were left out."""
    if len(text) <= MAX_HIT:
        return text
    cut = max(text.rfind("\n", 0, MAX_HIT), 0) or MAX_HIT
    return f"{text[:cut]}\n… ({text.count(chr(10), cut)} more lines)"
