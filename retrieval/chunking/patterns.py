"""Split points for text without a grammar: prose by headings, other languages by lines that look like definitions.

Markdown and reStructuredText are handled here without a grammar: chunks only need headings, fences and indentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from retrieval.chunking.grammars import GRAMMARS
from retrieval.chunking.languages import content_type
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.outline import Label, SplitPoint
from retrieval.chunking.pattern_outline import PatternOutline
from retrieval.chunking.pattern_rules import RULES, compiled

_HEADING = re.compile(rb" {0,3}(#{1,6})(?:[ \t]+(.*)|$)")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(rb" {0,3}(=+|-+)[ \t]*$")
_RST_LINE = re.compile(rb"([=\-`:.'\"~^_*+#<>!$%&(),/;?@\[\\\]{|}])\1{2,}[ \t]*$")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_MARKUP = re.compile(r"[`*]|<[^<>]+>|\[([^\]]*)\]\([^)]*\)|\{#[^}]*\}")
MAX_TITLE = 100
# Of a heading: markup that is not closed is looked through once for each place where it begins.
MAX_TITLE_CHARS = 1_000
PARAGRAPH_DEPTH = 1


# Prose, cut at headings and paragraphs.
SECTIONED = frozenset({"asciidoc", "markdown", "org", "text", "rst", "tex"})
_LATEX = "part chapter section subsection subsubsection paragraph subparagraph".split()
# What begins a section, as level and title, and the levels, highest first.
_TITLES = {
    "tex": (
        re.compile(
            rb"\\(part|chapter|section|subsection|subsubsection|paragraph|subparagraph)\*?(?:\[[^\]]*\])?\{([^{}]*)"
        ),
        [level.encode() for level in _LATEX],
    ),
    "asciidoc": (re.compile(rb"(={1,6}) +(\S.*)"), [b"=" * level for level in range(1, 7)]),
    "org": (re.compile(rb"(\*{1,8}) +(\S.*)"), [b"*" * level for level in range(1, 9)]),
}


def splitter_for(language: str, *, any_rules: bool = False) -> Callable[[LineIndex], list[SplitPoint]] | None:
    """The splitter of a language without a grammar, or with any if `any_rules`; None if only line windows apply."""
    if language in ("markdown", "text"):
        return markdown if language == "markdown" else paragraphs
    if language == "rst":
        return restructured
    if language in _TITLES:
        return lambda lines: titled(lines, *_TITLES[language])
    is_code = language in RULES or _is_other_code(language) or (any_rules and content_type(language) == "code")
    rules = compiled(language) if is_code else None
    return None if rules is None else lambda lines: PatternOutline(language, lines, rules).walk()


def _is_other_code(language: str) -> bool:
    return language not in GRAMMARS and content_type(language) == "code"


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


def titled(lines: LineIndex, pattern: re.Pattern[bytes], levels: list[bytes]) -> list[SplitPoint]:
    """Sections by lines that a pattern takes for a title; paragraphs are split points within long ones."""
    split_points = [SplitPoint(0, Label("section"), 0)]
    titles: list[tuple[int, str]] = []
    for line in range(lines.count):
        row = lines.row(line)
        found = pattern.match(row[:MAX_TITLE_CHARS].lstrip())
        if found is not None:
            _section(split_points, titles, line, levels.index(found[1]) + 1, found[2])
        elif line and lines.is_blank(line - 1) and row.strip():
            _paragraph(split_points, line)
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
