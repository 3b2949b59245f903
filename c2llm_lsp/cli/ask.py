"""`c2llm ask`: a question about the code, answered by a language model that cites the lines it read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

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
from c2llm_lsp.cli.common import FOUND, INTERRUPTED, NOTHING, guarded, locate, open_workspace, remark
from c2llm_lsp.cli.search import current
from c2llm_lsp.render.freshness import nothing_packed
from retrieval.errors import LanguageModelError, QueryError
from retrieval.types import Filters

if TYPE_CHECKING:
    from retrieval.engine import Workspace

app = typer.Typer(add_completion=False)

Query = Annotated[str, typer.Argument(metavar="QUESTION", help="What to explain, in any language.")]


@app.command()
@guarded
def ask(
    question: Query,
    path: options.WorkspacePath = None,
    llm: Llm = None,
    budget: QuestionBudget = None,
    globs: options.PathGlobs = None,
    languages: options.Languages = None,
    kinds: options.Kinds = None,
    code_only: options.CodeOnly = False,
    docs: options.Docs = False,
    config: options.Config = False,
    as_json: options.AsJson = False,
    events: Events = False,
    no_wait: options.NoWait = False,
    encoder: options.Encoder = None,
    quiet: options.Quiet = False,
) -> int:
    """Answer a question about the code with a language model, citing the lines it is from.

    The model of the setting `llm` gets the question and the code that it needs, and nothing else. A citation of lines that it was
    not given is marked, and one whose lines have changed since.
    """
    if not question.strip():
        raise QueryError("The question is empty; ask in a few words what you want to know.")
    target = locate(path, quiet=quiet, encoder=encoder, llm=llm)
    content = options.content(code_only=code_only, docs=docs, config=config)
    filters = options.filters(options.FilterOptions(globs, languages, kinds, content), root=target.root)
    output: Output = "events" if events else "json" if as_json else "text"
    reader = Reader(target, output, quiet)
    from retrieval.rag import DEFAULT_BUDGET

    try:
        with open_workspace(target) as workspace:
            if not current(workspace, no_wait=no_wait, quiet=quiet or output == "events"):
                return INTERRUPTED
            return _ask(workspace, question, budget or DEFAULT_BUDGET, filters, reader)
    except Exception as error:
        if events:
            from c2llm_lsp.render.error_messages import error_message

            write_json({"event": "error", "message": error_message(error)})
        raise


def _ask(workspace: Workspace, question: str, budget: int, filters: Filters, reader: Reader) -> int:
    from retrieval.llm import NOT_SET, language_model

    setting = reader.target.settings.llm
    if not setting.strip():
        if reader.output != "text":
            raise LanguageModelError(NOT_SET)
        return _print_context(workspace, question, budget, filters)
    conversation = conversation_over(workspace, language_model(setting), budget, filters)
    prepared = conversation.prepare(question)
    if not prepared.packed.context.spans:
        if reader.output != "text":
            raise QueryError(nothing_packed(prepared.packed))
        remark(nothing_packed(prepared.packed))
        return NOTHING
    answer(conversation, prepared, reader)
    return FOUND


def _print_context(workspace: Workspace, question: str, budget: int, filters: Filters) -> int:
    """Without a language model: what it would get, and what to set."""
    from retrieval.llm import NOT_SET
    from retrieval.rag import ContextRequest, context

    packed = context(workspace, ContextRequest(question, filters=filters, budget=budget))
    if not packed.context.spans:
        remark(nothing_packed(packed))
        remark(NOT_SET)
        return NOTHING
    sys.stdout.buffer.write(f"{packed.context.text}\n".encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
    remark(f"{NOT_SET} Above is the code that it would get.")
    return FOUND
