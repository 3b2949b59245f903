"""`c2llm evaluate tokens`: how much an assistant has read of what is asked for within a budget of tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.common import FOUND, guarded, remark, tell
from c2llm_lsp.cli.evaluate_search import Benches, CacheDir, Only, Trees, chosen_benchmarks, evaluation_folder

if TYPE_CHECKING:
    from retrieval.engine import Workspace
    from retrieval.evaluation.question_metrics import Result
    from retrieval.evaluation.token_recall import Packer, TokenRecall
    from retrieval.rag import TokenCounter


@guarded
def tokens(
    benches: Benches,
    trees: Trees = None,
    only: Only = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Embedding model.")] = "embedded",
    tokenizer: Annotated[
        str, typer.Option("--tokenizer", metavar="NAME|FILE", help="Whose tokens are counted, or estimate.")
    ] = "cl100k_base",
    cache_dir: CacheDir = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Recall within 500 to 8,000 tokens: packed context, plain results, and grep with whole files read.

    The share of the annotated places that are shown, mean over questions, and the mean tokens until the first of them.
    """
    from retrieval.encoders import load
    from retrieval.evaluation.token_recall import token_recall
    from retrieval.rag.token_count import token_count

    count = token_count(tokenizer).count
    benchmarks = chosen_benchmarks(benches, trees, only)
    cache = cache_dir or evaluation_folder()
    loaded, rows = load(encoder), []
    for benchmark in benchmarks:
        progress = (lambda _: None) if quiet else remark
        rows += token_recall(benchmark, loaded, cache, count, {"packed": _packer(count)}, progress)
    if as_json:
        tell_json(rows)
    else:
        for line in table(rows):
            tell(line)
    return FOUND


def _packer(count: TokenCounter) -> Packer:
    from retrieval.evaluation.question_metrics import Result
    from retrieval.rag import ContextRequest, context

    def pack(workspace: Workspace, query: str, budget: int) -> list[Result]:
        packed = context(workspace, ContextRequest(query, budget=budget), count=count)
        return [Result(span.path, first, last) for span in packed.context.spans for first, last in span.shown]

    return pack


def table(rows: Sequence[TokenRecall]) -> Iterator[str]:
    """The figures as text."""
    for row in rows:
        figures = "  ".join(f"{budget:,}: {value:.3f}" for budget, value in row.recall.items())
        first = "" if row.first_hit is None else f"  first after {row.first_hit:,.0f} tokens"
        yield f"{row.benchmark:<12} {row.reader:<10} {figures}{first}"


def tell_json(rows: Sequence[TokenRecall]) -> None:
    typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
