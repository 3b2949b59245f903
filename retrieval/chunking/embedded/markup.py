"""Elements of markup with another language in them: scripts, styles, and the blocks of single-file components.

Choices: tags are found by their text, as browsers do, and not by a parser: a script ends at the first `</script`, whatever is
open in it, an element without an end goes on to the end of the file, and markup between them may be of any dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from retrieval.chunking.embedded.regions import MAX_REGIONS, Element, Region, region_of, whole, without
from retrieval.chunking.languages import named
from retrieval.chunking.line_index import LineIndex

MAX_TAG = 2_000  # bytes; a longer one is no tag
_RAW = re.compile(rb"<!--|<(script|style)(?=[\s/>])", re.IGNORECASE)
_BLOCK = re.compile(rb"<!--|<([A-Za-z][\w-]*)(?=[\s/>])")
_IN_TAG = re.compile(rb"[\"'>]")
_TEMPLATES = re.compile(rb"<(/?)template(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"(?<![\w-])(lang|type)[ \t]{0,8}=[ \t]{0,8}[\"']?([\w/+.-]{1,60})", re.IGNORECASE)
_CLOSING = re.compile(rb"</([A-Za-z][\w-]*)(?=[\s/>])")
_FRONTMATTER = re.compile(rb"(?:\xef\xbb\xbf)?\s*(---)[ \t]*\r?\n")
_FRONTMATTER_END = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)

# Of scripts, by the last part of their type without "x-".
_TYPES = {
    "module": "javascript", "javascript": "javascript", "ecmascript": "javascript", "babel": "javascript", "jsx": "javascript",
    "typescript": "typescript", "tsx": "tsx", "json": "json", "ld+json": "json", "importmap": "json",
    "speculationrules": "json", "template": "html", "html": "html", "handlebars": "html", "handlebars-template": "html",
    "mustache": "html", "jquery-tmpl": "html", "vertex": "glsl", "fragment": "glsl", "python": "python", "py": "python",
    "mpy": "python", "ruby": "ruby", "css": "css",
}  # fmt: skip
_LANGUAGES = {"postcss": "css", "pcss": "css", "jsx": "javascript", "babel": "javascript"}
_DEFAULTS = {"script": "javascript", "style": "css", "template": "html", "docs": "markdown", "i18n": "json"}


class _Tag(NamedTuple):
    name: str
    attributes: dict[str, str]
    element: Element


def html(lines: LineIndex) -> list[Region]:
    """Scripts and styles, and the markup around them."""
    regions = markup_regions(lines, lines.data, "html")
    return regions if len(regions) > 1 else []


def svelte(lines: LineIndex) -> list[Region]:
    return markup_regions(lines, lines.data, "svelte")


def astro(lines: LineIndex) -> list[Region]:
    """TypeScript between lines of dashes, then markup with scripts, which are TypeScript too."""
    opened = _FRONTMATTER.match(lines.data)
    closed = _FRONTMATTER_END.search(lines.data, opened.end()) if opened else None
    if not opened or not closed:
        return markup_regions(lines, lines.data, "astro", script="typescript")
    element = Element(opened.start(1), opened.end(), closed.start(), closed.end())
    front = region_of(lines, element, "typescript")
    data = without(lines.data, [(0, closed.end())])
    return [*markup_regions(lines, data, "astro", script="typescript"), *([front] if front else [])]


def vue(lines: LineIndex) -> list[Region]:
    """The blocks at the root of a single-file component. What stands between them is the component's own."""
    regions = [Region("vue", LineIndex(b""), 0, ((0, lines.count),))]
    return regions + _regions(lines, _tags(lines.data, _BLOCK, _end_of_block), "javascript")


def markup_regions(lines: LineIndex, data: bytes, language: str, script: str = "javascript") -> list[Region]:
    """The regions of `data`, the lines' bytes with parts in other languages blank."""
    shown = lines if data is lines.data else lines.with_data(data)
    tags = list(_tags(data, _RAW, _end_of_raw))
    around = without(data, [(tag.element.start, tag.element.stop) for tag in tags])
    return [whole(language, lines, around, "html"), *_regions(shown, tags, script)]


def _regions(lines: LineIndex, tags: Iterator[_Tag] | list[_Tag], script: str) -> list[Region]:
    regions = []
    for tag in tags:
        language = _language(tag, script)
        region = region_of(lines, tag.element, language) if language else None
        if region is not None:
            regions.append(replace(region, nested=language == "html"))
    return regions


def _language(tag: _Tag, script: str) -> str:
    """Of the content of an element; empty if it is unknown or none of its own."""
    lang = tag.attributes.get("lang")
    if lang:
        return _LANGUAGES.get(lang) or named(lang) or ""
    kind = tag.attributes.get("type")
    if tag.name == "script" and kind:
        return _TYPES.get(kind.rpartition("/")[2].removeprefix("x-").removeprefix("shader-").removeprefix("x-"), "")
    return script if tag.name == "script" else _DEFAULTS.get(tag.name, "")


def _tags(
    data: bytes, opening: re.Pattern[bytes], end_of: Callable[[bytes, bytes, int], tuple[int, int]]
) -> Iterator[_Tag]:
    """The elements with another language, in order and not in each other."""
    at = count = 0
    while count < MAX_REGIONS and (match := opening.search(data, at)) is not None:
        if match[1] is None:  # a comment
            end = data.find(b"-->", match.end())
            if end < 0:
                return
            at = end + 3
            continue
        start = _tag_end(data, match.end())
        count += 1
        if start < 0:
            at = match.end()
            continue
        attributes = data[match.end() : start]
        at = start
        if attributes.endswith(b"/>"):
            continue
        stop, at = end_of(data, match[1].lower(), start)
        yield _Tag(match[1].decode().lower(), _attributes(attributes), Element(match.start(), start, stop, at))


def _tag_end(data: bytes, at: int) -> int:
    """Behind the `>` of a tag; -1 if there is none near."""
    limit = at + MAX_TAG
    while (match := _IN_TAG.search(data, at, limit)) is not None:
        if match[0] == b">":
            return match.end()
        at = data.find(match[0], match.end(), limit) + 1
        if not at:
            return -1
    return -1


def _end_of_raw(data: bytes, name: bytes, start: int) -> tuple[int, int]:
    """Where the content of an element ends, and its closing tag."""
    return _closed(data, next((tag for tag in _CLOSING.finditer(data, start) if tag[1].lower() == name), None))


def _end_of_block(data: bytes, name: bytes, start: int) -> tuple[int, int]:
    """As `_end_of_raw`; templates can contain templates."""
    if name != b"template":
        return _end_of_raw(data, name, start)
    depth = 1
    for match in _TEMPLATES.finditer(data, start):
        if match[1]:
            depth -= 1
        elif not _closes_itself(data, match.end()):
            depth += 1
        if not depth:
            return _closed(data, match)
    return len(data), len(data)


def _closes_itself(data: bytes, at: int) -> bool:
    end = _tag_end(data, at)
    return data[max(end - 2, 0) : max(end, 0)] == b"/>"


def _closed(data: bytes, match: re.Match[bytes] | None) -> tuple[int, int]:
    if match is None:
        return len(data), len(data)
    end = data.find(b">", match.end(), match.end() + MAX_TAG) + 1
    return match.start(), end or match.end()


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode().lower(): value.decode().lower() for name, value in _ATTRIBUTE.findall(tag)}
