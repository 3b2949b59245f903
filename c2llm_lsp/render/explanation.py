"""An explanation for a terminal or a pipe: each line with its share of the attention, and what it does for the query.

Tokens that the model looks at have a warm background. Without colours the numbers and bars say what there is to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.style import Style
from rich.text import Text

from c2llm_lsp.render.heat import STRONG, Row, rows_of, sentences, signed
from c2llm_lsp.render.snippet import clean
from retrieval.types import Explanation

# As a highlighter on paper: dark text on them, on light and on dark terminals.
HEAT_STYLES = (
    Style(),
    Style(color="#1c1400", bgcolor="#fdecb8"),
    Style(color="#1c1400", bgcolor="#fccf74"),
    Style(color="#1c1400", bgcolor="#f7a145"),
    Style(color="#1c1400", bgcolor="#ec6a2f", bold=True),
)
_BLOCKS = " ▏▎▍▌▋▊▉█"
BAR = 5  # characters


def explained(explanation: Explanation, *, show_path: Callable[[str], str]) -> Iterator[Text]:
    """What to print, a Text a line; code is not to be wrapped. `.plain` of each is what a pipe gets."""
    yield _heading(explanation, show_path)
    if explanation.query:
        yield Text(f'for "{clean(explanation.query)}"')
    rows = rows_of(explanation)
    width = len(str(explanation.chunk.end_line))
    looks, asked = bool(explanation.looks), explanation.similarity is not None
    yield Text.assemble((f"  {'':>{width}}{_titles(looks, asked)}", "dim"))
    for row in rows:
        yield _line(row, width, looks=looks, asked=asked)
    yield Text()
    for sentence in sentences(explanation):
        yield Text(clean(sentence), no_wrap=False)


def _heading(explanation: Explanation, show_path: Callable[[str], str]) -> Text:
    chunk = explanation.chunk
    lines = str(chunk.start_line) if chunk.start_line == chunk.end_line else f"{chunk.start_line}-{chunk.end_line}"
    heading = Text(clean(show_path(chunk.path)), style="bold magenta")
    heading.append(f":{lines}", style="not bold green")
    if chunk.qualified:
        heading.append(f"  {clean(chunk.qualified)}", style="cyan")
    heading.append(f"  {chunk.kind}  {clean(explanation.encoder)}", style="not bold dim default")
    return heading


def _titles(looks: bool, asked: bool) -> str:
    return f"{'looks' if looks else '':>{BAR + 7}}" * looks + f"{'effect':>8}" * asked


def _line(row: Row, width: int, *, looks: bool, asked: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"  {row.line:>{width}} ", style="dim")
    if looks:
        text.append(_bar(row.bar), style="yellow")
        text.append(f"{row.attention:>6.1%}" if row.attention else " " * 6, style="dim")
    if asked:
        text.append(f"{signed(row.effect):>8}", style=_effect_style(row))
    text.append("  ")
    for part in row.parts:
        text.append(clean(part.text), style=HEAT_STYLES[part.heat] if row.read else "dim")
    text.rstrip()
    return text


def _effect_style(row: Row) -> str:
    if row.small:
        return "dim"
    colour = "green" if (row.effect or 0.0) > 0 else "red"
    return f"bold {colour}" if row.strength >= STRONG else colour


def _bar(share: float) -> str:
    eighths = round(share * BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(BAR)
