"""Hits as grep writes them: `path:line: text`, one line a hit, for pipes and for editors' quickfix lists."""

from __future__ import annotations

from collections.abc import Callable

from c2llm_lsp.render.snippet import anchor, clean, hit_lines, shown
from retrieval.types import Answer, Hit


def plain(answer: Answer, *, context: int, explain: bool, show_path: Callable[[str], str]) -> str:
    """All hits as text. With context, the lines around follow with `-` for `:` and `--` between hits, as in grep."""
    blocks = [_block(hit, context, explain, show_path) for hit in answer.hits]
    return ("--\n" if context else "").join(blocks)


def _block(hit: Hit, context: int, explain: bool, show_path: Callable[[str], str]) -> str:
    path, lines, first = clean(show_path(hit.chunk.path)), hit_lines(hit), anchor(hit)
    numbers = shown(hit, context=context) if context else [first]
    rows = []
    for number in numbers:
        mark = ":" if number == first else "-"
        rows.append(
            f"{path}{mark}{number}{mark} {clean(lines.get(number, '').strip() if not context else lines[number])}\n"
        )
    if explain:
        rows.append(f"    score {hit.score:.4f}\n")
        rows += [f"    {signal.name:<24} {signal.value:>10.4f} {signal.effect:>+10.4f}\n" for signal in hit.signals]
    return "".join(rows)
