"""Markdown that comes in pieces, as a language model writes it, at a terminal.

A block (paragraph, list, fence) is drawn again as it grows and printed for good when the next one begins: what stands above is
never touched, however long the answer gets. The text is untrusted: controls are escaped before Markdown is read, and a link shows
its address and cannot be clicked, because a repository may have a model write one. It is read as often as it is drawn, not at
each piece, and a block has a length, so that the work grows with the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markdown import Markdown

from c2llm_lsp.render.escape import escape_block

REDRAWS_PER_SECOND = 8
MAX_BLOCK_CHARS = 20_000  # of Markdown that is read at once; no answer has such a paragraph, and few such a fence
_FENCE = re.compile(r" {0,3}(`{3,100}|~{3,100})")
_OPENER_CHARS = 200


class MarkdownStream:
    """A context; leaving it, by whatever way, prints what is left and gives the terminal back as it was."""

    def __init__(self, console: Console, code_theme: str) -> None:
        self._console = console
        self._theme = code_theme
        self._blocks = Blocks()
        self._live = self._new_live()

    def __enter__(self) -> MarkdownStream:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._print(self._blocks.pending)

    def write(self, piece: str) -> None:
        """Show more of the text."""
        done = self._blocks.add(escape_block(piece.replace("\r", "")))
        if done:
            self._live.update("", refresh=True)
            self._live.stop()
            self._print(done)
            self._live = self._new_live()
            self._live.start()
        text = self._blocks.pending
        self._live.update(_Unread(lambda: self._markdown(text)))

    def _new_live(self) -> Live:
        return Live(console=self._console, transient=True, refresh_per_second=REDRAWS_PER_SECOND)

    def _print(self, text: str) -> None:
        if text.strip():
            self._console.print(self._markdown(text))
            self._console.print()

    def _markdown(self, text: str) -> Markdown:
        return Markdown(text, hyperlinks=False, code_theme=self._theme)


class _Unread:
    """Markdown that is read once it is drawn."""

    def __init__(self, markdown: Callable[[], Markdown]) -> None:
        self._markdown = markdown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._markdown()


class Blocks:
    """Cuts a growing text into blocks that nothing can be added to: up to the last blank line outside a fence. Each line is
    looked at once.
    """

    def __init__(self) -> None:
        self.pending = ""
        self._seen = 0  # characters of complete lines in `pending` that were looked at
        self._end = 0  # of the last complete block in `pending`
        self._fence = ""
        self._opener = ""  # the line that opened the fence

    def add(self, text: str) -> str:
        """The blocks that are complete with this text; empty if none is."""
        self.pending += text
        while (newline := self.pending.find("\n", self._seen)) >= 0:
            line, self._seen = self.pending[self._seen : newline + 1], newline + 1
            self._look_at(line)
        if self._end:
            return self._cut(self._end)
        return self._broken() if len(self.pending) > MAX_BLOCK_CHARS else ""

    def _look_at(self, line: str) -> None:
        mark = _FENCE.match(line)
        if self._fence:
            if mark and mark[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
                self._fence = ""
        elif mark:
            self._fence, self._opener = mark[1], line if len(line) < _OPENER_CHARS else f"{mark[1]}\n"
        elif not line.strip():
            self._end = self._seen

    def _broken(self) -> str:
        """A block that is too long ends here, at a line if one ends late enough; a fence goes on in the next one."""
        done = self._cut(self._seen if self._seen > MAX_BLOCK_CHARS // 2 else len(self.pending))
        if self._fence:
            self.pending = self._opener + self.pending
            self._seen = len(self._opener)
            done = f"{done}\n{self._fence}\n"
        return done

    def _cut(self, end: int) -> str:
        done, self.pending = self.pending[:end], self.pending[end:]
        self._seen, self._end = max(self._seen - end, 0), 0
        return done
