"""Clean comment text: the first paragraph as plain prose that could be a query."""

from __future__ import annotations

import re

MIN_WORDS = 3
MAX_CHARS = 320
# Of a line and of a paragraph: markup that is not closed is looked through once for each place where it begins.
MAX_CHARS_READ = 2_000

_LINE_MARKS = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|\*+(?!\w)|//[/!]?<?|--+[ \t]*\|?|#+!?|%+|\{-[ \t]*\|?|\"\"\"|''')[ \t]?"
)
_END_MARKS = re.compile(r"(?:(?<!\*)\*+/|-\}|\"\"\"|''')$")
_LEADING_TAG = re.compile(r"^[@\\](?:brief|short|summary|description|desc|doc|fn|details?)\b[ \t:]*", re.IGNORECASE)
_STOP = re.compile(
    r"^(?:[@\\:][a-z]+|:?(?:args?|arguments?|param(?:eter)?s?|returns?|raises|throws|examples?|usage|notes?|see also|"
    r"attributes|yields|input|output|options|references|warning)[ \t]*:?$|>>>|```|~~~|-{3,}|={3,}|#+ |\.\. )",
    re.IGNORECASE,
)
_INLINE_TAG = re.compile(r"\{@(?:link|code|linkplain|value|literal)[ \t]([^}|]*)(?:\|[^}]*)?\}")
_ROLE = re.compile(r":[a-z:]+:`~?([^`]*)`")
_MARKDOWN_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_XML = re.compile(r"<(?:see|paramref|typeparamref)[^>\"]*\"([^\"]*)\"[^>]*>|</?[a-zA-Z][^>]{0,80}>")
_WORD = re.compile(r"[A-Za-z]{2,}")
_NOISE = re.compile(
    r"copyright|licen[sc]e|all rights reserved|spdx|eslint|noqa|pylint|istanbul|prettier|nolint|todo|fixme|xxx|hack:|"
    r"auto-?generated|do not edit|@generated|@ts-|deprecated|inheritdoc|^see |^\(non-javadoc|unused|region|pragma|"
    r"clang-format|type:|sourcemapping|rubocop|phpcs|@internal|lint:|^(?:public|private|protected|internal) |"
    r"^returns? (?:true|false)\.?$|^(?:test|tests|constructor|getter|setter|default constructor)\.?$|https?://\S+$",
    re.IGNORECASE,
)
_CODE_LIKE = re.compile(
    r"[;{}]|=>|==|\)\s*\(|^\s*(?:if|for|while|return|import|from|def|class|const|let|var)\b[^.]*[({=]"
)


def clean_doc(comment: str) -> str:
    """The first paragraph of a comment as plain prose, or "" if it is not informative enough for a query."""
    text = " ".join(_first_paragraph(comment))[:MAX_CHARS_READ]
    text = _INLINE_TAG.sub(r"\1", text)
    text = _ROLE.sub(r"\1", text)
    text = _MARKDOWN_LINK.sub(r"\1", text)
    text = _XML.sub(lambda m: (m.group(1) or " ").rsplit(".", 1)[-1].rsplit(":", 1)[-1], text)
    text = text.replace("`", "").replace("*", "")
    text = " ".join(text.split()).strip(" -*#/=!|")
    text = _truncate(text)
    return text if _is_informative(text) else ""


def _first_paragraph(comment: str) -> list[str]:
    kept: list[str] = []
    for raw in comment.splitlines():
        line = _END_MARKS.sub("", _LINE_MARKS.sub("", raw[:MAX_CHARS_READ]).rstrip()).strip()
        line = _LEADING_TAG.sub("", line)
        if _STOP.match(line):
            if kept or line.startswith((">>>", "```")):
                break
            continue
        if not line:
            if kept:
                break
            continue
        kept.append(line)
    return kept


def _truncate(text: str) -> str:
    """At most MAX_CHARS, cut at the end of a sentence where there is one."""
    if len(text) <= MAX_CHARS:
        return text
    head = text[:MAX_CHARS]
    end = max(head.rfind(". "), head.rfind("; "))
    return head[: end + 1] if end > 60 else head.rsplit(" ", 1)[0]


def _is_informative(text: str) -> bool:
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    return (
        len(words) >= MIN_WORDS
        and letters >= 12
        and letters >= 0.6 * len(text.replace(" ", ""))
        and text.isascii() + sum(c.isascii() for c in text) >= 0.9 * len(text)
        and not _NOISE.search(text)
        and not _CODE_LIKE.search(text)
    )
