"""The examples of docs/assistants.md run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rag.test_citations import ScriptedLLM

PAGE = Path(__file__).parents[2] / "docs" / "assistants.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "retry.py").write_text("def retry(request):\n    for attempt in range(3):\n        request.send(attempt)\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = {"llm": ScriptedLLM(answer="Three times [retry.py:1-3].")}
    exec(EXAMPLES[number].replace("/path/to/project", str(root)), names)  # type: ignore[arg-type]
    if "nodes" in names:
        assert "def retry" in str(names["nodes"])
    else:
        assert capsys.readouterr().out == "retry.py 1 3 True\n"
