"""What the VS Code extension installs beside its wheel: everything pinned, everything with hashes, nothing out of date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cli.program import CHECKOUT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REQUIREMENTS = CHECKOUT / "editors/vscode/server/requirements.txt"


def pinned() -> Iterator[tuple[Requirement, list[str]]]:
    text = re.sub(r"(?m)^\s*#.*\n", "", REQUIREMENTS.read_text(encoding="utf-8")).replace("\\\n", " ")
    for line in text.splitlines():
        requirement, *hashes = line.split("--hash=")
        yield Requirement(requirement.strip()), hashes


def declared() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["mcp"]]


def test_everything_is_pinned_to_one_version_and_its_hashes() -> None:
    lines = list(pinned())
    assert len(lines) > 50
    for requirement, hashes in lines:
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", one) for one in hashes), requirement


@pytest.mark.parametrize("text", declared())
def test_what_the_package_needs_is_in_the_list(text: str) -> None:
    needed = Requirement(text)
    found = [pin for pin, _ in pinned() if canonicalize_name(pin.name) == canonicalize_name(needed.name)]
    assert found, f"{text} is missing: run .ci/lock"
    for pin in found:
        (version,) = (one.version for one in pin.specifier)
        assert needed.specifier.contains(version), f"{pin} is not {text}: run .ci/lock"
