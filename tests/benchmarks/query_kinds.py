"""Queries of every kind, with all that an answer does: exact words, copies, filters, patterns, lines chosen by meaning."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from c2llm_lsp.cli.bench import percentile
from retrieval.engine import Workspace
from retrieval.types import Filters, SearchRequest, SimilarRequest
from tests.benchmarks.table import Row

OF_A_KIND = 40
DESCRIPTION_WORDS = 200
PATTERNS = ("def .*parse", "TODO", r"raise \w+Error", "import re$", r"class \w+Handler")
FOREIGN = ("データベース 接続", "注意力机制", "학습률", "обработка ошибок", "geprüfte Eingabe")
WARM_UP = "a question before the first that counts"


def requests(workspace: Workspace, questions: Sequence[str]) -> dict[str, list[SearchRequest] | list[SimilarRequest]]:
    """What is asked, by kind; each question comes once in a kind."""
    few = questions[:OF_A_KIND]
    chunks = workspace.store.chunks.get(
        workspace.store.chunks.ids()[:: max(1, workspace.store.chunks.count() // 400)].tolist()
    )
    places = [(chunk.path, chunk.start_line) for chunk in chunks.values() if chunk.symbol][:OF_A_KIND]
    names = list(dict.fromkeys(chunk.symbol for chunk in chunks.values() if len(chunk.symbol) > 3))[:OF_A_KIND]
    words = " ".join(questions).split()
    folder = max({path.split("/")[0] for path, _ in places})
    return {
        "a question": [SearchRequest(text) for text in questions],
        "a name": [SearchRequest(name) for name in names],
        f"a description of {DESCRIPTION_WORDS} words": [
            SearchRequest(" ".join(words[at : at + DESCRIPTION_WORDS]))
            for at in range(0, len(words) - DESCRIPTION_WORDS, DESCRIPTION_WORDS)
        ],
        "quoted words": [SearchRequest(_quoting(text)) for text in few],
        "beyond ASCII": [SearchRequest(text) for text in FOREIGN],
        "a language": [SearchRequest(text, Filters(languages=("python",))) for text in few],
        "a folder": [SearchRequest(text, Filters(paths=(f"{folder}/**",))) for text in few],
        "code only": [SearchRequest(text, Filters(content=("code",))) for text in few],
        "a pattern": [SearchRequest(text, Filters(grep=pattern)) for pattern in PATTERNS for text in few[:4]],
        "highlighted": [SearchRequest(text, highlight=True) for text in few],
        "similar code": [SimilarRequest(path=path, first_line=line) for path, line in places],
    }


def _quoting(text: str) -> str:
    """A question with its first two plain words quoted."""
    match = re.search(r"[A-Za-z]+ [a-z]+", text)
    return text if match is None else f'"{match[0]}" {text[match.end() :]}'


def measured(workspace: Workspace, questions: Sequence[str]) -> Iterator[Row]:
    """A row a kind; the note has the 95th percentile, and the CPU time, which other work on the machine alters less."""
    workspace.search(SearchRequest(WARM_UP))
    for kind, asked in requests(workspace, questions).items():
        took, cpu = [], []
        for request in asked:
            started, before = time.perf_counter(), time.process_time()
            if isinstance(request, SimilarRequest):
                workspace.similar(request)
            else:
                workspace.search(request)
            took.append(1e3 * (time.perf_counter() - started))
            cpu.append(1e3 * (time.process_time() - before))
        if took:
            note = (
                f"95th percentile {percentile(sorted(took), 95):.1f}; CPU {percentile(sorted(cpu), 50):.1f} "
                f"and {percentile(sorted(cpu), 95):.1f} ms; {len(took)} queries"
            )
            yield Row(f"query of a kind: {kind}, median", percentile(sorted(took), 50), "ms", None, False, note=note)
