"""What `ask` and `chat` share: a conversation over a workspace, and its answers in the form that suits who reads them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from c2llm_lsp.cli.common import Target, remark, stdout_colors, stdout_is_terminal
from c2llm_lsp.render.escape import escape_block
from c2llm_lsp.render.freshness import freshness_notes
from retrieval.types import Filters

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.llm import ChatModel
    from retrieval.rag.context import PackedContext
    from retrieval.rag.conversation import Conversation, Question

Output = Literal["text", "json", "events"]
QuestionBudget = Annotated[
    int | None, typer.Option("--budget", "-b", min=1, help="Tokens of code per question.", show_default="4000")
]
Llm = Annotated[str | None, typer.Option("--llm", help="Language model for this command.", show_default=False)]
Events = Annotated[
    bool, typer.Option("--events", help="Print JSON lines while the answer comes: context, text and done, or error.")
]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the answers."""

    target: Target
    output: Output = "text"
    quiet: bool = False
    indent: int | None = 2  # of a JSON object; None where each is one line


def conversation_over(workspace: Workspace, model: ChatModel, budget: int, filters: Filters) -> Conversation:
    """A conversation whose code comes from the live index."""
    from retrieval.rag import ContextRequest, context, estimate_tokens
    from retrieval.rag.cited_lines import lines_on_disk
    from retrieval.rag.conversation import Conversation, count_numbered

    def retrieve(query: str) -> PackedContext:
        request = ContextRequest(query, filters=filters, budget=budget)
        return context(workspace, request, count=count_numbered(estimate_tokens))

    return Conversation(retrieve, model, lambda path: lines_on_disk(workspace.root, path))


def answer(conversation: Conversation, question: Question, reader: Reader) -> None:
    """Write the answer as it comes, then its citations. Raises LanguageModelError."""
    if reader.output == "text":
        _answer_text(conversation, question, reader)
        return
    events = reader.output == "events"
    if events:
        write_json({"event": "context"} | _context(question))
    pieces: list[str] = []
    with closing(conversation.answer(question)) as stream:
        for piece in stream:
            pieces.append(piece)
            if events:
                write_json({"event": "text", "text": piece})
    text = "".join(pieces)
    done: dict[str, Any] = {"model": conversation.model.name, "citations": _citations(conversation, text)}
    if events:
        write_json({"event": "done"} | done)
    else:
        whole = {"schema_version": 1, "root": str(reader.target.root), "question": question.text, "answer": text}
        write_json(whole | done | {"context": _context(question)}, indent=reader.indent)


def write_json(value: dict[str, Any], indent: int | None = None) -> None:
    """One object; halves of surrogate pairs are escaped as JSON does."""
    typer.echo(json.dumps(value, indent=indent))
    sys.stdout.flush()


def _answer_text(conversation: Conversation, question: Question, reader: Reader) -> None:
    from c2llm_lsp.render.cited import citations_markdown, print_citations

    target = reader.target
    pieces: list[str] = []
    if not stdout_is_terminal():
        with closing(conversation.answer(question)) as stream:
            for piece in stream:
                pieces.append(piece)
                _write(escape_block(piece.replace("\r", "")))
        _write("\n" + citations_markdown(conversation.citations("".join(pieces)), target.show))
    else:
        with _terminal_stream() as (console, write), closing(conversation.answer(question)) as stream:
            for piece in stream:
                pieces.append(piece)
                write(piece)
        citations = conversation.citations("".join(pieces))
        print_citations(console, citations, root=target.root, link=target.settings.link, show_path=target.show)
    if not reader.quiet:
        packed = question.packed
        for line in (*packed.notes, *freshness_notes(packed.freshness)):
            remark(line)


@contextmanager
def _terminal_stream() -> Iterator[Any]:
    """The console, and what writes Markdown to it."""
    from rich.console import Console

    from c2llm_lsp.render.markdown_stream import MarkdownStream
    from c2llm_lsp.render.terminal import THEME

    console = Console(highlight=False, no_color=not stdout_colors() or None)
    with MarkdownStream(console, THEME) as stream:
        yield console, stream.write


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def _citations(conversation: Conversation, text: str) -> list[dict[str, Any]]:
    from c2llm_lsp.render.cited import citation_dict

    return [citation_dict(citation) for citation in conversation.citations(text)]


def _context(question: Question) -> dict[str, Any]:
    context = question.packed.context
    pieces = [
        {"path": span.path, "start_line": span.start_line, "end_line": span.end_line, "symbol": span.symbol}
        for span in context.spans
    ]
    return {"query": question.query, "tokens": context.tokens, "budget": context.budget, "pieces": pieces}
