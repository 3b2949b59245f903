"""JSON files, also with comments."""

from __future__ import annotations

from c2llm_lsp.agents import jsonc
from c2llm_lsp.agents.jsonc import Part, Value
from c2llm_lsp.agents.places import EntryPath


def get(text: str, path: EntryPath) -> object | None:
    found = _find(text, path)
    return found[1].value.data if found else None


def put(text: str, path: EntryPath, data: object) -> str:
    found = _find(text, path)
    if found:
        return jsonc.replace(text, found[1].value, data)
    return jsonc.add(text, path.keys, data, to_list=bool(path.marker))


def drop(text: str, path: EntryPath) -> str:
    found = _find(text, path)
    return jsonc.remove(text, *found) if found else text


def _find(text: str, path: EntryPath) -> tuple[Value, Part] | None:
    """The entry and what it is in."""
    if not text.strip("\ufeff \t\r\n"):
        return None
    container, missing = jsonc.descend(jsonc.parse(text), path.keys if path.marker else path.keys[:-1])
    if missing:
        return None
    if path.marker:
        parts = container.parts if isinstance(container.data, list) else ()
        part = next((part for part in parts if path.is_entry(part.value.data)), None)
    else:
        part = jsonc.member(container, path.keys[-1])
    return (container, part) if part else None
