"""Messages between a session and its index process: they arrive as they were sent, and nothing else is taken for one."""

from __future__ import annotations

import marshal

import pytest

from c2llm_lsp.session.index_process import messages
from c2llm_lsp.settings import Settings
from retrieval.types import IndexReport, Skip

REPORT = IndexReport(files_seen=3, skipped=(Skip("a.bin", "binary"),), seconds=1.5, notes=("One note.",))


def sent(message: messages.Message) -> object:
    """As it is on the other side of the pipe."""
    return marshal.loads(marshal.dumps(messages.encode(message)))


@pytest.mark.parametrize(
    "command",
    [messages.Changed(("a.py", "b.py")), messages.Rescan("branch"), messages.Cancel()],
)
def test_commands_arrive_as_they_were_sent(command: messages.Command) -> None:
    assert messages.decode(sent(command), messages.Command) == command


@pytest.mark.parametrize(
    "report",
    [
        messages.Progress("words", 1, 2),
        messages.Done(("a.py",), "files changed", REPORT),
        messages.Done(None, "start", REPORT),
        messages.Busy(REPORT),
        messages.Failed("The disk is full."),
        messages.Idle(3),
    ],
)
def test_reports_arrive_as_they_were_sent(report: messages.Report) -> None:
    assert messages.decode(sent(report), messages.Report) == report


def test_a_workspace_may_have_a_name_that_is_not_utf8() -> None:
    start = messages.Start("/tmp/\udcff", Settings(exclude=("a", "b")), "start")
    assert messages.decode(sent(start), messages.Start) == start


@pytest.mark.parametrize("value", [None, 7, [], {"type": "Cancel!"}, {"type": "Idle", "commands_seen": 1}])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a message"):
        messages.decode(value, messages.Command)
