"""`c2llm chat`: a conversation about the code. A follow-up is searched for as a question that stands alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.answering import (
    Events,
    Llm,
    Output,
    QuestionBudget,
    Reader,
    answer,
    conversation_over,
    write_json,
)
from c2llm_lsp.cli.common import (
    ERROR,
    FOUND,
    complain,
    guarded,
    locate,
    open_workspace,
    remark,
    stdout_is_terminal,
    tell,
)
from c2llm_lsp.render.error_messages import error_message
from c2llm_lsp.render.freshness import nothing_packed
from retrieval.errors import C2llmError, QueryError, StoreError

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.rag.conversation import Conversation, Question

app = typer.Typer(add_completion=False)

MAX_LINE = 100_000  # characters of a question on standard input
PROMPT = "? "
HELP = """/context  what the model was given for the last question
/clear    forget the conversation
/quit     leave, as does Ctrl-D; Ctrl-C ends an answer"""


@app.command()
@guarded
def chat(
    path: options.WorkspacePath = None,
    llm: Llm = None,
    budget: QuestionBudget = None,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    kinds: options.Kinds = None,
    code_only: options.CodeOnly = False,
    as_json: options.AsJson = False,
    events: Events = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Talk about the code with a language model: as `ask`, with follow-up questions.

    /context shows what the model was given, /clear forgets the conversation, /quit leaves. Without a terminal each line of standard
    input is a question.
    """
    from retrieval.llm import language_model
    from retrieval.rag import DEFAULT_BUDGET

    target = locate(path, quiet=quiet, encoder=encoder, llm=llm)
    content = options.content(code_only=code_only, docs=False, config=False)
    filters = options.filters(options.FilterOptions(globs, languages, kinds, content), root=target.root)
    output: Output = "events" if events else "json" if as_json else "text"
    model = language_model(target.settings.llm)
    with open_workspace(target) as workspace:
        conversation = conversation_over(workspace, model, budget or DEFAULT_BUDGET, filters)
        return Chat(workspace, conversation, Reader(target, output, quiet, None), no_wait=no_wait).run()


class Chat:
    """Reads questions and answers them, until there are no more."""

    def __init__(self, workspace: Workspace, conversation: Conversation, reader: Reader, *, no_wait: bool) -> None:
        self._workspace = workspace
        self._conversation = conversation
        self._reader = reader
        self._no_wait = no_wait
        self._interactive = sys.stdin.isatty() and stdout_is_terminal() and reader.output == "text"
        self._last: Question | None = None

    def run(self) -> int:
        """The exit code: of a conversation without a terminal 2 where a question failed."""
        code = FOUND
        for line in _typed() if self._interactive else _lines():
            text = line.strip()
            if text in ("/quit", "/exit"):
                break
            if text.startswith("/"):
                self._command(text)
            elif text:
                code = max(code, self._ask(text))
        return FOUND if self._interactive else code

    def _ask(self, text: str) -> int:
        try:
            self._refresh()
            self._last = question = self._conversation.prepare(text)
            if not question.packed.context.spans:
                raise QueryError(nothing_packed(question.packed))
            answer(self._conversation, question, self._reader)
        except KeyboardInterrupt:
            if not self._interactive:
                raise
            remark("Ended.")
        except C2llmError as error:
            if self._reader.output == "events":
                write_json({"event": "error", "message": error_message(error)})
            complain(error_message(error))
            return ERROR
        return FOUND

    def _refresh(self) -> None:
        """Files change while people talk; where the index cannot be written, the answer comes from what it has."""
        if not self._no_wait:
            from c2llm_lsp.cli.progress import refresh

            with suppress(StoreError):
                refresh(self._workspace, quiet=self._reader.quiet or self._reader.output != "text")

    def _command(self, text: str) -> None:
        if text == "/context":
            self._show_context()
        elif text == "/clear":
            self._conversation.clear()
            self._last = None
        else:
            for line in HELP.splitlines():
                remark(line)

    def _show_context(self) -> None:
        if self._last is None:
            remark("Nothing was asked yet.")
            return
        context = self._last.packed.context
        remark(f"Searched for: {self._last.query} ({context.tokens:,} of {context.budget:,} tokens)")
        for span in context.spans:
            place = f"{self._reader.target.show(span.path)}:{span.start_line}-{span.end_line}"
            tell(f"{place}  {span.symbol}".rstrip())


def _lines() -> Iterator[str]:
    """The lines of standard input; bytes that are not UTF-8 are replaced."""
    while line := sys.stdin.buffer.readline(MAX_LINE):
        yield line.decode("utf-8", "replace")


def _typed() -> Iterator[str]:
    """What is typed at a terminal, with its history and the keys of a shell. Nothing of it is saved."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import InMemoryHistory

    session: PromptSession[str] = PromptSession(PROMPT, history=InMemoryHistory())
    while True:
        try:
            yield session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
