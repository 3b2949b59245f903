"""What is not in the index and might hold what a query did not find."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from retrieval.indexing.pipeline import LEFT_OUT_KEY, SKIPPED_KEY
from retrieval.store import Store
from retrieval.types import Hit

# Reasons for which a file is left out that people may look for; secrets, binaries, links and the like are none.
_TELLING = {
    "too large": "too large (max_file_bytes)", "generated": "generated", "minified": "minified", "build output": "build output",
    "vendored": "vendored", "bundled": "bundled", "translations": "translations", "data": "data", "ignored": "ignored",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]{3,40}")
_NAMED = 3  # files at most that are named


def left_out_note(store: Store, query: str, has_hits: bool) -> str | None:
    """One sentence on files that were left out, naming those whose path has a word of the query; None without any. That
    some are ignored goes without saying where there are hits.
    """
    counts: Counter[str] = Counter(json.loads(str(store.meta.get(SKIPPED_KEY) or "{}")))
    counts.update(store.files.skip_counts())
    told = [f"{counts[reason]:,} {text}" for reason, text in _TELLING.items() if counts[reason]]
    if not told or (has_hits and told == [f"{counts['ignored']:,} ignored"]):
        return None
    left_out = dict(json.loads(str(store.meta.get(LEFT_OUT_KEY) or "{}")))
    left_out.update((path, reason) for path, reason in store.files.skipped().items() if reason in _TELLING)
    words = {word.lower() for word in _WORD.findall(query)}
    named = sorted(path for path in left_out if words.intersection(map(str.lower, _WORD.findall(path))))[:_NAMED]
    examples = "".join(f", {path} ({left_out[path]})" for path in named)
    return f"Not indexed: {', '.join(told)}{'; among them' + examples[1:] if named else ''}. c2llm index --skipped lists them."


def is_weak(hits: Iterable[Hit]) -> bool:
    """Whether no hit holds any word of the query."""
    for hit in hits:
        text = hit.text.lower()
        if any(term.lower() in text for term in hit.terms):
            return False
    return True
