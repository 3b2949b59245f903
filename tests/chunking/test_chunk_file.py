"""Invariants of all chunks, and how files are split."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import CHUNKING_VERSION, chunk_file, chunker, grammars, language_of, parsing, passage
from retrieval.chunking.languages import LANGUAGES, endings_of
from retrieval.types import CHUNK_KINDS, Chunk

HERE = Path(__file__).resolve().parent
REAL_CODE = [path.read_text(encoding="utf-8") for path in sorted(HERE.parents[1].glob("retrieval/chunking/*.py"))]
PATHS = [f"dir/file.{ending}" for language in LANGUAGES for ending in endings_of(language)[:1]]


def check(path: str, text: str) -> list[Chunk]:
    """The promises of `chunk_file`; returns the chunks for more."""
    chunks = chunk_file(path, text)
    data = text.encode("utf-8", "replace")
    rows = data.splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    covered: set[int] = set()
    before = 0
    for chunk in chunks:
        assert chunk.path == path
        assert chunk.kind in CHUNK_KINDS
        assert before <= chunk.start_byte < chunk.end_byte <= len(data)
        assert chunk.text == data[chunk.start_byte : chunk.end_byte].decode()
        assert 1 <= chunk.start_line <= chunk.end_line <= len(rows)
        assert starts[chunk.start_line - 1] <= chunk.start_byte < starts[chunk.start_line]
        assert starts[chunk.end_line - 1] < chunk.end_byte <= starts[chunk.end_line]
        covered.update(range(chunk.start_line, chunk.end_line + 1))
        before = chunk.end_byte
    if chunker.MAX_DATA_CHUNKS.get(language_of(path)) is None:
        assert [n for n, row in enumerate(rows, 1) if row.strip() and n not in covered] == []
    assert chunk_file(path, text) == chunks
    return chunks


def named(chunks: list[Chunk]) -> list[str]:
    return [f"{chunk.kind} {chunk.qualified} {chunk.start_line}-{chunk.end_line}" for chunk in chunks]


IMPORTS = "".join(f"import package.module_{n}\n" for n in range(9))


def lines(count: int, indent: str = "    ") -> str:
    return "".join(f"{indent}value_{n} = compute(value_{n}, {n})\n" for n in range(count))


@settings(max_examples=150)
@given(st.sampled_from(PATHS), st.text())
def test_invariants_hold_for_any_text(path: str, text: str) -> None:
    check(path, text)


@settings(max_examples=60)
@given(
    st.sampled_from(PATHS),
    st.lists(st.sampled_from(["def f(", "class A {", "}", ")", "{", "# x", "/*", '"""', "end", "\n", "\r", "\r\n", "  ",
                              "\u2028", "\f", "🙂", "\ufeff", "func ", "=> {", "if x:", "\0", "```", "# T\n"])),
)  # fmt: skip
def test_invariants_hold_for_code_fragments(path: str, scraps: list[str]) -> None:
    check(path, "".join(scraps))


@settings(max_examples=40)
@given(
    st.sampled_from(REAL_CODE), st.integers(0, 20_000), st.integers(0, 20_000), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_invariants_hold_for_truncated_code(code: str, start: int, end: int, ending: str) -> None:
    check("a.py", code[start:end].replace("\n", ending))


@pytest.mark.parametrize("path", PATHS)
def test_invariants_hold_for_code_in_the_wrong_language(path: str) -> None:
    check(path, REAL_CODE[0])


def test_an_empty_file_has_no_chunks() -> None:
    assert chunk_file("a.py", "") == chunk_file("a.py", " \n\n\t\n") == []


def test_lone_surrogates_do_not_raise() -> None:
    assert chunk_file("a.py", "x = '\ud800'\n")[0].text == "x = '?'"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_positions_hold_for_every_line_end_and_wide_characters(ending: str) -> None:
    body = lines(20, "\t")
    code = f"# 🙂 é \u2028 \f\ndef first():\n\t'🙂'\n{body}\n\ndef second():\n{body}".replace("\n", ending)
    first, second = check("a.py", code)
    assert (first.symbol, first.start_line, first.end_line) == ("first", 1, 23)
    assert (second.symbol, second.start_line, second.end_line) == ("second", 26, 46)
    assert second.text.startswith("def second")


def test_a_chunk_has_no_blank_lines_at_its_borders_and_no_line_end() -> None:
    (chunk,) = check("a.py", "\n\n  \nx = 1\n\ny = 2\n\n \n")
    assert (chunk.text, chunk.start_line, chunk.end_line) == ("x = 1\n\ny = 2", 4, 6)


def test_comments_and_decorators_belong_to_what_follows() -> None:
    first = f"# about it\n# at length\n@decorated\ndef first():\n{lines(20)}\n"
    code = f"{IMPORTS}\n{first}# of the other\ndef second():\n{lines(20)}"
    assert named(check("a.py", code)) == ["block  1-9", "function first 11-34", "function second 36-57"]


def test_a_class_that_fits_is_one_chunk() -> None:
    code = f"class Small:\n    def a(self):\n{lines(5, '        ')}\n    def b(self):\n{lines(5, '        ')}"
    assert named(check("a.py", code)) == ["class Small 1-14"]


def big_class(header: str = "") -> str:
    members = "".join(f"    def member_{n}(self):\n{lines(12, '        ')}\n" for n in range(5))
    return f"class Big(Base):\n{header}{members}"


def test_a_big_class_is_an_outline_and_its_members() -> None:
    header = '    """' + "What it is for. " * 30 + '"""\n\n    field = 1\n\n'
    assert named(check("a.py", big_class(header))) == [
        "class Big 1-4",
        *(f"method Big.member_{n} {6 + 14 * n}-{18 + 14 * n}" for n in range(5)),
    ]


def test_the_bare_header_of_a_big_class_joins_its_first_member() -> None:
    found = named(check("a.py", big_class()))
    assert found[:2] == ["class Big 1-14", "method Big.member_1 16-28"]


def test_fields_between_members_are_blocks_of_the_class() -> None:
    field = "    field = [\n" + lines(9, "        # ") + "    ]\n\n"
    code = big_class().replace("    def member_3", field + "    def member_3")
    assert any(name.startswith("block Big ") for name in named(check("a.py", code)))


def test_a_long_function_is_split_at_statements_and_keeps_its_name() -> None:
    statements = "".join(f"    if condition_{n}:\n{lines(6, '        ')}" for n in range(20))
    chunks = check("a.py", f"def long(a):\n    '''What it does.'''\n{statements}")
    assert len(chunks) > 2
    assert {(chunk.kind, chunk.symbol) for chunk in chunks} == {("function", "long")}
    assert all(chunk.text.startswith("    if condition_") for chunk in chunks[1:])
    assert max(len(chunk.text) for chunk in chunks) < 2.5 * min(len(chunk.text) for chunk in chunks)


def test_a_long_string_is_split_between_lines() -> None:
    chunks = check("a.py", "TEXT = '''\n" + "".join(f"some words on line {n}\n" for n in range(300)) + "'''\n")
    assert len(chunks) > 3
    assert max(len(chunk.text) for chunk in chunks) < 3000


def test_functions_inside_a_long_function_have_it_as_scope() -> None:
    code = f"def outer():\n{lines(30)}    def inner():\n{lines(30, '        ')}    return inner\n"
    assert named(check("a.py", code)) == ["function outer 1-31", "function outer.inner 32-63"]


def test_tiny_definitions_are_merged() -> None:
    code = "".join(f"def get_{n}(self):\n    return {n}\n\n" for n in range(12))
    chunks = check("a.py", code)
    assert len(chunks) < 4
    assert chunks[0].symbol == "get_0"


def test_overloads_stay_with_what_they_describe() -> None:
    code = (
        f"{IMPORTS}\n@typing.overload\ndef get(a: int) -> int: ...\n@typing.overload\ndef get(a: str) -> str: ...\n"
        f"def get(a):\n{lines(12)}"
    )
    assert named(check("a.py", code))[-1].startswith("function get 11-")


def test_statements_between_definitions_are_grouped() -> None:
    code = f"{IMPORTS}\nX = 1\nY = 2\n\ndef f():\n{lines(20)}\nf()\n"
    assert named(check("a.py", code)) == ["block  1-12", "function f 14-36"]


def test_one_or_two_lines_are_merged_with_their_neighbour() -> None:
    assert named(check("a.py", f"import os\n\ndef f():\n{lines(20)}\nf()\n")) == ["function f 1-25"]


def test_a_table_that_makes_up_a_block_gives_it_its_name() -> None:
    code = "import a\n\nCODES = {\n" + "".join(f"    {n}: 'name {n}',\n" for n in range(30)) + "}\n"
    assert [chunk.symbol for chunk in check("a.py", code)] == ["CODES"]


def test_members_of_a_namespace_are_chunks_of_their_own() -> None:
    body = "".join(f"    int value_{n} = compute({n});\n" for n in range(12))
    code = f"namespace a {{\nint first() {{\n{body}}}\n\nint second() {{\n{body}}}\n}}\n"
    assert named(check("a.cpp", code)) == ["function a.first 1-15", "function a.second 17-31"]


def test_broken_code_still_has_its_functions() -> None:
    code = f"def good():\n{lines(20)}\ndef broken(:\n{lines(20)}\ndef last():\n{lines(20)}"
    assert {"good", "last"} <= {chunk.symbol for chunk in check("a.py", code)}


def test_deeply_nested_code_is_chunked() -> None:
    check("a.py", "".join(" " * depth + "if x:\n" for depth in range(500)) + " " * 500 + "pass\n")
    check("a.js", "f(" * 3000 + ")" * 3000)
    check("a.json", "[" * 5000 + "]" * 5000)


def test_code_that_exceeds_the_parse_budget_is_split_into_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BUDGET_SECONDS", 0.05)
    chunks = chunk_file("a.sh", "if (a) { b(\n" * 25_000)  # minutes without a limit
    assert {chunk.kind for chunk in chunks} == {"window"}
    assert named(check("a.py", IMPORTS * 100 + f"def f():\n{lines(30)}"))[-1].startswith("function f ")


def test_a_very_long_line_is_split_and_truncated() -> None:
    chunks = check("a.js", "const data = '" + "é🙂x" * 40_000 + "';\n")
    assert len(chunks) == chunker.MAX_LONG_LINE_PARTS
    assert all(len(chunk.text.encode()) <= chunker.MAX_CHUNK_BYTES for chunk in chunks)


def test_large_data_files_are_truncated() -> None:
    rows = ",\n".join(f'{{"id": {n}, "name": "row number {n}"}}' for n in range(20_000))
    assert len(check("rows.json", f"[{rows}]")) == chunker.MAX_DATA_CHUNKS["json"]
    assert len(check("rows.csv", rows)) == chunker.MAX_DATA_CHUNKS["csv"]


def test_unknown_languages_are_split_into_windows() -> None:
    chunks = check("notes.unknown", "A sentence of the notes, as people write them.\n\n" * 200)
    assert {chunk.kind for chunk in chunks} == {"section"}
    assert {chunk.kind for chunk in check("a.xml", lines(200))} == {"window"}


def test_words_that_begin_definitions_name_them_in_languages_without_a_pattern() -> None:
    body = "  $total = $total + count_of($items[$number]);\n" * 60
    chunks = check("a.strange", f"public function one(a)\n{body}end\n\nsub two\n{body}end\n")
    assert {chunk.symbol for chunk in chunks if chunk.symbol} == {"one", "two"}


def test_a_grammar_that_cannot_be_loaded_gives_windows_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> object:
        raise ImportError("no wheel")

    grammars.load.cache_clear()
    monkeypatch.setattr(grammars, "_unavailable", [])
    monkeypatch.setattr(grammars, "import_module", missing)
    try:
        assert {chunk.kind for chunk in check("a.go", "package a\nfunc F() {}\n")} == {"window"}
        assert [note for note in grammars.notes() if "tree-sitter-go" in note]
    finally:
        grammars.load.cache_clear()


def test_the_passage_is_path_name_and_text() -> None:
    chunk = Chunk("a/b.py", "python", "method", "go", "Cart", 1, 1, 0, 4, "pass")
    assert passage(chunk) == "a/b.py\nCart.go\npass"
    nameless = Chunk("a/b.py", "python", "block", "", "", 1, 1, 0, 4, "pass")
    assert passage(nameless) == "a/b.py\npass"


def test_the_version_is_a_number_that_can_be_compared() -> None:
    assert isinstance(CHUNKING_VERSION, int)


def test_a_file_that_its_grammar_cannot_read_has_names_by_patterns() -> None:
    (chunk,) = chunk_file("a.kt", "enum class Kind { A; fun of() {} }\n\nfun <<<<<<< load(a: Int) {\n}\n")
    assert [symbol.name for symbol in chunk.symbols] == ["Kind"]
