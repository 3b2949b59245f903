from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from retrieval.search.merging import GAP, MAX_LINES, MERGED, merge
from retrieval.search.ranking import Ranked
from retrieval.types import Chunk


def hit(path: str, start: int, end: int) -> Ranked:
    return Ranked(start, Chunk(path, "python", "function", "f", "", start, end, 0, 0, "x"))


def spans(*hits: Ranked) -> list[tuple[str, int, int]]:
    return [(s.best.chunk.path, s.start_line, s.end_line) for s in merge(hits)]


def test_neighbours_of_one_file_become_one_at_the_better_place() -> None:
    assert spans(hit("a", 11, 20), hit("b", 1, 5), hit("a", 1, 10)) == [("a", 1, 20), ("b", 1, 5)]


def test_a_hit_inside_another_disappears() -> None:
    assert spans(hit("a", 1, 300), hit("a", 5, 9)) == [("a", 1, 300)]


def test_hits_far_apart_stay_apart() -> None:
    assert len(spans(hit("a", 1, 10), hit("a", 11 + GAP, 20))) == 2


def test_merging_does_not_swallow_a_file() -> None:
    assert len(spans(hit("a", 1, 100), hit("a", 101, 100 + MAX_LINES))) == 2


def test_what_ranks_low_makes_no_better_hit_longer() -> None:
    others = [hit(f"other{n}", 1, 5) for n in range(MERGED)]
    found = spans(hit("a", 1, 10), *others, hit("a", 11, 20), hit("a", 3, 4))
    assert (found[0], found[-1], len(found)) == (("a", 1, 10), ("a", 11, 20), MERGED + 2)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 60), st.integers(0, 30)), max_size=12))
def test_every_line_that_was_found_is_still_shown(found: list[tuple[str, int, int]]) -> None:
    hits = [hit(path, start, start + length) for path, start, length in found]
    shown = {(s.best.chunk.path, line) for s in merge(hits) for line in range(s.start_line, s.end_line + 1)}
    for h in hits:
        assert {(h.chunk.path, line) for line in range(h.chunk.start_line, h.chunk.end_line + 1)} <= shown
