"""What each line of a file is, for languages without a grammar: code, comment, blank, or the inside of a text.

Only markers of comments and texts are looked for, line by line, so that the cost is that of reading the file once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from retrieval.chunking.line_index import LineIndex

CODE, BLANK, COMMENT, INSIDE = range(4)
# Bytes of a line that are looked at for markers: longer lines are data.
_SCANNED_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a language writes comments and texts of several lines."""

    line: tuple[bytes, ...] = ()
    block: tuple[tuple[bytes, bytes], ...] = ()
    texts: tuple[tuple[bytes, bytes], ...] = ()
    quotes: bytes = b"\"'"  # of texts that end on their line
    pod: bool = False  # `=head1` … `=cut`
    documents: bool = False  # a text that stands alone describes what follows


_SLASHES = Syntax((b"//",), ((b"/*", b"*/"),))
_HASH = Syntax((b"#",))
_SEMICOLON = Syntax((b";",), ((b"#|", b"|#"),), quotes=b'"')
_DASHES = Syntax((b"--",), ((b"{-", b"-}"),), ((b'"""', b'"""'),), quotes=b'"')
_ML = Syntax((), ((b"(*", b"*)"),), quotes=b'"')
_OF: dict[str, Syntax] = {
    "assembly": Syntax((b";", b"#", b"//", b"@"), ((b"/*", b"*/"),)),
    "abap": Syntax((b"*", b'"'), quotes=b"'`"),
    "ada": Syntax((b"--",), quotes=b'"'),
    "agda": _DASHES,
    "apex": _SLASHES,
    "bicep": Syntax((b"//",), ((b"/*", b"*/"),), ((b"'''", b"'''"),), quotes=b"'"),
    "batch": Syntax((b"::", b"rem ", b"REM ", b"Rem ", b"@rem ", b"@REM "), quotes=b'"'),
    "clojure": Syntax((b";",), quotes=b'"', texts=((b'"', b'"'),)),
    # any number of `=`, as many as in the closing mark
    "cmake": Syntax((b"#",), tuple((b"#[%s[" % (b"=" * n), b"]%s]" % (b"=" * n)) for n in range(12)), quotes=b'"'),
    "cobol": Syntax((b"*>", b"*", b"      *")),
    "coffeescript": Syntax((b"#",), ((b"###", b"###"),), ((b'"""', b'"""'), (b"'''", b"'''"))),
    "cython": Syntax((b"#",), texts=((b'"""', b'"""'), (b"'''", b"'''"))),
    "d": Syntax((b"//",), ((b"/*", b"*/"), (b"/+", b"+/")), ((b"`", b"`"),), quotes=b'"'),
    "dart": _SLASHES,
    "dockerfile": Syntax((b"#",), quotes=b""),
    "applescript": Syntax((b"--", b"#"), ((b"(*", b"*)"),), quotes=b'"'),
    "elm": Syntax((b"--",), ((b"{-", b"-}"),), ((b'"""', b'"""'),), quotes=b'"'),
    "erlang": Syntax((b"%",), texts=((b'"""', b'"""'),)),
    "flatbuffers": _SLASHES,
    "fortran": Syntax((b"!",)),
    "forth": Syntax((b"\\ ",), ((b"( ", b")"),), quotes=b""),
    "fsharp": Syntax((b"//",), ((b"(*", b"*)"),), ((b'"""', b'"""'),), quotes=b'"'),
    "gleam": Syntax((b"//",), quotes=b'"'),
    "glsl": _SLASHES,
    "graphql": Syntax((b"#",), texts=((b'"""', b'"""'),), quotes=b'"', documents=True),
    "groovy": Syntax((b"//",), ((b"/*", b"*/"),), ((b'"""', b'"""'), (b"'''", b"'''"))),
    "hcl": Syntax((b"#", b"//"), ((b"/*", b"*/"),), quotes=b'"'),
    "ini": Syntax((b"#", b";"), quotes=b""),
    "idris": Syntax((b"--", b"|||"), ((b"{-", b"-}"),), ((b'"""', b'"""'),), quotes=b'"'),
    "jsonnet": Syntax((b"//", b"#"), ((b"/*", b"*/"),), ((b"|||", b"|||"),)),
    "julia": Syntax((b"#",), ((b"#=", b"=#"),), ((b'"""', b'"""'),), quotes=b'"', documents=True),
    "lean": Syntax((b"--",), ((b"/-", b"-/"),), quotes=b'"'),
    "less": _SLASHES,
    "fennel": Syntax((b";",), quotes=b'"'),
    "hylang": Syntax((b";",), quotes=b'"'),
    "lisp": _SEMICOLON,
    "make": Syntax((b"#",), quotes=b""),
    "mathematica": _ML,
    "nim": Syntax((b"#",), ((b"#[", b"]#"), (b"##[", b"]##")), ((b'"""', b'"""'),), quotes=b'"'),
    "objc": _SLASHES,
    "ocaml": _ML,
    "opencl": _SLASHES,
    "pascal": Syntax((b"//",), ((b"{", b"}"), (b"(*", b"*)")), quotes=b"'"),
    "perl": Syntax((b"#",), quotes=b"", pod=True),
    "perl6": Syntax(
        (b"#",),
        (
            (b"#`(", b")"),
            (b"#`{", b"}"),
            (b"#`[", b"]"),
            (b"=begin pod", b"=end pod"),
            (b"=begin comment", b"=end comment"),
        ),
        quotes=b"",
    ),
    "powershell": Syntax((b"#",), ((b"<#", b"#>"),), ((b'@"', b'"@'), (b"@'", b"'@"))),
    "prolog": Syntax((b"%",), ((b"/*", b"*/"),), quotes=b"'"),
    "proto": _SLASHES,
    "purescript": _DASHES,
    "reasonml": _SLASHES,
    "rescript": _SLASHES,
    "scss": _SLASHES,
    "sml": _ML,
    "solidity": _SLASHES,
    "sql": Syntax((b"--", b"#"), ((b"/*", b"*/"),), ((b"$$", b"$$"),), quotes=b"'"),
    "sas": Syntax((b"*",), ((b"/*", b"*/"),)),
    "stata": Syntax((b"*", b"//"), ((b"/*", b"*/"),), quotes=b'"'),
    "supercollider": _SLASHES,
    "thrift": Syntax((b"//", b"#"), ((b"/*", b"*/"),)),
    "v": Syntax((b"//",), ((b"/*", b"*/"),)),
    "vala": Syntax((b"//",), ((b"/*", b"*/"),), ((b'"""', b'"""'),)),
    "vb": Syntax((b"'", b"REM ", b"Rem "), quotes=b'"'),
    "verilog": Syntax((b"//",), ((b"/*", b"*/"),), quotes=b'"'),
    "vhdl": Syntax((b"--",), ((b"/*", b"*/"),), quotes=b'"'),
    "vim": Syntax((b'"', b"#"), quotes=b""),
}
_HASHED = frozenset(
    """awk bash bitbake crystal fish gdscript gherkin janet just meson nix nushell
    perl puppet r rego robotframework starlark tcl""".split()
)
_UNKNOWN = Syntax((b"//", b"#", b"--", b";", b"%"), ((b"/*", b"*/"), (b"(*", b"*)"), (b"{-", b"-}")), quotes=b'"')
# A comment line of its own that begins with one of these continues none: `#define`, `#include`, `#[test]`
_NO_COMMENT = re.compile(rb"#(?:define|include|if|ifdef|ifndef|else|elif|endif|pragma|undef|error|line|import)\b|#\[")


def syntax_of(language: str) -> Syntax:
    """Of a language without an entry: the marks that most languages have."""
    return _OF.get(language) or (_HASH if language in _HASHED else _UNKNOWN)


def line_kinds(lines: LineIndex, syntax: Syntax) -> bytearray:
    """For each line CODE, BLANK, COMMENT (nothing but comment, blank lines within one included) or INSIDE (it begins within a
    text).
    """
    kinds = bytearray(lines.count)
    markers = _markers(syntax)
    is_plain = not syntax.pod and not any(mark in _LETTERED for mark in syntax.line)
    closer, in_comment = b"", False
    for line, whole_row in enumerate(lines.rows()):
        row, at = whole_row[:_SCANNED_BYTES], 0
        if closer:
            end = row.find(closer)
            kinds[line] = COMMENT if in_comment else INSIDE
            if end < 0:
                continue
            at, closer = end + len(closer), b""
            if not row[at:].strip() or not in_comment:
                continue
            kinds[line] = CODE
        elif lines.is_blank(line):
            kinds[line] = BLANK
            continue
        if is_plain and not at and markers.search(row) is None:
            continue  # most lines
        opened = _opened(row, at, syntax, markers)
        if kinds[line] == CODE and (opened.is_comment_line or _is_line_comment(row, syntax)):
            kinds[line] = COMMENT
        closer, in_comment = opened.closer, opened.in_comment
    return kinds


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is open at the end of a line, and whether the line holds nothing but comments."""

    closer: bytes = b""
    in_comment: bool = False
    is_comment_line: bool = False


def _is_line_comment(row: bytes, syntax: Syntax) -> bool:
    bare = row.strip() + b" "  # `rem` alone
    return bare.startswith(syntax.line) and _NO_COMMENT.match(bare) is None if syntax.line else False


def _opened(row: bytes, at: int, syntax: Syntax, markers: re.Pattern[bytes]) -> _Opened:
    if syntax.pod and row[:1] == b"=" and row[1:2].isalpha():
        return _Opened(b"=cut", True, True)
    bare = len(row) - len(row.lstrip())
    only_comment = not row[:at].strip() or at == 0
    while (match := markers.search(row, at)) is not None:
        mark, start = match[0], match.start()
        only_comment = only_comment and not row[max(at, bare) : start].strip()
        if mark[:1] == b"\\" and mark not in syntax.line:
            at = match.end()
            continue
        pair = _pair(mark, syntax)
        if pair is None:
            if mark in syntax.line:  # the rest of the line is a comment
                return _Opened(b"", False, only_comment)
            end = _end_of_text(row, match.end(), mark)
            at, only_comment = (end if end > 0 else match.end()), only_comment and syntax.documents and end > 0
            continue
        closer, is_comment = pair
        end = row.find(closer, match.end())
        if end < 0:
            alone = only_comment and (is_comment or syntax.documents)
            return _Opened(closer, alone or is_comment, alone)
        at, only_comment = end + len(closer), only_comment and (is_comment or syntax.documents)
    return _Opened(b"", False, only_comment and at > 0 and not row[at:].strip())


def _pair(mark: bytes, syntax: Syntax) -> tuple[bytes, bool] | None:
    """The closing mark of a comment or text that may have several lines, and whether it is a comment."""
    for opening, closing in syntax.block:
        if mark == opening:
            return closing, True
    for opening, closing in syntax.texts:
        if mark == opening:
            return closing, False
    return None


def _end_of_text(row: bytes, at: int, quote: bytes) -> int:
    """Behind the closing quote on this line; -1 without one."""
    while (end := row.find(quote, at)) > 0:
        escapes = len(row[at:end]) - len(row[at:end].rstrip(b"\\"))
        if escapes % 2 == 0:
            return end + 1
        at = end + 1
    return -1


@cache
def _markers(syntax: Syntax) -> re.Pattern[bytes]:
    """All marks of a language, the longest first, and escaped characters."""
    quotes = [bytes([quote]) for quote in syntax.quotes]
    openings = [opening for opening, _ in (*syntax.block, *syntax.texts)]
    marks = {*(mark for mark in syntax.line if mark not in _LETTERED), *openings, *quotes}
    longest_first = sorted(marks, key=lambda mark: (-len(mark), mark))
    return re.compile(b"|".join([*map(re.escape, longest_first), rb"\\."]) if longest_first else rb"\\.")


_LETTERED = (b"rem ", b"REM ", b"Rem ", b"@rem ", b"@REM ")  # comments at the beginning of a line only
