"""Hits as grep writes them: `path:line: text`, one line a hit, for pipes and for editors' quickfix lists."""

from __future__ import annotations

from collections.abc import Callable

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.snippet import anchor_line, hit_lines, snippet_lines
from retrieval.types import Answer, Hit


def render_plain(answer: Answer, *, context: int, explain: bool, show_path: Callable[[str], str]) -> str:
    """All hits as text. With context, the lines around follow with `-` for `:` and `--` between hits, as in grep."""
    blocks = [_block(hit, context, explain, show_path) for hit in answer.hits]
    return ("--\n" if context else "").join(blocks)


def _block(hit: Hit, context: int, explain: bool, show_path: Callable[[str], str]) -> str:
    path, lines, first = escape_line(show_path(hit.chunk.path)), hit_lines(hit), anchor_line(hit)
    numbers = snippet_lines(hit, context=context) if context else [first]
    rows = []
    for number in numbers:
        mark = ":" if number == first else "-"
        rows.append(
            f"{path}{mark}{number}{mark} {escape_line(lines.get(number, '').strip() if not context else lines[number])}\n"
        )
    if explain:
        rows.append(f"    score {hit.score:.4f}\n")
        rows += [
            f"    {escape_line(signal.name):<24} {signal.value:>10.4f} {signal.effect:>+10.4f}\n"
            for signal in hit.signals
        ]
    return "".join(rows)
