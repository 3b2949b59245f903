"""Split points for text without a grammar: prose by headings, other languages by lines that look like definitions.

Markdown and reStructuredText are handled here without a grammar: chunks only need headings, fences and indentation. The
patterns match at the first column only, where definitions usually begin; a wrong guess costs an odd boundary, never text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from retrieval.chunking.grammars import GRAMMARS
from retrieval.chunking.languages import content_type
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.outline import Label, SplitPoint

_HEADING = re.compile(rb" {0,3}(#{1,6})(?:[ \t]+(.*)|$)")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(rb" {0,3}(=+|-+)[ \t]*$")
_RST_LINE = re.compile(rb"([=\-`:.'\"~^_*+#<>!$%&(),/;?@\[\\\]{|}])\1{2,}[ \t]*$")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_MARKUP = re.compile(r"[`*]|<[^<>]+>|\[([^\]]*)\]\([^)]*\)|\{#[^}]*\}")
_COMMENTS = (b"//", b"#", b"--", b";", b"%", b"*", b"/*", b'"')
MAX_TITLE = 100
# Of a heading: markup that is not closed is looked through once for each place where it begins.
MAX_TITLE_CHARS = 1_000
# Of a line: some of the patterns take the square of a line's length, and no definition begins with more.
HEADER_BYTES = 240
PARAGRAPH_DEPTH = 1

_NAME = rb"([A-Za-z_][\w.:$-]*)"
PATTERNS: dict[str, bytes] = {
    "cmake": rb"(?i)(?:function|macro)\s*\(\s*([\w-]+)",
    "clojure": rb"\((?:def\w*-?|ns)\s+(?:\^\S+\s+)*([^\s()\[\]]+)",
    "cython": rb"(?:c?p?def|class|cdef\s+class)\s+(?:inline\s+)?(?:[\w*.\[\]]+\s+)*?([A-Za-z_]\w*)\s*[(:]",
    "crystal": rb"(?:def|class|module|struct|macro|lib|enum)\s+([\w.:]+[?!]?)",
    "dart": rb"(?:abstract\s+|final\s+|sealed\s+|base\s+)*(?:class|mixin|enum|extension|typedef)\s+" + _NAME,
    "dockerfile": rb"(?i)FROM\s+(?:\S+\s+AS\s+)?(\S+)",
    "elm": rb"(?:type(?:\s+alias)?|port)?\s*([A-Za-z]\w*)\s+:\s",
    "erlang": rb"(?:-(?:spec|record|type|callback)\s*\(?\s*)?([a-z]\w*)\s*\(",
    "fish": rb"function\s+(\S+)",
    "fortran": rb"(?i)\s*(?:\w+\s+)*(?:subroutine|function|module|program)\s+(\w+)",
    "fsharp": rb"(?:let(?:\s+rec|\s+inline)*|type|module|and)\s+" + _NAME,
    "glsl": rb"(?:struct\s+)?(?:\w+\s+)*?([A-Za-z_]\w*)\s*[({]",
    "graphql": rb"(?:extend\s+)?(?:type|interface|input|enum|union|scalar|query|mutation|fragment|directive)\s+@?(\w+)",
    "groovy": rb"(?:(?:public|private|static|abstract|final|def)\s+)*(?:class|interface|trait|enum|task|def)\s+"
    + _NAME,
    "hcl": rb'(?:resource|data|module|variable|output|provider|locals|terraform)\b\s*(?:"[^"]*"\s*)?"?([\w-]*)',
    "ini": rb"\[([^\]]+)\]",
    "julia": rb"(?:function|macro|module|(?:mutable\s+)?struct|abstract\s+type)\s+" + _NAME,
    "just": rb"@?([A-Za-z_][\w-]*)[^:=\n]*:(?!=)",
    "less": rb"([.#][\w-]+)\s*\(",
    "lisp": rb"\((?:def\w*|cl-def\w*)\s+\(?([^\s()]+)",
    "make": rb"(?!\.)([A-Za-z0-9_./%$(){}-]+)\s*::?(?!=)",
    "nim": rb"(?:proc|func|method|iterator|template|macro|type|converter)\s+`?" + _NAME,
    "objc": rb"(?:@(?:interface|implementation|protocol)\s+|[-+]\s*\([^)]*\)\s*)(\w+)",
    "ocaml": rb"(?:let(?:\s+rec)?|type|module(?:\s+type)?|class|and|val|external)\s+" + _NAME,
    "perl": rb"(?:sub|package)\s+([\w:]+)",
    "powershell": rb"(?i)(?:function|class|filter|enum)\s+([\w:-]+)",
    "prolog": rb"([a-z]\w*)\s*(?:\(|:-|-->|\.)",
    "proto": rb"(?:message|service|enum|extend)\s+([\w.]+)",
    "r": rb"([\w.]+)\s*(?:<-|=)\s*function\b",
    "scss": rb"@(?:mixin|function)\s+([\w-]+)",
    "solidity": rb"(?:abstract\s+)?(?:contract|library|interface|struct|enum|function)\s+(\w+)",
    "sql": rb"(?i)(?:create(?:\s+or\s+(?:replace|alter))?|alter)\s+(?:(?:global|local|temp|temporary|unique|unlogged|"
    rb"materialized|external|recursive|clustered|definer\s*=\s*\S+)\s+)*(?:table|view|function|procedure|trigger|index|"
    rb"type|schema|database|sequence|extension|policy|role|domain|aggregate)\s+(?:if\s+not\s+exists\s+|concurrently\s+|"
    rb"only\s+)*([\w.\"`\[\]]+)",
    "starlark": rb"(?:def\s+)?([a-z_]\w*)\s*\(",
    "tcl": rb"(?:proc|namespace\s+eval|oo::class\s+create)\s+(\S+)",
    "thrift": rb"(?:struct|service|enum|union|exception|typedef)\s+(\w+)",
    "v": rb"(?:pub\s+)?(?:fn|struct|enum|interface|type)\s+(?:\([^)]*\)\s*)?" + _NAME,
    "vb": rb"(?i)\s*(?:(?:public|private|friend|shared|partial)\s+)*"
    rb"(?:sub|function|class|module|structure|enum)\s+(\w+)",
    "verilog": rb"\s*(?:module|function|task|class|interface|package)\s+(?:automatic\s+)?(\w+)",
    "vim": rb"(?:fu(?:nction)?!?\s+|command!?\s+.*?|augroup\s+)([\w:#]+)",
}
# Of a language without a pattern of its own: words that begin definitions in many.
ANY_LANGUAGE = (
    rb"(?i)(?:(?:public|pub|private|protected|export|static|async|abstract|final|local|global|virtual|override|open|inline|"
    rb"sealed|const|extern)\s+)*(?:function|func|fun|fn|def|defn|define|sub|subroutine|proc|procedure|method|macro|class|"
    rb"struct|interface|module|namespace|trait|enum|type|record|package|object|protocol|service|program|unit|library)\s+"
    + _NAME
)
_TYPES = re.compile(
    rb"\s*(?:\w+\s+){0,3}?(?:class|struct|interface|enum|trait|protocol|type|module|message|service|table|view|contract|"
    rb"library|record|mixin|union|@interface|@implementation|@protocol)\b",
    re.IGNORECASE,
)


def splitter_for(language: str) -> Callable[[LineIndex], list[SplitPoint]] | None:
    """The splitter of a language without a grammar; None if only line windows apply."""
    if language in ("markdown", "text"):
        return markdown if language == "markdown" else paragraphs
    if language in ("asciidoc", "rst", "tex"):
        return restructured if language == "rst" else paragraphs
    pattern = PATTERNS.get(language)
    if pattern is None and language not in GRAMMARS and content_type(language) == "code":
        pattern = ANY_LANGUAGE
    if pattern is None:
        return None
    compiled = re.compile(pattern)
    return lambda lines: _definitions(lines, compiled)


def markdown(lines: LineIndex) -> list[SplitPoint]:
    """Sections by heading, with the parent headings as scope; paragraphs are split points within long ones."""
    split_points = [SplitPoint(0, Label("section"), 0)]
    titles: list[tuple[int, str]] = []
    fence = b""
    before = b""  # the line above, where it can be the text of an underlined heading
    start = _after_front_matter(lines)
    for line in range(start, lines.count):
        row = lines.row(line)
        fenced = _FENCE.match(row)
        if fence:
            if fenced and row.strip().startswith(fence) and not row.strip().strip(fence[:1]):
                fence = b""
            continue
        if fenced:
            fence, before = fenced[1], b""
            continue
        heading = _HEADING.match(row)
        underline = _UNDERLINE.match(row) if before else None
        if heading:
            _section(split_points, titles, line, len(heading[1]), _without_closing(heading[2] or b""))
        elif underline:
            _section(split_points, titles, line - 1, 1 if underline[1].startswith(b"=") else 2, before)
        elif row.strip() and line and lines.is_blank(line - 1):
            _paragraph(split_points, line)
        before = row if row.strip() and not heading and not underline and row[:4].strip() else b""
        if before and not (line == start or lines.is_blank(line - 1)):
            before = b""  # only a line that begins a paragraph is taken for a heading; tables have such lines too
    return split_points


def restructured(lines: LineIndex) -> list[SplitPoint]:
    """Sections by underlined titles; the level of an underline is the order in which its character first came."""
    split_points = [SplitPoint(0, Label("section"), 0)]
    titles: list[tuple[int, str]] = []
    levels: list[bytes] = []
    for line in range(1, lines.count):
        row, title = lines.row(line), lines.row(line - 1)
        if not title.strip() or title[:1].isspace():
            if row.strip() and lines.is_blank(line - 1) and not row[:1].isspace():
                _paragraph(split_points, line)
            continue
        if not _RST_LINE.match(row) or _RST_LINE.match(title) or len(row.strip()) < len(title.strip()) - 2:
            continue
        overlined = line >= 2 and _RST_LINE.match(lines.row(line - 2)) is not None
        mark = row[:1] + (b"o" if overlined else b"")
        if mark not in levels:
            levels.append(mark)
        _section(split_points, titles, line - 2 if overlined else line - 1, levels.index(mark) + 1, title)
    return split_points


def paragraphs(lines: LineIndex) -> list[SplitPoint]:
    """Plain text: one section with its paragraphs as split points."""
    split_points = [SplitPoint(0, Label("section"), 0)]
    for line in range(1, lines.count):
        if lines.is_blank(line - 1) and not lines.is_blank(line):
            _paragraph(split_points, line)
    return split_points


def _without_closing(title: bytes) -> bytes:
    """A title without the marks that may close a heading; not by a pattern, which would try each space of a long run."""
    title = title.rstrip(b" \t")
    bare = title.rstrip(b"#")
    return bare.rstrip(b" \t") if not bare or bare[-1:] in b" \t" else title


def _section(split_points: list[SplitPoint], titles: list[tuple[int, str]], line: int, level: int, raw: bytes) -> None:
    while titles and titles[-1][0] >= level:
        titles.pop()
    title = title_of(raw.decode("utf-8", "replace"))
    label = Label("section", title, ".".join(name for _, name in titles if name))
    titles.append((level, title))
    while len(split_points) > 1 and split_points[-1].line >= line:
        split_points.pop()  # the heading was taken for a paragraph before its underline came
    if split_points[-1].line >= line:
        split_points[-1] = SplitPoint(line, label, 0)
    else:
        split_points.append(SplitPoint(line, label, 0))


def _paragraph(split_points: list[SplitPoint], line: int) -> None:
    split_points.append(SplitPoint(line, split_points[-1].label, PARAGRAPH_DEPTH))


def title_of(raw: str) -> str:
    """A heading without its markup."""
    return " ".join(_MARKUP.sub(lambda match: match[1] or "", _IMAGE.sub("", raw[:MAX_TITLE_CHARS])).split())[
        :MAX_TITLE
    ]


def _after_front_matter(lines: LineIndex) -> int:
    """Markdown can begin with YAML between lines of dashes, which are no underlines."""
    if lines.count and lines.row(0).rstrip() == b"---":
        for line in range(1, min(lines.count, 100)):
            if lines.row(line).rstrip() in (b"---", b"..."):
                return line + 1
    return 0


def _definitions(lines: LineIndex, pattern: re.Pattern[bytes]) -> list[SplitPoint]:
    """A split point at each line that begins a definition, including comments directly above."""
    label = Label("block")
    split_points = [SplitPoint(0, label, 0)]
    for line in range(lines.count):
        row = lines.row(line)
        if not row.strip():
            continue
        match = pattern.match(row[:HEADER_BYTES])
        if match is not None:
            symbol = (match[1] or b"").decode("utf-8", "replace").strip('"`[]')
            head = _comment_above(lines, line, split_points[-1].line)
            label = Label("class" if _TYPES.match(row[:HEADER_BYTES]) else "function", symbol)
            if head <= split_points[-1].line:
                split_points[-1] = SplitPoint(split_points[-1].line, label, 0)
            else:
                split_points.append(SplitPoint(head, label, 0))
        elif line and lines.is_blank(line - 1):
            outer = not row[:1].isspace()
            if outer and label.symbol and _ended(lines, line - 1):
                label = Label("block")
            split_points.append(SplitPoint(line, label, 1 if outer else 2))
    return split_points


def _ended(lines: LineIndex, line: int) -> bool:
    """Whether what stands above a blank line looks like the end of a definition."""
    while line and lines.is_blank(line):
        line -= 1
    row = lines.row(line).rstrip()
    return row[:1].isspace() or row.endswith((b";", b"}", b")")) or row.lower().startswith(b"end")


def _comment_above(lines: LineIndex, line: int, floor: int) -> int:
    while line - 1 > floor and lines.row(line - 1).lstrip().startswith(_COMMENTS):
        line -= 1
    return line
