"""Languages without a grammar: definitions with the comments above them, members of types, clauses."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunk_file
from retrieval.chunking.comments import BLANK, CODE, COMMENT, INSIDE, line_kinds, syntax_of
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.listing import parts_of

FILL = 8  # lines of a body: enough for a chunk of its own


def told(path: str, text: str) -> list[str]:
    return [
        ".".join(n for n in (p.scope, p.symbol) if n) + f" {p.start_line}-{p.end_line}"
        for p in parts_of(chunk_file(path, text))
    ]


# path, opening, its closing, definition, a line of its body, the end
# ruff: noqa: E501 - one row a language
LEADING = {
    "nim": ("a.nim", "#[ About {n}.\n\n   At length. ]#", "proc {n}(a: int): int =", "  discard compute(a, {i}, 12345)", ""),
    "sql": ("a.sql", "/* About {n}.\n\n   At length. */", "CREATE FUNCTION {n}() AS $$", "  SELECT a FROM t WHERE b = {i};", "$$;"),
    "perl": ("a.pl", "=head2 {n}\n\nAbout it.\n\n=cut\n", "sub {n} {{", "    my $a = compute({i}, 12345, 67890);", "}}"),
    "clojure": ("a.clj", ";; About {n}.\n;; At length.", "(defn {n} [a]", "  (compute a {i} 12345 67890 12345)", "  )"),
    "graphql": ("a.graphql", '"""\nAbout {n}.\n"""', "type {n} {{", "  field_{i}(first: Int = 10): Connection", "}}"),
    "elm": ("a.elm", "{{-| About {n}.\n\n-}}", "{n} a =", "    compute a {i} 12345 67890 |> andThen", ""),
    "tcl": ("a.tcl", "# About {n}.\n# At length.", "proc {n} {{a}} {{", "    set b [compute $a {i} 12345 67890]", "}}"),
    "make": ("Makefile", "# About {n}.", "define {n}", "\t$(CC) -o {i} $(CFLAGS) $(LIBS) $(MORE)", "endef"),
    "erlang": ("a.erl", "%% About {n}.\n-doc false.", "{n}(A) ->", "    compute(A, {i}, 12345, 67890),", "    ok."),
    "fish": ("a.fish", "# About {n}.", "function {n}", "    echo compute {i} 12345 67890 12345", "end"),
    "vim": ("a.vim", '" About {n}.\n" At length.', "function! {n}(a)", "  call compute(a:a, {i}, 12345, 67890)", "endfunction"),
    "vb": ("a.vb", "' About {n}.\n<Test>", "Public Sub {n}(a)", "    compute(a, {i}, 12345, 67890)", "End Sub"),
    "cmake": ("a.cmake", "#[==[.rst:\nAbout {n}.\n]=] more\n#]==]", "function({n} a)", "  compute(a {i} 12345 67890 12345)", "endfunction()"),
    "graphql line": ("a.gql", '"About {n}."', "type {n} {{", "  field_{i}(first: Int = 10): Connection", "}}"),
    "batch": ("a.bat", "rem\nrem About {n}.\nrem", ":{n}", "    call :compute a {i} 12345 67890 12345", "exit /b 0"),
    "lisp": ("a.lisp", ";; About {n}.\n(declaim (inline {n}))", "(defun {n} (a)", "  (compute a {i} 12345 67890 12345)", "  )"),
    "hack": ("a.hack", "// About {n}.\n<<__Memoize>>", "function {n}(int $a): int {{", "  compute($a, {i}, 12345, 67890);", "}}"),
    "purescript": ("a.purs", "-- | About {n}.\n{n} :: Int -> Effect Unit", "{n} a = do", "  compute a {i} 12345 67890 12345", ""),
    "idris": ("a.idr", "||| About {n}.\nexport\n{n} : Int -> IO ()", "{n} a = do", "  compute a {i} 12345 67890 12345", ""),
    "lean": ("a.lean", "/-- About {n}.\n\n  At length. -/\n@[simp]", "def {n} (a : Nat) : Nat :=", "  compute a {i} 12345 67890 12345", ""),
    "coffeescript": ("a.coffee", "###\nAbout {n}.\n###", "{n} = (a) ->", "  compute a, {i}, 12345, 67890, 12345", ""),
    "raku": ("a.raku", "#| About {n}.\n#| At length.", "sub {n}($a) {{", "    compute($a, {i}, 12345, 67890);", "}}"),
    "rescript": ("a.res", "/** About {n}. */\n@react.component", "let {n} = a => {{", "  compute(a, {i}, 12345, 67890)", "}}"),
    "abap": ("a.abap", '* About {n}.\n" At length.', "FORM {n} USING a.", "  PERFORM compute USING a {i} 12345 67890.", "ENDFORM."),
    "applescript": ("a.applescript", "(* About {n}.\n\n   At length. *)", "on {n}(a)", "  compute(a, {i}, 12345, 67890, 12345)", "end {n}"),
    "vala": ("a.vala", "/**\n * About {n}.\n */\n[Compact]", "int {n} (int a) {{", "  compute (a, {i}, 12345, 67890);", "}}"),
    "jsonnet": ("a.jsonnet", "// About {n}.", "local {n}(a) = {{", "  field_{i}: compute(a, {i}, 12345, 67890),", "}};"),
    "rego": ("a.rego", "# METADATA\n# title: About {n}.", "{n} if {{", "  input.path[{i}] == compute(12345, 67890)", "}}"),
    "fennel": ("a.fnl", ";; About {n}.", "(fn {n} [a]", "  (compute a {i} 12345 67890 12345)", "  )"),
    "janet": ("a.janet", "# About {n}.", "(defn {n} [a]", "  (compute a {i} 12345 67890 12345)", "  )"),
    "gherkin": ("a.feature", "# About it.\n@fast @{n}", "Scenario: {n}", "  Given a number {i} of 12345 things in it", ""),
    "nushell": ("a.nu", "# About {n}.\n@example", "export def {n} [a: int] {{", "  compute $a {i} 12345 67890 | to text", "}}"),
    "bicep": ("a.bicep", "// About it.\n@description('It is {n}.')", "resource {n} 'a/b@2020' = {{", "  field_{i}: compute(12345, 67890, 12345)", "}}"),
    "flatbuffers": ("a.fbs", "/// About {n}.", "table {n} {{", "  field_{i}:[Connection] (id: {i}, deprecated);", "}}"),
    "sas": ("a.sas", "/* About {n}. */", "%macro {n}(a);", "  %compute(&a, {i}, 12345, 67890, 12345);", "%mend;"),
    "stata": ("a.do", "* About {n}.", "program define {n}", "  compute a {i} 12345 67890 12345 67890", "end"),
}  # fmt: skip


@pytest.mark.parametrize("language", LEADING)
def test_comments_go_whole_with_the_definition_below(language: str) -> None:
    path, comment, head, line, end = LEADING[language]
    rows: list[str] = []
    expected = []
    for name in ("alpha", "bravo", "delta"):
        first = len(rows) + 1
        rows += comment.format(n=name).split("\n")
        rows.append(head.format(n=name))
        rows += [line.format(i=i) for i in range(FILL)]
        rows += [end.format(n=name)] if end else []
        expected.append(f"{name} {first}-{len(rows)}")
        rows.append("")
    assert told(path, "\n".join(rows)) == expected


MEMBERS = {
    "crystal": ("a.cr", "class Shop\n  # Opens.\n  def open(a) : Nil\n    go(a)\n  end\n\n  def close\n  end\nend\n", ["open 2-5", "close 7-8"]),
    "groovy": ("a.groovy", "class Shop {\n    @Inject\n    int open(a) {\n        go(a)\n    }\n\n    def close() {\n    }\n}\n", ["open 2-5", "close 7-8"]),
    "d": ("a.d", "class Shop\n{\n    /// Opens.\n    int open(int a)\n    {\n        return a;\n    }\n}\n", ["open 3-7"]),
    "sql": (
        "a.sql",
        "CREATE OR REPLACE PACKAGE BODY shop AS\n  -- Opens.\n  PROCEDURE open(a INT) IS\n  BEGIN\n    go(a);\n  END open;\n\n"
        "  FUNCTION shut RETURN INT IS\n  BEGIN\n    RETURN 1;\n  END;\nEND shop;\n/\n",
        ["open 2-6", "shut 8-11"],
    ),
    "proto": ("a.proto", "service Shop {\n  // Opens.\n  rpc Open(A) returns (B);\n\n  rpc Close(A) returns (B);\n}\n", ["Open 2-3", "Close 5-5"]),
    "vb": ("a.vb", "Public Class Shop\n    ' Opens.\n    Public Sub Open()\n        Go()\n    End Sub\nEnd Class\n", ["Open 2-5"]),
}  # fmt: skip


@pytest.mark.parametrize("language", MEMBERS)
def test_members_of_types_are_symbols_with_their_own_lines(language: str) -> None:
    path, text, expected = MEMBERS[language]
    symbols = [s for chunk in chunk_file(path, text) for s in chunk.symbols]
    assert [f"{s.name} {s.start_line}-{s.end_line}" for s in symbols if s.scope.lower() == "shop"] == expected
    assert symbols[0].kind == "class"


def test_headings_of_org_are_sections() -> None:
    text = "* One\n" + "A line of prose about it.\n" * 40 + "** Two\n" + "A line of prose about it.\n" * 40
    assert told("a.org", text) == ["One 1-41", "One.Two 42-82"]


def test_clauses_stay_together() -> None:
    text = "-spec fac(integer()) -> integer().\nfac(0) -> 1;\nfac(N) -> N * fac(N - 1).\n\nother() -> ok.\n"
    symbols = [s for chunk in chunk_file("a.erl", text) for s in chunk.symbols]
    assert [(s.name, s.start_line, s.end_line) for s in symbols] == [("fac", 1, 3), ("other", 5, 5)]


def test_words_in_texts_and_comments_define_nothing() -> None:
    text = 'proc alpha() =\n  echo """\nproc bravo() =\n"""\n#[\nproc delta() =\n]#\nproc gamma() =\n  discard\n'
    symbols = [s.name for chunk in chunk_file("a.nim", text) for s in chunk.symbols]
    assert symbols == ["alpha", "gamma"]


def test_lines_are_told_apart() -> None:
    text = "-- one\nSELECT '/*' FROM a; /* two\n\nthree */\n$$ four\nfive $$\n"
    assert list(line_kinds(LineIndex(text), syntax_of("sql"))) == [COMMENT, CODE, COMMENT, COMMENT, CODE, INSIDE]
    assert list(line_kinds(LineIndex("a\n\n"), syntax_of("sql"))) == [CODE, BLANK]
