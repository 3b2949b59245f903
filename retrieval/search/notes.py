"""What a reader should know about an answer: that what was quoted, or the words that tell the most, are nowhere."""

from __future__ import annotations

from retrieval.search.query import Query
from retrieval.search.statistics import TermStatistics

# A word in more chunks than this share, and than so many, tells little: that it occurs is no comfort where no other word does.
TELLING_SHARE, TELLING_CHUNKS = 0.02, 5
# Words that are named in a note.
MOST_NAMED = 5


def notes_on(query: Query, statistics: TermStatistics, quoted: int | None) -> tuple[str, ...]:
    """`quoted` are the chunks that hold what the query quotes, None where it quotes nothing."""
    if quoted == 0:
        texts = " and ".join(f'"{text}"' for text in query.quoted)
        return (f"Nothing contains {texts} as it is written; these results are for its words.",)
    rarest = {
        word: min((n for term in terms if (n := statistics.frequencies.get(term, 0))), default=0)
        for word, terms in query.words
    }
    missing = [word for word, n in rarest.items() if not n]
    most = max(TELLING_CHUNKS, TELLING_SHARE * statistics.chunks)
    if not missing or not statistics.chunks or any(0 < n <= most for n in rarest.values()):
        return ()
    return (f"No indexed file contains {', '.join(missing[:MOST_NAMED])}; these results are the nearest in meaning.",)
