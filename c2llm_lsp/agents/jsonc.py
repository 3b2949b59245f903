"""JSON with comments and trailing commas, edited where it stands: every byte outside the edit is kept.

Assistants let people comment their settings, and a library that reads and writes such files again would lose comments,
order or spacing. So a file is read into values that know their place in the text, and an edit is one piece of text put
in, replaced or taken out. Numbers, strings and literals are read by the json module.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from c2llm_lsp.agents.errors import ConfigError

MAX_DEPTH = 100
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its place in the text. Objects and arrays have `parts`."""

    start: int
    end: int
    data: object
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an object, with its key, or an element of an array; `start` is where the key begins."""

    start: int
    value: Value
    key: str = ""


def parse(text: str) -> Value:
    """The one value of a text. Raises ConfigError."""
    value = _value(text, skip_blank(text, 1 if text.startswith("\ufeff") else 0), 0)
    end = skip_blank(text, value.end)
    if end < len(text):
        raise _error(text, end, "the end of the file")
    return value


def skip_blank(text: str, position: int) -> int:
    """The position after blanks and comments."""
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            if end < 0:
                raise _error(text, position, "the end of the comment")
            position = end + 2
        else:
            break
    return position


def _value(text: str, position: int, depth: int) -> Value:
    if depth > MAX_DEPTH:
        raise _error(text, position, f"at most {MAX_DEPTH} levels")
    opening = text[position : position + 1]
    if opening in ("{", "["):
        return _container(text, position, depth)
    try:
        data, end = _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError):
        raise _error(text, position, "a value") from None
    return Value(position, end, data)


def _container(text: str, position: int, depth: int) -> Value:
    is_object = text[position] == "{"
    closing, start = "}" if is_object else "]", position
    parts: list[Part] = []
    position = skip_blank(text, position + 1)
    while text[position : position + 1] != closing:
        part = _member(text, position, depth) if is_object else Part(position, _value(text, position, depth + 1))
        parts.append(part)
        position = skip_blank(text, part.value.end)
        if text[position : position + 1] == ",":
            position = skip_blank(text, position + 1)
        elif text[position : position + 1] != closing:
            raise _error(text, position, f"',' or '{closing}'")
    data: object = {part.key: part.value.data for part in parts} if is_object else [part.value.data for part in parts]
    return Value(start, position + 1, data, tuple(parts))


def _member(text: str, start: int, depth: int) -> Part:
    if text[start : start + 1] != '"':
        raise _error(text, start, "a key in quotation marks")
    key = _value(text, start, depth)
    colon = skip_blank(text, key.end)
    if text[colon : colon + 1] != ":":
        raise _error(text, colon, "':'")
    return Part(start, _value(text, skip_blank(text, colon + 1), depth + 1), str(key.data))


def _error(text: str, position: int, expected: str) -> ConfigError:
    line = text.count("\n", 0, position) + 1
    return ConfigError(f"line {line} is not valid JSON: expected {expected}")


def add(text: str, keys: tuple[str, ...], value: object, *, to_list: bool = False) -> str:
    """The text with a new member at `keys`, or, `to_list`, a new element of the array at `keys`. Raises ConfigError."""
    if not text.strip("\ufeff \t\r\n"):
        text = f"{text}{{}}\n"
    target, missing = descend(parse(text), keys if to_list else keys[:-1])
    if to_list and not missing:
        return _insert(text, target, "", value)
    path = missing if to_list else (*missing, keys[-1])
    value = [value] if to_list else value
    for key in reversed(path[1:]):
        value = {key: value}
    return _insert(text, target, path[0], value)


def descend(root: Value, keys: tuple[str, ...]) -> tuple[Value, tuple[str, ...]]:
    """The innermost value that is there, and the keys below it that are not. Raises ConfigError."""
    for number, key in enumerate(keys):
        if not isinstance(root.data, dict):
            raise ConfigError(f"{'.'.join(keys[:number]) or 'its content'} is not an object")
        below = member(root, key)
        if below is None:
            return root, keys[number:]
        root = below.value
    return root, ()


def member(value: Value, key: str) -> Part | None:
    """The member with this key; of several the last, as programs read it."""
    return next((part for part in reversed(value.parts) if part.key == key), None)


def replace(text: str, old: Value, data: object) -> str:
    """The text with other data in the place of a value."""
    indent = _indent(text, old.start)
    return text[: old.start] + _render(data, indent, _unit(text)) + text[old.end :]


def remove(text: str, container: Value, part: Part) -> str:
    """The text without a member or an element, its line break and one comma."""
    number, end = container.parts.index(part), part.value.end
    start = len(text[: part.start].rstrip(" \t"))
    if text[:start].endswith("\n"):
        start -= 1
    following = skip_blank(text, end)
    if text[following] == ",":
        return text[:start] + text[following + 1 :]
    if not number:
        rest = text[container.start + 1 : start] + text[end : container.end - 1]
        return text[: container.start + 1] + (rest if rest.strip() else "") + text[container.end - 1 :]
    comma = skip_blank(text, container.parts[number - 1].value.end)
    return text[:comma] + text[comma + 1 : max(start, comma + 1)] + text[end:]


def _insert(text: str, target: Value, key: str, data: object) -> str:
    if not isinstance(target.data, dict if key else list):
        raise ConfigError(f"the place of {key or 'the entry'} is not {'an object' if key else 'a list'}")
    prefix = f"{json.dumps(key, ensure_ascii=False)}: " if key else ""
    if not target.parts:
        outer = _indent(text, target.start)
        inner = outer + _unit(text)
        rest = text[target.start + 1 :]
        blank = rest.lstrip(" \t\r\n")[:1] in ("}", "]")
        rest = rest.lstrip(" \t\r\n") if blank else rest
        ending = "" if not blank and rest.lstrip(" \t\r").startswith("\n") else f"\n{outer}"
        return f"{text[: target.start + 1]}\n{inner}{prefix}{_render(data, inner, _unit(text))}{ending}{rest}"
    last = target.parts[-1]
    comma = skip_blank(text, last.value.end)
    has_comma = text[comma] == ","
    before = text[: comma + 1] if has_comma else f"{text[: last.value.end]},"
    after = text[len(before) :] if has_comma else text[last.value.end :]
    if "\n" not in text[target.start : last.start]:
        return f"{before} {prefix}{json.dumps(data, ensure_ascii=False)}{after}"
    note = _note(after)  # a comment that ends the line of the last member stays with it
    inner = _indent(text, last.start)
    return f"{before}{after[:note]}\n{inner}{prefix}{_render(data, inner, _unit(text))}{after[note:]}"


def _note(after: str) -> int:
    """The length of the comment that follows on the same line; 0 if there is none, or if it goes on on the next line."""
    line = after.split("\n", 1)[0].rstrip()
    note = line.strip()
    if note.startswith("//") or (note.startswith("/*") and note.endswith("*/") and note.count("*/") == 1):
        return len(line)
    return 0


def _indent(text: str, position: int) -> str:
    """The blanks at the beginning of the line of a position."""
    line = text[text.rfind("\n", 0, position) + 1 : position].lstrip("\ufeff")
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """What this file indents by."""
    root = parse(text)
    if root.parts and "\n" in text[root.start : root.parts[0].start]:
        return _indent(text, root.parts[0].start) or "  "
    return "  "


def _render(data: object, indent: str, unit: str) -> str:
    lines = json.dumps(data, ensure_ascii=False, indent=unit).split("\n")
    return f"\n{indent}".join(lines)
