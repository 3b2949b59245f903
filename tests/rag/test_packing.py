"""Hits as context: never over budget, no line twice, and every line from its file."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import chunk_file
from retrieval.rag import Context, ContextSpan, estimate_tokens, pack
from retrieval.types import Chunk, Hit

BODY = "\n".join(f"    step_{n} = prepare(value, {n})" for n in range(60))
HUGE = f'''def build(value):
    """Build it."""
{BODY}
    for item in value:
        if item:
            emit(item)
            count(item)
    return step_0'''
MARK = re.compile(r"\s*… (\d+) (?:more )?lines?(?:, to line \d+)?")


def hit(
    path: str, text: str, start: int = 1, *, symbol: str = "", salient: tuple[int, ...] = (), kind: str = "function"
) -> Hit:
    end = start + text.count("\n")
    chunk = Chunk(path, "python", kind, symbol, "", start, end, 0, 0, text)  # type: ignore[arg-type]
    return Hit(chunk, start, end, text, 1.0, (), salient)


def lines(count: int, name: str = "line") -> str:
    return "\n".join(f"{name}_{n} = {n}" for n in range(count))


def places(context: Context) -> list[tuple[str, int, int, str]]:
    return [(p.path, p.start_line, p.end_line, p.kind) for p in context.spans]


def test_each_place_is_cited_and_fenced_with_its_language() -> None:
    context = pack([hit("src/a.py", "def run():\n    pass", 7, symbol="run")], 100)
    assert context.text == "### `src/a.py:7-8` `run`\n```python\ndef run():\n    pass\n```"
    assert context.tokens == estimate_tokens(context.text) <= 100
    assert places(context) == [("src/a.py", 7, 8, "code")]


def test_one_line_is_cited_as_one() -> None:
    assert pack([hit("a.py", "x = 1", 3)], 100).text.startswith("### `a.py:3`\n")


@pytest.mark.parametrize("budget", [-5, 0, 1, 5])
def test_where_nothing_fits_everything_is_left_out(budget: int) -> None:
    assert pack([hit("a.py", lines(9)), hit("b.py", lines(9))], budget) == Context("", (), 0, budget, 2)


def test_without_hits_the_context_is_empty() -> None:
    assert pack([], 1000) == Context("", (), 0, 1000, 0)


def test_files_come_by_their_best_place_and_places_by_line() -> None:
    hits = [hit("b.py", lines(3), 50), hit("a.py", lines(3)), hit("b.py", lines(3), 10)]
    assert [p[:2] for p in places(pack(hits, 1000))] == [("b.py", 10), ("b.py", 50), ("a.py", 1)]


def test_neighbours_become_one_with_the_lines_between() -> None:
    file = dict(enumerate([*lines(3).split("\n"), "", "@cached", *lines(2, "other").split("\n")], 1))
    hits = [hit("a.py", lines(2, "other"), 6), hit("a.py", lines(3), 1)]
    context = pack(hits, 1000, lines_of={"a.py": file}.__getitem__)
    assert places(context) == [("a.py", 1, 7, "code")]
    assert context.spans[0].text == "\n".join(file.values())


def test_neighbours_stay_apart_where_the_lines_between_are_not_known_or_are_others_by_now() -> None:
    hits = [hit("a.py", lines(3), 1), hit("a.py", lines(2, "other"), 6)]
    newer: Mapping[int, str] = dict.fromkeys(range(1, 8), "changed")
    assert len(pack(hits, 1000).spans) == len(pack(hits, 1000, lines_of=lambda _: newer).spans) == 2


def test_overlapping_hits_show_each_line_once() -> None:
    inner, outer = hit("a.py", lines(10).split("\n")[4], 5), hit("a.py", lines(10), 1)
    context = pack([inner, outer], 1000)
    assert places(context) == [("a.py", 1, 10, "code")]
    assert context.spans[0].text == lines(10)


def test_lower_places_become_outlines_with_signature_and_telling_lines() -> None:
    text = "@cached\ndef load(\n    path,\n):\n" + lines(30, "    step") + "\n    raise Missing(path)\n    return 1"
    hits = [hit("a.py", lines(10)), hit("b.py", text, 1, symbol="load", salient=(35,))]
    context = pack(hits, 190)
    assert places(context) == [("a.py", 1, 10, "code"), ("b.py", 1, 36, "outline")]
    assert context.spans[1].text.split("\n") == [
        "@cached", "def load(", "    path,", "):", "    … 30 lines", "    raise Missing(path)", "    return 1",
    ]  # fmt: skip


def test_outlines_do_not_push_the_best_place_out() -> None:
    hits = [hit("a.py", lines(20)), *(hit(f"{n}.py", lines(30), symbol="line_3") for n in range(40))]
    first, *others = places(pack(hits, 400))
    assert first == ("a.py", 1, 20, "code")
    assert {kind for *_, kind in others} == {"outline"}


def test_a_huge_function_is_cut_behind_a_statement_and_says_so() -> None:
    (piece,) = pack([hit("a.py", HUGE, 101, symbol="build")], 300).spans
    *kept, mark = piece.text.split("\n")
    assert kept == HUGE.split("\n")[: len(kept)]
    assert len(kept) > 8
    assert mark == f"… {HUGE.count(chr(10)) + 1 - len(kept)} more lines, to line 167"
    assert (piece.start_line, piece.end_line) == (101, 100 + len(kept))


@pytest.mark.parametrize("language", ["python", "text"])
def test_a_cut_does_not_open_what_it_cannot_close(language: str) -> None:
    """The loop at the end is shown whole or not at all, with a grammar or by indentation."""
    text = (
        "def f(a):\n"
        + "\n".join(f"    x{n} = 1" for n in range(12))
        + "\n    for i in a:\n        i()\n        j(\n            i,\n        )\n    return 1"
    )
    one = hit("a", text)
    chunk = Chunk("a", language, "function", "f", "", 1, one.end_line, 0, 0, text)
    for budget in range(90, 130):
        context = pack([Hit(chunk, 1, one.end_line, text, 1.0)], budget)
        if context.spans and context.spans[0].kind == "code":
            last = context.spans[0].text.split("\n")[-2 if "…" in context.text else -1]
            assert last in ("    x11 = 1", "        )", "    return 1") or re.fullmatch(r"    x\d+ = 1", last), last


@pytest.mark.parametrize("text", ["```\nend\n```", "x = '````'", "~~~\n# not a heading", "`" * 500])
def test_no_content_ends_its_fence(text: str) -> None:
    context = pack([hit("a.md", text)], 2000)
    _, opening, *body, closing = context.text.split("\n")
    fence = re.match("`+", opening)
    assert fence and closing == fence[0]
    assert "\n".join(body) == text
    assert not any(line.lstrip().startswith(fence[0]) for line in body)


@pytest.mark.parametrize("path", ["a`b.py", "``", "a\nb.py", "a\x1b[31m.py", "[x](http://y)", "a\udcff.py", "\u2028"])
def test_no_file_name_leaves_its_heading(path: str) -> None:
    heading, *_ = pack([hit(path, "x = 1")], 2000).text.split("\n")
    assert heading.startswith("### `") and heading.endswith("`")
    ticks = re.match("`+", heading[4:])
    assert ticks and heading.count(ticks[0]) == 2
    assert heading.isprintable() or "\ufffd" in heading


def test_a_notebooks_language_cannot_write_into_the_fence() -> None:
    chunk = Chunk("a.ipynb", "x`\n# y", "cell", "", "", 5, 9, 0, 0, "a = 1")
    assert pack([Hit(chunk, 5, 9, "a = 1", 1.0)], 100).text == "### `a.ipynb:5-9`\n```\na = 1\n```"


def test_lines_end_as_editors_end_them() -> None:
    context = pack([hit("a.py", "a = 1\r\nb = '\x0c\u2028'")], 100)
    assert context.spans[0].text == "a = 1\nb = '\x0c\u2028'"


def test_a_counter_of_the_callers_decides() -> None:
    context = pack([hit("a.py", lines(40))], 200, count=len)
    assert context.tokens == len(context.text) <= 200


names = st.sampled_from(
    ["x = call(a, b)", "", "    return value", "```", "class Order:", "\tif (x) {", "}", "… 3 lines", "é🎉"]
)
files = st.dictionaries(
    st.sampled_from(["a.py", "b.go", "c.md"]), st.lists(names, min_size=1, max_size=60), min_size=1, max_size=3
)


@st.composite
def found(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[Hit]]:
    """Files and hits anywhere in them, overlapping or not."""
    all_files = draw(files)
    hits = []
    for _ in range(draw(st.integers(0, 8))):
        path = draw(st.sampled_from(sorted(all_files)))
        rows = all_files[path]
        start = draw(st.integers(1, len(rows)))
        end = draw(st.integers(start, len(rows)))
        salient = tuple(draw(st.lists(st.integers(start, end), max_size=3)))
        symbol = draw(st.sampled_from(["", "Order", "call"]))
        hits.append(hit(path, "\n".join(rows[start - 1 : end]), start, symbol=symbol, salient=salient))
    return all_files, hits


@settings(max_examples=150)
@given(found(), st.integers(0, 400), st.sampled_from([estimate_tokens, len, lambda text: len(text) ** 2 // 500]))
def test_never_over_budget_no_line_twice_and_every_line_from_its_file(
    sample: tuple[dict[str, list[str]], list[Hit]], budget: int, count: object
) -> None:
    all_files, hits = sample
    known = {path: dict(enumerate(rows, 1)) for path, rows in all_files.items()}
    context = pack(hits, budget, count=count, lines_of=known.__getitem__)  # type: ignore[arg-type]
    assert context.tokens == count(context.text) <= budget  # type: ignore[operator]
    assert len(context.spans) == context.text.count("### `")
    shown = [(piece.path, n) for piece in context.spans for n in _numbers(piece, known[piece.path])]
    assert len(shown) == len(set(shown))
    told = {(h.chunk.path, n) for h in hits for n in range(h.start_line, h.end_line + 1)}
    assert context.left_out <= len(hits)
    if not context.spans:
        assert context.left_out > 0 or not any(h.text.strip() for h in hits)
    if not context.left_out and all(p.kind == "code" and "…" not in p.text for p in context.spans):
        assert {(path, n) for path, n in told if known[path][n].strip()} <= set(shown)


def _numbers(piece: ContextSpan, rows: dict[int, str]) -> list[int]:
    """The numbers of the lines that a piece shows, each of which must be the file's."""
    numbers, at = [], piece.start_line
    for n, line in enumerate(piece.text.split("\n")):
        last = n == piece.text.count("\n")
        if at <= piece.end_line and rows[at] == line:
            numbers.append(at)
            at += 1
            continue
        mark = MARK.fullmatch(line)
        assert mark, f"{line!r} is not line {at} of {piece.path}"
        at += int(mark[1])
        assert last or at <= piece.end_line
    return numbers


@settings(max_examples=30)
@given(st.integers(60, 600))
def test_real_chunks_pack_at_any_budget(budget: int) -> None:
    hits = [Hit(c, c.start_line, c.end_line, c.text, 1.0) for c in chunk_file("big.py", HUGE + "\n\n\n" + HUGE)]
    context = pack(hits, budget)
    rows = dict(enumerate((HUGE + "\n\n\n" + HUGE).split("\n"), 1))
    for piece in context.spans:
        _numbers(piece, rows)
    assert context.tokens <= budget
