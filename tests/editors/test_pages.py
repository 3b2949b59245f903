"""What the pages on editors say must be true of the program: its commands, settings, requests and titles."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main

from c2llm_lsp.cli.app import LazyGroup, app
from c2llm_lsp.server.fast_initialize import COMMANDS, METHODS
from c2llm_lsp.server.handlers.code_action import OFFERED
from c2llm_lsp.settings import SCHEMA, from_editor
from tests.editors.pages import PAGES, blocks, code_of, text

EDITORS = {"emacs", "helix", "jetbrains", "kate", "sublime", "zed"}
toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def parsed(page: Path) -> list[Any]:
    """The page's JSON and TOML as values. Raises ValueError where it is neither."""
    return [
        *(json.loads(block.code) for block in blocks(page, "json")),
        *(toml.loads(block.code) for block in blocks(page, "toml")),
    ]


def tables(value: Any) -> Iterator[dict[str, Any]]:
    """Every table in a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from tables(inner)


def command_lines(page: Path) -> list[list[str]]:
    """Every command line of c2llm on a page, without the program's name."""
    found = []
    for table in (table for value in parsed(page) for table in tables(value)):
        command = table.get("command")
        if isinstance(command, list) and command[0] == "c2llm":
            found.append(command[1:])
        elif command == "c2llm":
            found.append(table["args"])
    for code in code_of(page):
        found += [shlex.split(line)[1:] for line in code.splitlines() if line.startswith("c2llm ")]
        # Lists of texts in Lisp, JSON, TOML and Rust.
        texts = r'((?:"[^"]*"(?:, | )?)*)'
        starts = rf'(?:\[|\(|"--" )"c2llm",? {texts}[)\]]', rf"args(?: =|: vec!) ?\[{texts}(?:\.into\(\))?\]"
        lists = [given for start in starts for given in re.findall(start, code)]
        found += [re.findall(r'"([^"]*)"', given) for given in lists]
    return found


def parse(line: list[str]) -> None:
    """Take a command line apart as c2llm does, and run nothing. Raises a usage error."""
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    with group.make_context("c2llm", [], resilient_parsing=True) as context:
        name, command, rest = group.resolve_command(context, list(line))
        assert command is not None, f"No such command: {line[0]}"
        if rest:  # a name alone stands for the command, not for a call of it
            command.make_context(name, rest, parent=context)


def settings(page: Path) -> dict[str, Any]:
    """Every setting of c2llm that a page sets."""
    found: dict[str, Any] = {}
    for table in (table for value in parsed(page) for table in tables(value)):
        for name, inner in table.items():
            if name.startswith("c2llm."):
                found[name.removeprefix("c2llm.")] = inner
            elif name == "c2llm" and isinstance(inner, dict):
                of_client = {"command", "enabled", "languages"} & inner.keys()
                given = inner.get("settings") or inner.get("config") or ({} if of_client else inner)
                found |= {key: value for key, value in given.items() if not key.startswith("c2llm.")}
    for block in blocks(page, "elisp"):
        for plist in re.findall(r"\(:c2llm \(([^()]*)\)\)", block.code):
            found |= {
                key: int(value) if value.isdigit() else value == "t"
                for key, value in re.findall(r":(\S+) (\S+)", plist)
            }
    return found


def test_each_editor_has_its_page() -> None:
    assert {page.stem for page in PAGES} == EDITORS


@each_page
def test_a_page_says_what_it_was_tried_with(page: Path) -> None:
    assert re.search(r"^Tried with \w+ [0-9.]+", text(page), re.MULTILINE) or "\nNot tried in" in text(page)


@each_page
def test_a_page_treats_everything(page: Path) -> None:
    for part in ("Install", "Configure", "Settings", "Progress", "When something is wrong", "Limits"):
        assert f"\n## {part}\n" in text(page)
    assert re.search(r"\n## Search", text(page)) and re.search(r"^## .*[Ss]imilar", text(page), re.MULTILINE)


@each_page
def test_command_lines_are_ones_that_c2llm_knows(page: Path) -> None:
    found = command_lines(page)
    assert any(line[:1] == ["serve"] for line in found), "a page starts the server"
    for line in found:
        parse(line)


@each_page
def test_settings_are_in_the_schema_and_have_values_of_their_kind(page: Path) -> None:
    found = settings(page)
    known, warnings = from_editor(found)
    assert found, "a page shows how a setting is made"
    assert not warnings
    assert known.keys() == found.keys(), f"known are {[setting.name for setting in SCHEMA]}"


@each_page
def test_requests_and_commands_exist(page: Path) -> None:
    code = "\n".join(code_of(page))
    assert set(re.findall(r"c2llm/[a-zA-Z]+", code)) <= set(METHODS)
    assert set(re.findall(r"c2llm\.server\.\w+", code)) <= set(COMMANDS)


@each_page
def test_titles_of_code_actions_are_those_that_are_offered(page: Path) -> None:
    said = " ".join(text(page).split())
    assert all(f'"{title}"' in said for title, _, _ in OFFERED)


def test_what_is_wrong_is_seen() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["serve", "--no-such-option"])
    with pytest.raises(AssertionError, match="No such command"):
        parse(["no-such-command"])
    assert from_editor({"no_such_setting": 1})[0] == {}
