"""One schema, told in four places: package.json, the Lua defaults, the table of docs/configuration.md and `c2llm --help`."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from c2llm_lsp.settings import SCHEMA
from tests.cli.conftest import c2llm
from tests.cli.program import CHECKOUT, Program

__all__ = ["c2llm"]

Told = dict[str, tuple[Any, str]]  # name -> default, what it does
EXPECTED: Told = {s.name: (list(s.default) if isinstance(s.default, tuple) else s.default, s.help) for s in SCHEMA}
OF_EDITORS: Told = {setting.name: EXPECTED[setting.name] for setting in SCHEMA if setting.in_editors}


def test_each_place_tells_the_schema(c2llm: Program) -> None:
    editors = {
        "package.json": of_package(json.loads(read("editors/vscode/package.json"))),
        "the Lua defaults": of_lua(read("editors/nvim/lua/c2llm/settings.lua")),
    }
    elsewhere = {
        "the page's table": of_table(read("docs/configuration.md")),
        "c2llm --help": of_help(c2llm("--help", environ={"COLUMNS": "500"}).out),
    }
    for told, expected in ((editors, OF_EDITORS), (elsewhere, EXPECTED)):
        for place, found in told.items():
            assert found == expected, f"{place} differs: run `python editors/settings.py`"
            assert list(found) == list(expected), f"{place} has them in another order"


def test_no_setting_of_an_editor_is_told_in_the_words_of_the_command_line() -> None:
    assert not [name for name, (_, text) in OF_EDITORS.items() if re.search(r"--\w|terminal|environment", text)]


@pytest.mark.parametrize("name", ["package.json", "settings.ts", "settings.lua", "configuration.md"])
def test_what_is_made_from_the_schema_is_made_anew_the_same(name: str) -> None:
    place = next(place for place in script().PLACES if place.endswith(name))
    text = read(place)
    assert script().PLACES[place](text) == text, "run `python editors/settings.py`"


def test_a_difference_is_seen() -> None:
    lua = read("editors/nvim/lua/c2llm/settings.lua")
    assert of_lua(lua.replace("results = 10,", "results = 11,")) != OF_EDITORS
    table = read("docs/configuration.md").replace("| `results` | integer | 10 |", "| `results` | integer | 11 |")
    assert of_table(table) != EXPECTED


def of_package(package: Any) -> Told:
    names = {script().camel(setting.name): setting.name for setting in SCHEMA}
    section = next(part for part in package["contributes"]["configuration"] if part["title"] == "Server")
    properties: Mapping[str, Any] = section["properties"]
    return {
        names.get(name.removeprefix("c2llm."), name): (row["default"], row["markdownDescription"])
        for name, row in properties.items()
    }


def of_lua(text: str) -> Told:
    helps = dict(re.findall(r"^---@field (\w+)\? [\w\[\]]+ (.*)$", text, re.MULTILINE))
    values = dict(re.findall(r"^  (\w+) = (.*),$", text, re.MULTILINE))
    return {name: (from_lua(values[name]), helps[name]) for name in values}


def from_lua(value: str) -> Any:
    return json.loads(re.sub(r"^\{(.*)\}$", r"[\1]", value))


def of_table(text: str) -> Told:
    found = re.search(r"<!-- settings -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert found
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()[2:]]
    return {name.strip("`"): (as_value(kind, default), what) for name, kind, default, _, _, what, _ in rows}


def of_help(text: str) -> Told:
    kinds = {setting.variable: (setting.name, setting.kind) for setting in SCHEMA}
    found: Told = {}
    for variable, what, default in re.findall(r"│ (C2LLM_\w+) +(.*?) \[default: (.*?)\] +│", text):
        name, kind = kinds.get(variable, (variable, "text"))
        found[name] = (as_value(kind, default), what)
    return found


def as_value(kind: str, shown: str) -> Any:
    """A default as it is told to a person, as the value that it stands for."""
    if kind in ("integer", "boolean"):
        return json.loads(shown)
    bare = "" if shown == "empty" else shown.strip("`")
    return [part.strip() for part in bare.split(",") if part.strip()] if kind == "list" else bare


def read(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def script() -> ModuleType:
    path = CHECKOUT / "editors" / "settings.py"
    spec = importlib.util.spec_from_file_location("editor_settings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
