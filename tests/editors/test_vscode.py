"""What the VS Code extension says about the server, held against the server: requests and their types."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from c2llm_lsp.server.fast_initialize import COMMANDS, METHODS, VERSION
from c2llm_lsp.server.protocol.schema import schema

EXTENSION = Path(__file__).resolve().parents[2] / "editors" / "vscode"
PROTOCOL = (EXTENSION / "src" / "protocol.ts").read_text(encoding="utf-8")
INTERFACE = re.compile(r"^export interface (\w+)(?: extends ([\w, ]+))? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def package() -> Any:
    return json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))


def test_requests_and_commands_are_those_of_the_server() -> None:
    assert set(re.findall(r'= "(c2llm/\w+)"', PROTOCOL)) <= set(METHODS)
    assert set(re.findall(r'= "(c2llm\.server\.\w+)"', PROTOCOL)) <= set(COMMANDS)
    assert f"PROTOCOL = {VERSION};" in PROTOCOL


def test_each_field_that_the_extension_knows_is_one_of_the_server() -> None:
    known = schema()["$defs"]
    fields = {name: set(part.get("properties", {})) for name, part in known.items()}
    # Types of the extension's own that several of the server's have in common.
    fields |= {"Filters": fields["SearchParams"], "Place": fields["SimilarParams"]}
    found = INTERFACE.findall(PROTOCOL)
    assert len(found) > 10
    for name, _, body in found:
        named = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
        assert named <= fields[name], f"{name}: {named - fields[name]}"


def test_the_tool_for_language_models_offers_each_kind_of_code(package: Any) -> None:
    (tool,) = package["contributes"]["languageModelTools"]
    kinds = tool["inputSchema"]["properties"]["kinds"]["items"]["enum"]
    assert sorted(kinds) == sorted(schema()["$defs"]["SearchParams"]["properties"]["kinds"]["items"]["enum"])
