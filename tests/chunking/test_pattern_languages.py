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


# ruff: noqa: E501 - one row a language
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
