"""Escaping of untrusted text: whatever a workspace holds (code, file names, symbols) and whatever goes to a reader.

What is read by a person, a terminal, a browser, an editor or a language model passes through here, so that it can neither
command a terminal (ESC and other controls), nor show its characters in another order than they have (bidirectional
controls), nor hide text (invisible format characters), nor begin a line of its own where one line is meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

REPLACEMENT = "\ufffd"
# Cc: controls; Cf: bidirectional controls, invisible joiners and tags; Cs: bytes of a file name that are not UTF-8; Zl, Zp:
# what some readers take for the end of a line.
UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
TAB = "    "

# What begins a block of Markdown at the start of a line; numbered lists do no harm.
BLOCK_MARKS = tuple("#>-+*=|<")

_FENCE = re.compile(r"`{3,}|~{3,}")
_BACKTICKS = re.compile(r"`+")
_LANGUAGE_TAG = re.compile(r"[a-z0-9+#_-]{1,30}")


class _Escapes(dict[int, str]):
    """A table for `str.translate` that looks each character up once: the whole of Unicode would take 0.3 s to go through."""

    def __missing__(self, code: int) -> str:
        self[code] = escaped = _escape_character(chr(code))
        return escaped


def _escape_character(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return TAB
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode's pictures of the controls: ESC becomes ␛
    if code == 0x7F:
        return "\u2421"
    return REPLACEMENT if unicodedata.category(character) in UNSAFE_CATEGORIES else character


_LINE_ESCAPES = _Escapes()
_BLOCK_ESCAPES = _Escapes({ord("\n"): "\n", ord("\t"): "\t"})


def escape_line(text: str) -> str:
    """Text on one line: controls are shown as pictures, line breaks too, and a tab as spaces."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_LINE_ESCAPES)


def escape_block(text: str) -> str:
    """Text of several lines, which "\\n" and "\\r\\n" end; tabs stay, all other controls are shown as pictures."""
    return text.replace("\r\n", "\n").translate(_BLOCK_ESCAPES)


def markdown_line(text: str) -> str:
    """Prose on one line of Markdown that begins no heading, list, quote, table or fence, whatever is quoted in it."""
    text = _FENCE.sub(lambda run: "\\" + "\\".join(run[0]), escape_line(text).lstrip())
    return f"\\{text}" if text.startswith(BLOCK_MARKS) else text


def code_span(text: str) -> str:
    """Text as inline code of Markdown: one line, no link, no markup."""
    text = escape_line(text)
    ticks = "`" * (1 + _longest_run(text))
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Code in a Markdown fence that is longer than any run of backticks in it, so that the code cannot end it."""
    text = escape_block(text)
    fence = "`" * max(3, 1 + _longest_run(text))
    tag = language if language != "text" and _LANGUAGE_TAG.fullmatch(language) else ""
    return f"{fence}{tag}\n{text}\n{fence}"


def escape_lines(lines: Iterable[str]) -> list[str]:
    return [escape_line(line) for line in lines]


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
