"""The box itself: what is typed on top, results, preview, one line of status; keys as in fzf."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.styles import Style

from c2llm_lsp.picker import view
from c2llm_lsp.picker.actions import NoEditorError, open_in_editor, osc52
from c2llm_lsp.picker.searcher import Searcher
from c2llm_lsp.picker.state import PickerState
from c2llm_lsp.query_text import complete, toggled
from c2llm_lsp.render.snippet import anchor_line
from c2llm_lsp.session.events import Busy, Done, Event, Failed, Progress
from c2llm_lsp.session.session import Session
from c2llm_lsp.settings import Settings
from retrieval.engine import Workspace
from retrieval.types import Answer, Hit, Location

WIDE = 120  # columns from which on the preview stands beside the results
ESCAPE_SECONDS = 0.05  # until Esc is known to be the key, and no beginning of a sequence
SCOPE_KEYS = {"d": "folder", "k": "package", "c": "changed", "t": "no-tests"}  # with Alt
STOP_SECONDS = 1.0  # for indexing to stop; what is done is stored


class Box:
    """Runs once, on the thread that calls `run`."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        *,
        typed: str = "",
        show_path: Callable[[str], str] = str,
        folder: str | None = "",
    ) -> None:
        self._workspace, self._show_path = workspace, show_path
        self.state = PickerState()
        self._searcher = Searcher(workspace, settings.results, self._answered, folder)
        self._session = Session(workspace, self._indexing, process_settings=settings)
        self._buffer = Buffer(document=Document(typed), multiline=False, on_text_changed=lambda _: self._search())
        self._app = self._application()

    def run(self) -> Location | None:
        """The line that was chosen with ^O to be printed, if any."""
        self._session.start()
        self._searcher.start()
        try:
            return self._app.run(pre_run=self._search)
        finally:
            self._searcher.stop()
            self._session.stop(STOP_SECONDS)

    # -- what comes from other threads --------------------------------------------------------------------------------

    def _answered(self, typed: str, answer: Answer | Exception | None) -> None:
        self._soon(lambda: self.state.show(typed, answer))

    def _indexing(self, event: Event) -> None:
        def show() -> None:
            self.state.work = work(event)
            if isinstance(event, Done):
                self._search()

        self._soon(show)

    def _soon(self, change: Callable[[], None]) -> None:
        """Change the state on the box's own thread, and draw it."""

        def changed() -> None:
            change()
            self._app.invalidate()

        if (loop := self._app.loop) is not None and not loop.is_closed():
            loop.call_soon_threadsafe(changed)

    def _search(self) -> None:
        self.state.message = ""
        self._searcher.search(self._buffer.text)

    # -- what is drawn ------------------------------------------------------------------------------------------------

    def _application(self) -> Application[Location]:
        wide = Condition(lambda: self._size().columns >= WIDE)
        typed = BufferControl(self._buffer, input_processors=[BeforeInput("? ", style="class:name")])
        results, preview = self._window(self._results, 0), self._window(self._preview, 1)
        line = Window(char="─", height=1, style="class:dim")
        body = HSplit(
            [
                ConditionalContainer(VSplit([results, Window(char="│", width=1, style="class:dim"), preview]), wide),
                ConditionalContainer(HSplit([results, line, preview]), ~wide),
            ]
        )
        status = Window(
            FormattedTextControl(lambda: view.status_row(self.state, self._size().columns)), height=1, wrap_lines=False
        )
        plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        app = Application[Location](
            layout=Layout(HSplit([Window(typed, height=1), body, status]), focused_element=typed),
            key_bindings=self._keys(),
            style=Style.from_dict(view.STYLE),
            color_depth=ColorDepth.DEPTH_1_BIT if plain else None,
            full_screen=True,
            input=create_input(always_prefer_tty=True),
            output=create_output(always_prefer_tty=True),
        )
        app.ttimeoutlen = app.timeoutlen = ESCAPE_SECONDS
        return app

    def _window(self, text: Callable[[], StyleAndTextTuples], number: int) -> Window:
        def width() -> Dimension:
            return Dimension.exact(self._rooms()[number][0])

        def height() -> Dimension:
            return Dimension.exact(self._rooms()[number][1])

        return Window(FormattedTextControl(text), wrap_lines=False, width=width, height=height)

    def _size(self) -> Size:
        return self._app.output.get_size()

    def _rooms(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Columns and rows of the results and of the preview."""
        size = self._size()
        height = max(size.rows - 2, 2)
        if size.columns >= WIDE:
            left = size.columns // 2
            return (left, height), (size.columns - left - 1, height)
        top = (height - 1) // 2
        return (size.columns, max(top, 1)), (size.columns, max(height - 1 - top, 1))

    def _results(self) -> StyleAndTextTuples:
        return view.result_rows(self.state, *self._rooms()[0], self._show_path)

    def _preview(self) -> StyleAndTextTuples:
        return view.preview_rows(self.state, *self._rooms()[1], self._show_path)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        state = self.state

        def bind(action: Callable[[KeyPressEvent], None], *names: str) -> None:
            def run(event: KeyPressEvent) -> None:
                state.message = ""
                action(event)

            for name in names:
                keys.add(name)(run)

        bind(lambda _: state.move(-1), "up", "c-p", "c-k")
        bind(lambda _: state.move(1), "down", "c-n", "c-j")
        bind(lambda _: state.move(-10), "pageup")
        bind(lambda _: state.move(10), "pagedown")
        bind(lambda _: self._scroll(-3), "s-up")
        bind(lambda _: self._scroll(3), "s-down")
        bind(lambda _: self._open(), "enter")
        bind(lambda _: self._copy(), "c-y")
        bind(self._print, "c-o")
        bind(lambda _: self._complete(), "tab")
        for letter, scope in SCOPE_KEYS.items():
            keys.add("escape", letter)(partial(self._toggle_scope, scope))
        bind(lambda _: self._toggle_help(), "f1")
        bind(self._leave, "escape")
        bind(lambda event: event.app.exit(result=None), "c-c", "c-g")
        return keys

    def _leave(self, event: KeyPressEvent) -> None:
        if self.state.help:
            self.state.help = False
        else:
            event.app.exit(result=None)

    def _scroll(self, lines: int) -> None:
        self.state.scroll += lines

    def _open(self) -> None:
        if (hit := self.state.hit) is None:
            return
        path, line = self._workspace.root / hit.chunk.path, anchor_line(hit)

        def edit() -> None:
            try:
                open_in_editor(path, line)
            except (NoEditorError, OSError) as error:
                self.state.message = str(error)
            self._session.rescan("the editor was left")

        run_in_terminal(edit)

    def _copy(self) -> None:
        if hit := self.state.hit:
            self._app.output.write_raw(osc52(self._place(hit)))
            self._app.output.flush()
            self.state.message = f"Copied {self._place(hit)}"

    def _print(self, event: KeyPressEvent) -> None:
        if hit := self.state.hit:
            line = anchor_line(hit)
            event.app.exit(result=Location(hit.chunk.path, line, line))

    def _place(self, hit: Hit) -> str:
        return f"{self._show_path(hit.chunk.path)}:{anchor_line(hit)}"

    def _complete(self) -> None:
        before = self._buffer.document.text_before_cursor
        text, candidates = complete(before, tuple(self._workspace.status().languages))
        self._buffer.document = Document(text + self._buffer.document.text_after_cursor, len(text))
        self.state.message = "  ".join(candidates)

    def _toggle_scope(self, scope: str, _: KeyPressEvent) -> None:
        text = toggled(self._buffer.text, scope)
        self._buffer.document = Document(text, len(text))

    def _toggle_help(self) -> None:
        self.state.help = not self.state.help


def work(event: Event) -> str:
    """What indexing is doing, in a few words; "" when it is done."""
    match event:
        case Progress():
            share = f" {100 * event.done // event.total} %" if event.total else ""
            return f"indexing{share}" if event.stage != "scan" else ""
        case Busy():
            return "another process is indexing"
        case Failed():
            return "indexing failed; see `c2llm doctor`"
    return ""
