"""Workflows and .ci/run call the same scripts, with few permissions and pinned actions. actionlint checks the rest: .ci/lint."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SCRIPTS = {path.name for path in (CHECKOUT / ".ci").iterdir()}
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)


def called(text: str) -> set[str]:
    """The scripts that a workflow or script calls; a matrix names its scripts in a list."""
    listed = re.findall(r"^ +script: \[(.*)\]$", text, re.MULTILINE)
    steps = re.findall(r"^for step in (.*); do$", text, re.MULTILINE)
    in_lists = {name for names in listed + steps for name in re.split(r"[, ]+", names)}
    return in_lists | set(re.findall(r"^(?: *- run: |)\.ci/([\w-]+)", text, re.MULTILINE))


@each_workflow
def test_a_workflow_calls_scripts_that_exist(workflow: Path) -> None:
    names = called(workflow.read_text(encoding="utf-8"))
    assert names
    assert names <= SCRIPTS


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_can_be_started_and_is_called_by_something(name: str) -> None:
    script = CHECKOUT / ".ci" / name
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert os.access(script, os.X_OK)
    callers = [*WORKFLOWS, *(CHECKOUT / ".ci" / other for other in SCRIPTS - {name})]
    by_hand = "By hand." in next((line for line in CONTRIBUTING.splitlines() if f"`.ci/{name}`" in line), "")
    assert name == "run" or by_hand or any(name in called(caller.read_text(encoding="utf-8")) for caller in callers)


def test_what_gates_a_change_is_also_checked_on_the_forge() -> None:
    gate = called((CHECKOUT / ".ci" / "run").read_text(encoding="utf-8"))
    assert gate <= called((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


@each_workflow
def test_actions_are_pinned_to_commits(workflow: Path) -> None:
    uses = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
    assert [action for action in uses if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)] == []


@each_workflow
def test_a_workflow_may_only_read_and_keeps_no_credentials(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert re.search(r"^permissions:\n  contents: read\n\n", text, re.MULTILINE)
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_the_release_publishes_to_an_index_only_where_somebody_has_switched_it_on() -> None:
    text = (CHECKOUT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    publish = text[text.index("  publish:\n") :]
    assert publish.startswith("  publish:\n    if: vars.PUBLISH_TO_INDEX == 'true'\n")
    assert "id-token: write" in publish and "id-token" not in text[: text.index("  publish:\n")]
