"""Markdown that comes in pieces, as a language model writes it, at a terminal.

A block (paragraph, list, fence) is drawn again as it grows and printed for good when the next one begins: what stands above is
never touched, however long the answer gets. The text is untrusted: controls are escaped before Markdown is read, and a link shows
its address and cannot be clicked, because a repository may have a model write one.
"""

from __future__ import annotations

import re
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from c2llm_lsp.render.escape import escape_block

REDRAWS_PER_SECOND = 8
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class MarkdownStream:
    """A context; leaving it, by whatever way, prints what is left and gives the terminal back as it was."""

    def __init__(self, console: Console, code_theme: str) -> None:
        self._console = console
        self._theme = code_theme
        self._pending = ""
        self._live = self._new_live()

    def __enter__(self) -> MarkdownStream:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        self._print(self._pending)

    def write(self, piece: str) -> None:
        """Show more of the text."""
        self._pending += escape_block(piece.replace("\r", ""))
        end = complete_blocks(self._pending)
        if end:
            done, self._pending = self._pending[:end], self._pending[end:]
            self._live.update("", refresh=True)
            self._live.stop()
            self._print(done)
            self._live = self._new_live()
            self._live.start()
        self._live.update(self._markdown(self._pending))

    def _new_live(self) -> Live:
        return Live(console=self._console, transient=True, refresh_per_second=REDRAWS_PER_SECOND)

    def _print(self, text: str) -> None:
        if text.strip():
            self._console.print(self._markdown(text))
            self._console.print()

    def _markdown(self, text: str) -> Markdown:
        return Markdown(text, hyperlinks=False, code_theme=self._theme)


def complete_blocks(text: str) -> int:
    """How many characters from the start are blocks that nothing can be added to: up to the last blank line outside a fence."""
    end = position = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        position += len(line)
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
        elif line.endswith("\n") and not line.strip():
            end = position
    return end
