"""The types of our own messages: real answers fit them, the schema describes them, the page shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from c2llm_lsp.server.fast_initialize import COMMANDS as PROMISED
from c2llm_lsp.server.protocol.reference import MARK, renewed
from c2llm_lsp.server.protocol.schema import COMMANDS, METHODS, schema
from tests.server.editing import Opened

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
AT = {"line": 5, "character": 4}


def fits(answer: Any, kind: Any) -> None:
    """Nothing is missing, nothing is of another type, nothing is there that the type does not say."""
    assert msgspec.to_builtins(msgspec.convert(answer, kind, strict=True)) == answer


def test_the_page_is_up_to_date() -> None:
    """Where this fails: python -m c2llm_lsp.server.protocol.reference docs/protocol.md"""
    assert renewed(PAGE.read_text(encoding="utf-8")) == PAGE.read_text(encoding="utf-8")


def test_a_page_without_the_mark_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no line"):
        renewed("# A page\n")
    assert renewed(f"# A page\n{MARK}old").startswith(f"# A page\n{MARK}\n## Methods")


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    described = schema()
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["$ref"]] if "$ref" in value else [])
            value = list(value.values())
        for part in value if isinstance(value, list) else ():
            walk(part)

    walk(described)
    assert {ref.removeprefix("#/$defs/") for ref in found} == set(described["$defs"])
    assert all(part["description"] for part in described["$defs"].values())
    assert set(described["commands"]) == set(PROMISED)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("c2llm/search", {"query": "ignore rules"}),
        ("c2llm/search", {"query": "nothing", "paths": ["nowhere/"]}),
        ("c2llm/similar", {"text": "for rule in rules: rule.matches(path)"}),
        ("c2llm/context", {"query": "ignore rules"}),
        ("c2llm/symbol", {"relation": "references", "symbol": "apply_ignore_rules"}),
        ("c2llm/outline", {}),
        ("c2llm/explain", {"position": AT, "query": "rules"}),
        ("c2llm/explain", {"position": AT}),
        ("c2llm/status", {}),
    ],
)
def test_real_answers_fit_their_types(opened: Opened, method: str, params: Any) -> None:
    if method == "c2llm/explain":
        params = {**params, "textDocument": {"uri": opened.uri_of("app/ignore.py")}}
    fits(opened.client.ask(method, params), METHODS[method][1])


def test_notifications_fit_their_type(opened: Opened) -> None:
    opened.client.hear("c2llm/statusChanged")
    for told in opened.client.heard("c2llm/statusChanged"):
        fits(told, METHODS["c2llm/statusChanged"][0])


@pytest.mark.parametrize("command", PROMISED)
def test_real_results_of_commands_fit_their_types(opened: Opened, command: str) -> None:
    place = {"textDocument": {"uri": opened.uri_of("app/ignore.py")}, "position": AT}
    argument = {"c2llm.server.search": {"query": "rules"}}.get(command, place if command in PROMISED[:2] else {})
    result = opened.client.ask("workspace/executeCommand", {"command": command, "arguments": [argument]})
    fits(result, COMMANDS[command][1])
