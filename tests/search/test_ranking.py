from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrieval.search.candidates import Candidates, last_part, scale, select_terms
from retrieval.search.query import parse
from retrieval.search.ranking import QueryOverlap, Ranked, rank
from retrieval.search.weights import (
    DEFAULT,
    DESCRIPTION,
    LONG,
    RANKINGS,
    SIGNALS,
    Ranking,
    Weights,
    ranking_named,
    without_signal,
)
from retrieval.store import Header, stem
from retrieval.types import Chunk


def chunk(path: str, symbol: str = "", line: int = 1, language: str = "python") -> Chunk:
    return Chunk(path, language, "function", symbol, "", line, line + 9, 0, 0, "text")


def ranked(query: str, rows: list[tuple[Chunk, float, float]], k: int = 10, weights: Weights = DEFAULT) -> list[Ranked]:
    """Rank chunks given with their dense and lexical scores."""
    parsed = parse(query)
    names = {last_part(n).lower() for n in parsed.names}
    candidates = Candidates(
        ids=np.arange(len(rows), dtype=np.int64),
        dense=np.array([d for _, d, _ in rows], dtype=np.float32),
        lexical=np.array([w for _, _, w in rows], dtype=np.float32),
        coverage=np.array([w for _, _, w in rows], dtype=np.float32),
        named={n: c.symbol for n, (c, _, _) in enumerate(rows) if c.symbol.lower() in names},
    )
    chunks = dict(enumerate(c for c, _, _ in rows))
    return rank(candidates, chunks, parsed, dict.fromkeys(parsed.terms, 1.0), weights)[:k]


def paths(query: str, *rows: tuple[Chunk, float, float]) -> list[str]:
    return [r.chunk.path for r in ranked(query, list(rows))]


def test_the_definition_comes_before_its_uses() -> None:
    order = paths("HandlerStack", (chunk("use.py", "run"), 0.9, 0.9), (chunk("stack.py", "HandlerStack"), 0.4, 0.5))
    assert order == ["stack.py", "use.py"]


def test_a_name_in_its_own_case_beats_another_case() -> None:
    order = paths("View", (chunk("a.py", "view"), 0.5, 0.5), (chunk("b.py", "View"), 0.5, 0.5))
    assert order == ["b.py", "a.py"]


def test_code_comes_before_the_tests_of_it() -> None:
    assert paths("redirect loop", (chunk("tests/test_x.py"), 0.9, 0.9), (chunk("x.py"), 0.8, 0.8))[0] == "x.py"


def test_tests_are_not_pushed_down_when_they_are_asked_for() -> None:
    assert paths("test redirect loop", (chunk("tests/test_x.py"), 0.9, 0.9), (chunk("x.py"), 0.8, 0.8))[0] != "x.py"


def test_documents_are_not_pushed_down_when_they_are_asked_for() -> None:
    rows = ((chunk("docs/retries.md", language="markdown"), 0.9, 0.9), (chunk("x.py"), 0.8, 0.6))
    assert paths("documentation of retries", *rows)[0] == "docs/retries.md"
    assert paths("generate documentation of retries", *rows)[0] == "x.py"


def test_documents_that_alone_have_words_of_the_query_are_not_pushed_down() -> None:
    document = chunk("docs/manual.md", language="markdown")
    assert paths("threaded machine", (document, 0.9, 0.9), (chunk("x.py"), 0.8, 0.0))[0] == "docs/manual.md"
    assert paths("threaded machine", (document, 0.9, 0.9), (chunk("x.py"), 0.8, 0.6))[0] == "x.py"
    assert paths("threaded machine", (document, 0.9, 0.0), (chunk("x.py"), 0.8, 0.0))[0] == "x.py"


def test_the_definition_of_a_name_comes_before_a_file_full_of_its_uses() -> None:
    uses = [chunk("uses.cpp", f"use{n}", line=1 + 10 * n, language="cpp") for n in range(4)]
    defining = chunk("Hauler.h", "UHauler", language="cpp")
    parsed = parse("UHauler")
    candidates = Candidates(
        ids=np.arange(5, dtype=np.int64),
        dense=np.array([1.0, 1.0, 1.0, 1.0, 0.7], dtype=np.float32),
        lexical=np.array([1.0, 1.0, 1.0, 1.0, 0.7], dtype=np.float32),
        coverage=np.ones(5, dtype=np.float32),
        named={4: "UHauler"},
        exact=dict.fromkeys(range(5), 1.0),
    )
    best = rank(candidates, dict(enumerate([*uses, defining])), parsed, dict.fromkeys(parsed.terms, 1.0), DEFAULT)[0]
    assert best.chunk is defining


def test_the_files_name_counts() -> None:
    assert paths("option parsing", (chunk("core.py"), 0.6, 0.6), (chunk("parser.py"), 0.5, 0.5))[0] == "parser.py"


def test_one_file_does_not_fill_the_list() -> None:
    rows = [(chunk("big.py", line=1 + 50 * n), 0.9 - n / 100, 0.9) for n in range(8)]
    order = paths("anything", *rows, (chunk("small.py"), 0.7, 0.7))
    assert "small.py" in order[:3]


def test_ties_go_by_path_and_line() -> None:
    rows = [(chunk("b.py"), 0.5, 0.5), (chunk("a.py", line=20), 0.5, 0.5), (chunk("a.py", line=5), 0.5, 0.5)]
    first, *_ = ranked("nothing shared", rows)
    assert (first.chunk.path, first.chunk.start_line) == ("a.py", 5)


def test_the_signals_add_up_to_the_score() -> None:
    rows = [(chunk("tests/test_parser.py", "parse"), 0.9, 0.3), (chunk("parser.py", "Parser"), 0.5, 0.5)]
    for r in ranked("option parser", rows):
        assert r.score == pytest.approx(sum(s.effect for s in r.signals))


def test_a_chunk_deleted_meanwhile_is_left_out() -> None:
    candidates = Candidates(np.array([7]), *(np.ones(1, np.float32) for _ in range(3)), {})
    assert rank(candidates, {}, parse("gone"), {"gon": 1.0}, DEFAULT) == []


def test_overlap_is_one_only_for_the_same_words() -> None:
    wanted = QueryOverlap({stem("option"): 1.0, stem("parser"): 1.0})
    assert wanted.mean("OptionParser") == 1.0
    assert 0 < wanted.mean("Parser") < wanted.mean("ParserOption")
    assert wanted.recall("a/option_parser/b") == 1.0
    assert wanted.mean("") == wanted.recall("") == QueryOverlap({}).mean("Option") == 0.0


def test_common_terms_go_where_rarer_ones_are_left() -> None:
    assert select_terms(["self", "redirect"], {"self": 9_000, "redirect": 3}, 10_000) == ["redirect"]
    assert select_terms(["self"], {"self": 9_000}, 10_000) == ["self"]
    assert select_terms(["nowhere"], {}, 10_000) == []


def test_scaling_maps_floor_to_0_and_best_to_1() -> None:
    scaled = scale(np.array([0.2, 0.6, 1.0, np.nan], dtype=np.float32), floor=0.2)
    assert scaled.tolist() == pytest.approx([0.0, 0.5, 1.0, 0.0])


def test_every_ranking_but_the_full_one_uses_base_scores_alone() -> None:
    assert RANKINGS["full"] == Ranking(DEFAULT, LONG, DESCRIPTION)
    query = parse("where is this said")
    base_only = {
        name
        for name, ranking in RANKINGS.items()
        for weights in [ranking.weights(query)]
        if weights.definition == weights.symbol == weights.file == weights.coverage == weights.neighbor == 0.0
    }
    assert base_only == {"fused", "dense", "words"}


def test_a_description_weighs_words_more_and_holds_a_files_further_hits_back_less() -> None:
    ranking = RANKINGS["full"]
    short = ranking.weights(parse("redirect loop"))
    middle = ranking.weights(parse("redirect loop ends connection pool"))
    long = ranking.weights(parse("redirect loop ends connection pool early while server closes socket"))
    text = "redirect loop ends connection pool early while server closes socket and proxy keeps header of first request"
    assert (short, ranking.weights(parse(text))) == (DEFAULT, DESCRIPTION)
    assert short.lexical < middle.lexical < long.lexical
    assert short.repeat == middle.repeat < long.repeat < DESCRIPTION.repeat


def test_what_describes_a_change_is_weighed_as_a_description_however_short_it_is() -> None:
    ranking = RANKINGS["full"]
    assert ranking.weights(parse("fix redirect loop")) == DESCRIPTION
    assert ranking.weights(parse("how does the redirect loop not crash")).repeat == DEFAULT.repeat


def test_a_description_shows_several_places_of_one_file() -> None:
    rows = [(chunk("big.py", line=1 + 50 * n), 0.9 - n / 100, 0.9) for n in range(4)]
    rows += [(chunk(f"other{n}.py"), 0.55, 0.55) for n in range(4)]
    words = "redirect loop ends connection pool early when server closes socket"
    description = [r.chunk.path for r in ranked(words, rows, weights=DESCRIPTION)][:4]
    short = [r.chunk.path for r in ranked("redirect loop", rows)][:4]
    assert description.count("big.py") > short.count("big.py") >= 1


def test_a_small_file_about_a_thing_comes_before_a_big_one_with_as_good_a_chunk() -> None:
    rows = {0: chunk("big.py"), 1: chunk("small.py")}
    even = np.array([0.5, 0.5], dtype=np.float32)
    candidates = Candidates(np.arange(2), even, even, even, named={})
    order = rank(candidates, rows, parse("anything"), {"anyth": 1.0}, DEFAULT, {"big.py": 40, "small.py": 1})
    values = {r.chunk.path: [s.value for s in r.signals if s.name == "focus"] for r in order}
    assert ([r.chunk.path for r in order], values) == (["small.py", "big.py"], {"small.py": [1.0], "big.py": [1 / 40]})


def test_any_name_that_a_chunk_defines_may_be_the_one_that_is_asked_for() -> None:
    header = Header("a.py", "python", "function", "first", 1, 9, 0, 90, "first\nredirect_loop")
    other = Header("b.py", "python", "function", "second", 1, 9, 0, 90)
    even = np.array([0.5, 0.5], dtype=np.float32)
    parsed = parse("redirect loop")
    order = rank(
        Candidates(np.arange(2), even, even, even, {}),
        {0: other, 1: header},
        parsed,
        dict.fromkeys(parsed.terms, 1.0),
        DEFAULT,
    )
    assert [r.chunk.path for r in order] == ["a.py", "b.py"]


def test_a_chunk_beside_one_that_means_the_same_gains() -> None:
    beside, alone = chunk("a.py", line=11), chunk("b.py", line=111)
    order = ranked("anything", [(chunk("a.py", line=1), 1.0, 0.0), (beside, 0.5, 0.5), (alone, 0.5, 0.5)])
    signals = {r.chunk: {signal.name: signal.value for signal in r.signals} for r in order}
    assert signals[beside]["neighbor"] == 1.0
    assert "neighbor" not in signals[alone]


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_ranking_without_a_signal_has_it_at_no_effect(signal: str) -> None:
    ranking = ranking_named(without_signal("full", signal))
    assert ranking is not None
    for weights, full in ((ranking.short, RANKINGS["full"].short), (ranking.description, RANKINGS["full"].description)):
        neutral = getattr(weights, signal)
        assert neutral in (0.0, 1.0)
        assert replace(weights, **{signal: getattr(full, signal)}) == full


def test_no_other_name_is_a_ranking() -> None:
    assert ranking_named("full") == RANKINGS["full"]
    assert ranking_named("full-depth") is ranking_named("best") is ranking_named("full-") is None
