"""What the box shows: the answer, the selected result, the preview's first line. No terminal, no threads."""

from __future__ import annotations

from dataclasses import dataclass, field

from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.render.snippet import anchor_line
from retrieval.types import NOTHING_CERTAIN, Answer, Hit

CONTEXT = 3  # lines above the line that answers, at the top of the preview


@dataclass(slots=True)
class PickerState:
    """Changed by the box alone, on its own thread."""

    typed: str = ""  # what `answer` or `problem` is about
    answer: Answer | None = None
    problem: str = ""  # why there is no answer
    selected: int = 0
    moved: bool = False  # whether the user chose the row; else it stays on the best one
    scroll: int = 0  # lines that the preview is moved by
    work: str = ""  # what indexing is doing
    message: str = ""  # about the last key, until the next one
    help: bool = False
    pending: bool = field(default=False)  # whether an answer to something newer is on its way

    @property
    def hits(self) -> tuple[Hit, ...]:
        return self.answer.hits if self.answer else ()

    @property
    def hit(self) -> Hit | None:
        return self.hits[self.selected] if self.hits else None

    @property
    def uncertain(self) -> bool:
        """Whether the answer says of itself that nothing certain was found."""
        return self.answer is not None and NOTHING_CERTAIN in self.answer.notes

    def show(self, typed: str, answer: Answer | Exception | None) -> None:
        """Take an answer, or why there is none. A row that the user chose stays selected in a newer answer to the same words."""
        chosen = self.hit if self.moved and typed == self.typed else None
        self.typed, self.problem, self.pending = typed, "", False
        if isinstance(answer, Exception):
            self.problem, self.answer = error_message(answer), None
        else:
            self.answer = answer
        kept = [n for n, hit in enumerate(self.hits) if chosen and _place(hit) == _place(chosen)]
        self.moved, self.selected = bool(kept), kept[0] if kept else 0
        self.scroll = self.scroll if kept else 0

    def move(self, rows: int) -> None:
        """Select another row; the first and the last are the ends."""
        if self.hits:
            self.selected = min(max(self.selected + rows, 0), len(self.hits) - 1)
            self.moved, self.scroll = True, 0

    def preview_start(self, height: int) -> int:
        """The first line of the preview, such that the line that answers is near its top and no room is wasted."""
        hit = self.hit
        if hit is None:
            return 0
        last = max(hit.end_line - height + 1, hit.start_line)
        start = min(max(anchor_line(hit) - CONTEXT, hit.start_line), last)
        moved = min(max(start + self.scroll, hit.start_line), last)
        self.scroll = moved - start
        return moved


def _place(hit: Hit) -> tuple[str, int]:
    return hit.chunk.path, hit.start_line
