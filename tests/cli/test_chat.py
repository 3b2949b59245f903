"""`c2llm chat` against a scripted server, by lines and at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.llm.running import ScriptedServer, scripted_server
from tests.llm.server import ANSWER
from tests.terminal import Terminal


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def test_a_follow_up_is_made_a_question_that_stands_alone(
    c2llm: Program, project: Path, server: ScriptedServer
) -> None:
    server.asked()
    lines = "how are ignore rules applied\nand where\n/clear\n\nprices\n/quit\nnever\n"
    result = c2llm("chat", "--json", "--llm", server.llm("standalone"), cwd=project, stdin=lines)
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["context"]["query"] for answer in answers] == [
        "how are ignore rules applied",
        "where are ignore rules applied",  # as the model wrote it
        "prices",  # /clear: it follows nothing
    ]
    first, condensing, second, third = [asked["body"]["messages"] for asked in server.asked()]
    assert "Follow-up: and where" in condensing[-1]["content"] and "how are ignore" in condensing[-1]["content"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[1]["content"] == "how are ignore rules applied"  # without its code
    assert second[-1]["content"].endswith("Question: and where")
    assert len(first) == len(third) == 2 and result.code == 0


def test_a_follow_up_that_the_model_makes_too_long_is_searched_for_with_the_question_before(
    c2llm: Program, project: Path, server: ScriptedServer
) -> None:
    result = c2llm("chat", "--events", "--llm", server.llm("good"), cwd=project, stdin="ignore rules\nwhere\n")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["query"] for event in events if event["event"] == "context"] == ["ignore rules", "ignore rules where"]
    assert [event["event"] for event in events].count("done") == 2


def test_what_fails_is_said_and_the_conversation_goes_on(c2llm: Program, project: Path, server: ScriptedServer) -> None:
    result = c2llm("chat", "--events", "--llm", server.llm("500"), cwd=project, stdin="rules\nprices\n")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] for event in events] == ["context", "error"] * 2
    assert result.code == 2 and "fails with 500" in result.err
    unset = c2llm("chat", cwd=project, stdin="rules\n")
    assert (unset.code, unset.out) == (2, "") and "No language model is set" in unset.err


@pytest.mark.slow
def test_at_a_terminal_ctrl_c_ends_an_answer_and_ctrl_d_the_conversation(
    c2llm: Program, project: Path, server: ScriptedServer
) -> None:
    held = server.held()
    command = c2llm.command("chat", "--llm", held.llm, "--quiet")
    terminal = Terminal(command, project, c2llm.environment(), columns=100)

    def prompted(rows: list[str]) -> bool:
        """Keys that are typed before may be lost."""
        return rows[terminal.screen.cursor.y].rstrip() == "?"

    try:
        terminal.until(prompted)
        terminal.type("how are ignore rules applied\r")
        terminal.until(lambda rows: any(row.startswith(ANSWER[0].strip()) for row in rows))
        terminal.type("\x03")
        terminal.until(lambda rows: any(row.startswith("Ended.") for row in rows) and prompted(rows))
        terminal.type("/context\r")
        rows = terminal.until(lambda rows: any("app/ignore.py:1-9" in row for row in rows) and prompted(rows))
        assert any("Searched for: how are ignore rules applied" in row for row in rows)
        assert not terminal.screen.cursor.hidden
        terminal.type("\x04")
        assert terminal.wait() == 0
    finally:
        terminal.close()
        held.release()
