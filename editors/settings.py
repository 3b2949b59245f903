"""The server's settings wherever a person reads of them, made from the one schema: `python editors/settings.py` writes
them into VS Code's package.json and its list in src/settings.ts, Neovim's
lua/c2llm/settings.lua and the table of docs/configuration.md.

A setting that a workspace may not set has the scope "machine": VS Code takes it from the user alone then. Defaults are
stated for the person: an editor sends what somebody set and nothing else, so that config files keep their say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from c2llm_lsp.settings import SCHEMA, Setting

CHECKOUT = Path(__file__).resolve().parents[1]
IN_EDITORS = tuple(setting for setting in SCHEMA if setting.in_editors)
TITLE = "Server"  # of the section in package.json
_JSON_TYPES = {"text": "string", "integer": "integer", "boolean": "boolean", "list": "array"}
_LUA_TYPES = {"text": "string", "integer": "integer", "boolean": "boolean", "list": "string[]"}


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def package_json(text: str) -> str:
    package = json.loads(text)
    section = next(part for part in package["contributes"]["configuration"] if part["title"] == TITLE)
    section["properties"] = {
        f"c2llm.{camel(setting.name)}": _property(setting, n) for n, setting in enumerate(IN_EDITORS, 1)
    }
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _property(setting: Setting, order: int) -> dict[str, Any]:
    default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
    found: dict[str, Any] = {"type": _JSON_TYPES[setting.kind], "default": default}
    if setting.kind == "list":
        found["items"] = {"type": "string"}
    if setting.kind == "integer":
        found |= {"minimum": setting.minimum, "maximum": setting.maximum}
    scope = "window" if setting.in_workspace else "machine"
    return found | {"scope": scope, "order": order, "markdownDescription": setting.help}


def typescript(text: str) -> str:
    names = "".join(f'  "{camel(setting.name)}",\n' for setting in IN_EDITORS)
    return _between(text, "export const SERVER_SETTINGS = [\n", "] as const;", names)


def lua(_: str) -> str:
    fields = "".join(f"---@field {s.name}? {_LUA_TYPES[s.kind]} {s.help}\n" for s in IN_EDITORS)
    defaults = "".join(f"  {s.name} = {_lua_value(s)},\n" for s in IN_EDITORS)
    return (
        "-- The settings of the server and their defaults. Made by: python editors/settings.py\n\n"
        f"local M = {{}}\n\n---@class c2llm.Settings\n{fields}\n"
        f"---@type c2llm.Settings\nM.defaults = {{\n{defaults}}}\n\nreturn M\n"
    )


def _lua_value(setting: Setting) -> str:
    if isinstance(setting.default, tuple):
        return "{ " + ", ".join(map(json.dumps, setting.default)) + " }" if setting.default else "{}"
    return json.dumps(setting.default)  # texts, numbers and booleans are written alike


def page(text: str) -> str:
    head = (
        "| setting | type | default | environment | in `.c2llm.toml` | what it does | used by |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return _between(text, "<!-- settings -->\n", "<!-- end -->", head + "".join(f"{_row(s)}\n" for s in SCHEMA))


def _row(setting: Setting) -> str:
    plain = {"integer": str(setting.default), "boolean": str(setting.default).lower()}
    default = plain.get(setting.kind) or (f"`{setting.default}`" if setting.default else "empty")
    workspace = "yes" if setting.in_workspace else "no"
    first = f"| `{setting.name}` | {setting.kind} | {default} | `{setting.variable}` | {workspace} |"
    return f"{first} {setting.help} | {setting.used_by} |"


def _between(text: str, start: str, end: str, inner: str) -> str:
    before, found, rest = text.partition(start)
    if not found:
        raise ValueError(f"There is no {start.strip()!r}.")
    return f"{before}{start}{inner}{end}{rest.partition(end)[2]}"


# Where the settings stand, and what makes a file's text from the text that it has.
PLACES: dict[str, Callable[[str], str]] = {
    "editors/vscode/package.json": package_json,
    "editors/vscode/src/settings.ts": typescript,
    "editors/nvim/lua/c2llm/settings.lua": lua,
    "docs/configuration.md": page,
}


def main() -> int:
    for name, made in PLACES.items():
        path = CHECKOUT / name
        path.write_text(made(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
