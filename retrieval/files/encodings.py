"""Decodes the bytes of a source file.

Choices: UTF-8 first, then a byte order mark, then what the file declares, then a guess by chardet, of two libraries that are
maintained the one that told all of 39 short samples of code in 13 encodings (charset-normalizer 32). It reads only lines that
are not ASCII, 16 kB of them at most, and takes a tenth of a second to load, which files in UTF-8 never pay. A guess that is
little better than chance is taken for Windows-1252, as before, and called uncertain. Bytes that no encoding gives a meaning
are binary. UTF-16 and UTF-32 without a mark are told by the places of their zero bytes.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CANDIDATES = (
    "gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp1258", "cp874", "koi8-r", "koi8-u", "iso8859-2",
)  # fmt: skip
# What a file may declare: names of Python's codecs for text of 8 bits and more.
_DECLARED = re.compile(rb"(?:coding[:=][ \t]*|\bencoding=[\"']|\bcharset=[\"']?)([-\w.]{3,20})")
_DECLARATION_BYTES = 1024
_ALLOWED = frozenset(
    {*_CANDIDATES, "gbk", "gb2312", "big5", "shift_jis", "shift_jisx0213", "euc_jp", "euc_kr", "iso2022_jp", "hz", "johab",
     "mac-roman", "mac-cyrillic", "mac-latin2", "cp437", "cp850", "cp852", "cp855", "cp866", "cp1125", "koi8-t", "kz1048",
     *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16))}
)  # fmt: skip
_BYTES_OF_DOUBLE = ("gb18030", "big5hkscs", "cp932", "euc_jis_2004", "cp949")
_SAMPLE_BYTES = 16 * 1024
_SAMPLE_LINE_BYTES = 2 * 1024
MOST_GUESSED_BYTES = _SAMPLE_BYTES + _SAMPLE_LINE_BYTES  # that the guess looks at: 5 ms at worst
_MIN_CONFIDENCE = 0.1  # by trial: "für" 0.014, "déjà vu" as Cyrillic 0.075; a comment of some words 0.15 to 0.9
_SURE_CONFIDENCE = 0.15
# Encodings of scripts whose words have no letters of ASCII in them.
_OTHER_SCRIPTS = frozenset({"cp1251", "cp1253", "cp1255", "cp1256", "cp874", "koi8-r", "koi8-u"})
_BESIDE_ASCII = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_PAIRS = re.compile(rb"[\x80-\xff]+")
_WIDE_SAMPLE_BYTES = 4 * 1024
_BEYOND_ASCII = re.compile("[^\x00-\x7f\ufffd]+")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ud800-\udfff\ufffe\uffff]")
# Valid characters beyond ASCII for each byte that is not UTF-8, from which on a file is damaged UTF-8, not another encoding.
_DAMAGED = 3


class Decoded(NamedTuple):
    """A text, the encoding it was read in, and whether that is more than a guess."""

    text: str
    encoding: str
    is_certain: bool = True


def decode(data: bytes) -> str | None:
    """The text of a file's bytes; None for binary content."""
    decoded = decode_source(data)
    return decoded.text if decoded is not None else None


def decode_source(data: bytes) -> Decoded | None:
    """The text of a file's bytes and its encoding; None for binary content."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _strict(data, encoding)
            if text is not None:
                return None if "\0" in text else Decoded(text, encoding)
            if mark != codecs.BOM_UTF8:
                return None
    if b"\0" in data:
        return _wide(data)
    text = _strict(data, "utf-8")
    if text is not None:
        return Decoded(text, "utf-8")
    return _declared(data) or _damaged(data) or _guessed(data)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _declared(data: bytes) -> Decoded | None:
    match = _DECLARED.search(data[:_DECLARATION_BYTES])
    if match is None:
        return None
    try:
        encoding = codecs.lookup(match[1].decode("ascii", "replace")).name
    except LookupError:
        return None
    text = _strict(data, encoding) if encoding in _ALLOWED else None
    return Decoded(text, encoding) if text is not None else None


def _damaged(data: bytes) -> Decoded | None:
    """UTF-8 with some bytes that are not."""
    text = data.decode("utf-8-sig", "replace")
    damaged = text.count("\ufffd")
    valid = sum(map(len, _BEYOND_ASCII.findall(text)))
    return Decoded(text, "utf-8", False) if valid >= _DAMAGED * damaged else None


def _guessed(data: bytes) -> Decoded | None:
    import chardet

    sample = _sample(data)
    guess = chardet.detect(sample, include_encodings=_CANDIDATES, compat_names=False)
    encoding, confidence = guess["encoding"], guess["confidence"]
    if encoding is None:
        return None  # binary
    if encoding in _OTHER_SCRIPTS and len(_BESIDE_ASCII.findall(sample)) * 2 >= len(_PAIRS.findall(sample)):
        confidence = 0.0
    if confidence >= _MIN_CONFIDENCE or (encoding in _BYTES_OF_DOUBLE and _is_paired(sample)):
        text = _strict(data, encoding)
        if text is not None:
            return Decoded(text, encoding, confidence >= _SURE_CONFIDENCE)
    text = _strict(data, "cp1252")
    return Decoded(text, "cp1252", False) if text is not None else Decoded(data.decode("latin-1"), "iso8859-1", False)


def _sample(data: bytes) -> bytes:
    """The lines that are not ASCII."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[:_SAMPLE_LINE_BYTES])
            size += len(lines[-1])
            if size >= _SAMPLE_BYTES:
                break
    return b"".join(lines)


def _is_paired(sample: bytes) -> bool:
    """Whether bytes beyond ASCII come in pairs only, as in words of East Asian scripts, seldom in those of Western ones."""
    return all(len(found) % 2 == 0 for found in _PAIRS.findall(sample))


def _wide(data: bytes) -> Decoded | None:
    """UTF-16 or UTF-32 without a byte order mark; None for other content with zero bytes."""
    for unit, encodings in ((4, ("utf-32-le", "utf-32-be")), (2, ("utf-16-le", "utf-16-be"))):
        if len(data) % unit:
            continue
        for encoding in encodings:
            text = _strict(data[: _WIDE_SAMPLE_BYTES // unit * unit], encoding)
            if text and _reads_as_text(text):
                text = _strict(data, encoding)
                if text is not None and "\0" not in text:
                    return Decoded(text, encoding)
    return None


def _reads_as_text(text: str) -> bool:
    """Whether wide characters are text: no controls, blanks or line ends among them, and one character in two of ASCII or of
    a script that fills pages.
    """
    if _CONTROLS.search(text) or not ("\n" in text or " " in text):
        return False
    usual = sum(char.isascii() or char.isalpha() or char.isspace() for char in text)
    ascii_blanks = sum(char in " \n\t" for char in text)
    return usual >= 0.9 * len(text) and ascii_blanks * 100 >= len(text)
