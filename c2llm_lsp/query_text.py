"""What is typed into the box: words, with filters among them as `lang:python,go`, `kind:function`, `path:src/**`,
`-path:tests/**`, `in:changed`, `content:code` and `grep:pattern`, as in the editors' search boxes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval.types import CHUNK_KINDS, CONTENT_TYPES, WITHIN, Filters, SearchScope

FILTERS = ("lang:", "kind:", "path:", "-path:", "in:", "content:", "grep:")
SCOPES = tuple(name for name in WITHIN if name != "open")  # no file is open in a terminal
_FILTER = re.compile(r'(?:^|(?<=\s))(-?)(lang|language|kind|path|in|content|grep):(?:"([^"]*)"?|(\S*))', re.IGNORECASE)
_LISTS = {"lang": "languages", "language": "languages", "kind": "kinds", "in": "within", "content": "content"}


@dataclass(frozen=True, slots=True)
class TypedQuery:
    """The words, and what they are limited to. A filter whose value is not typed yet limits nothing."""

    query: str
    filters: Filters = field(default_factory=Filters)


def parse(typed: str) -> TypedQuery:
    """Split what is typed into words and filters. Values are checked by the engine, which says what there is."""
    values: dict[str, list[str]] = {"languages": [], "kinds": [], "content": [], "paths": [], "grep": [], "within": []}

    def take(match: re.Match[str]) -> str:
        excluded, name = match[1] == "-", match[2].lower()
        text = match[4] if match[3] is None else match[3]
        if excluded and name != "path":
            return match[0]
        if name == "grep":
            values["grep"][:] = [text] if text else []
        elif name == "path":
            globs = [text] if match[3] is not None else text.split(",")
            values["paths"] += [f"!{glob}" if excluded else glob for glob in globs if glob]
        else:
            values[_LISTS[name]] += [part for part in text.lower().split(",") if part]
        return " "

    query = " ".join(_FILTER.sub(take, typed).split())
    languages, kinds, content, paths = (tuple(values[name]) for name in ("languages", "kinds", "content", "paths"))
    scope = SearchScope(tuple(values["within"]))
    return TypedQuery(query, Filters(languages, paths, kinds, content, "".join(values["grep"]), scope))


def toggled(typed: str, scope: str) -> str:
    """What is typed, limited to a part of the workspace, or no longer where it was."""
    words = typed.split()
    kept = [word for word in words if word.lower() != f"in:{scope}"]
    return " ".join(kept if len(kept) < len(words) else [f"in:{scope}", *words]) + " "


def complete(typed: str, languages: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Complete the last word if it is a filter that is being written: the text with as much added as all candidates share, and
    the candidates where there are several. `languages` are those of the index.
    """
    start = max((n + 1 for n, character in enumerate(typed) if character.isspace()), default=0)
    head, word = typed[:start], typed[start:]
    name, colon, value = word.partition(":")
    if not colon:
        return _completed(head, "", word, FILTERS)
    values = {"lang": languages, "language": languages, "kind": CHUNK_KINDS, "in": SCOPES, "content": CONTENT_TYPES}
    names = values.get(name.lower())
    if names is None:
        return typed, ()
    before, comma, beginning = value.rpartition(",")
    return _completed(head, f"{name}:{before}{comma}", beginning, [f"{choice} " for choice in names])


def _completed(head: str, fixed: str, start: str, names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    candidates = [name for name in names if name.startswith(start.lower())] if start or fixed else []
    if not candidates:
        return head + fixed + start, ()
    first, last = min(candidates), max(candidates)
    length = next((n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    shared = first[:length]
    return head + fixed + shared, tuple(name.strip() for name in candidates) if len(candidates) > 1 else ()
