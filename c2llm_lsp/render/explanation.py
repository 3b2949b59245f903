"""An explanation for a terminal or a pipe: each line with its share of the attention and its effect on the similarity.

Tokens with much attention have a warm background; without colours the numbers and bars carry the same information.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.style import Style
from rich.text import Text

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.render.heat import STRONG, HeatRow, format_effect, heat_rows, summary
from retrieval.types import Explanation

# Like a highlighter on paper: dark text, on light and on dark terminals.
HEAT_STYLES = (
    Style(),
    Style(color="#1c1400", bgcolor="#fdecb8"),
    Style(color="#1c1400", bgcolor="#fccf74"),
    Style(color="#1c1400", bgcolor="#f7a145"),
    Style(color="#1c1400", bgcolor="#ec6a2f", bold=True),
)
_BLOCKS = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 5  # characters


def explanation_lines(explanation: Explanation, *, show_path: Callable[[str], str]) -> Iterator[Text]:
    """One Text a line, code without wrapping; a pipe gets `.plain` of each."""
    yield _heading(explanation, show_path)
    if explanation.query:
        yield Text(f'for "{escape_line(explanation.query)}"')
    rows = heat_rows(explanation)
    width = len(str(explanation.chunk.end_line))
    has_attention, has_effect = bool(explanation.tokens), explanation.similarity is not None
    yield Text.assemble((f"  {'':>{width}}{_titles(has_attention, has_effect)}", "dim"))
    for row in rows:
        yield _line(row, width, has_attention=has_attention, has_effect=has_effect)
    yield Text()
    for sentence in summary(explanation):
        yield Text(escape_line(sentence), no_wrap=False)


def _heading(explanation: Explanation, show_path: Callable[[str], str]) -> Text:
    chunk = explanation.chunk
    lines = str(chunk.start_line) if chunk.start_line == chunk.end_line else f"{chunk.start_line}-{chunk.end_line}"
    heading = Text(escape_line(show_path(chunk.path)), style="bold magenta")
    heading.append(f":{lines}", style="not bold green")
    if chunk.qualified:
        heading.append(f"  {escape_line(chunk.qualified)}", style="cyan")
    heading.append(f"  {chunk.kind}  {escape_line(explanation.encoder)}", style="not bold dim default")
    return heading


def _titles(has_attention: bool, has_effect: bool) -> str:
    return f"{'attention':>{BAR_WIDTH + 7}}" * has_attention + f"{'effect':>8}" * has_effect


def _line(row: HeatRow, width: int, *, has_attention: bool, has_effect: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"  {row.line:>{width}} ", style="dim")
    if has_attention:
        text.append(_bar(row.bar), style="yellow")
        text.append(f"{row.attention:>6.1%}" if row.attention else " " * 6, style="dim")
    if has_effect:
        text.append(f"{format_effect(row.effect):>8}", style=_effect_style(row))
    text.append("  ")
    for span in row.spans:
        text.append(escape_line(span.text), style=HEAT_STYLES[span.heat] if row.read else "dim")
    text.rstrip()
    return text


def _effect_style(row: HeatRow) -> str:
    if row.negligible:
        return "dim"
    color = "green" if (row.effect or 0.0) > 0 else "red"
    return f"bold {color}" if row.strength >= STRONG else color


def _bar(share: float) -> str:
    eighths = round(share * BAR_WIDTH * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(BAR_WIDTH)
