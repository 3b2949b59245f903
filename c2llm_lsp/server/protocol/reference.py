"""The tables of docs/protocol.md, made from the JSON Schema. After a change of the types:

python -m c2llm_lsp.server.protocol.reference docs/protocol.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from c2llm_lsp.server.protocol.schema import schema

MARK = "<!-- From here on made by: python -m c2llm_lsp.server.protocol.reference docs/protocol.md -->\n"


def renewed(page: str) -> str:
    """The page with what is below the mark made anew. Raises ValueError without the mark."""
    written, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"The page has no line {MARK.strip()}")
    return f"{written}{MARK}\n{reference()}"


def reference() -> str:
    """Requests, commands and types as Markdown."""
    described = schema()
    parts = described["$defs"]
    lines = ["## Methods", "", "| method | parameters | answer |", "|---|---|---|"]
    for name, types in described["methods"].items():
        answer = _type(types["result"]) if "result" in types else "none: a notification of the server"
        lines.append(f"| `{name}` | {_type(types['params'])} | {answer} |")
    lines += ["", "## Arguments and results of commands", "", "| command | argument | result |", "|---|---|---|"]
    for name, types in described["commands"].items():
        lines.append(f"| `{name}` | {_type(types['argument'])} | {_type(types['result'])} |")
    lines += ["", "## Types", "", "In what a client sends, a field that can be null may be left out.", ""]
    for name, part in parts.items():
        lines += [f"### {name}", "", part["description"], "", *_table(part), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(part: dict[str, Any]) -> list[str]:
    """One row a field."""
    rows = ["| field | type | |", "|---|---|---|"]
    for name, field in part["properties"].items():
        kind, said = _type(field), _description(field)
        if name not in part["required"] and field["default"] is not None:
            kind += f", `{json.dumps(field['default'])}` if absent"
        rows.append(f"| `{name}` | {kind} | {said} |")
    return rows


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(kind) for kind in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if field["type"] == "object":
        return f"object, values: {_type(field['additionalProperties'])}"
    return f"{field['type']}{_bounds(field)}"


def _bounds(field: dict[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if high is not None and high < 2**31 - 1:
        return f" {low:,} to {high:,}"
    return f" ≥ {low}" if low is not None else ""


def _description(field: dict[str, Any]) -> str:
    found = [field, *field.get("anyOf", ())]
    return next((str(kind["description"]) for kind in found if "description" in kind), "")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
