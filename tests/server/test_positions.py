"""Positions in every answer, in the encoding that was negotiated, for open and closed files with every kind of line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c2llm_lsp.server.text.positions import split_lines
from tests.cli.program import lay_out
from tests.server.client import Client, started
from tests.server.editing import SERVE, Opened

TARGET = "def measure_the_target(value):\n    return value  # {}\n"
ABOVE = {
    "plain": "first = 1\nsecond = 2\n\n\n",
    "emoji": "first = '😀😀'\nsecond = '👩‍👩‍👧'\n\n\n",
    "tabs": "\tfirst = 1\n\t\tsecond = 2\n\n\n",
    "crlf": "first = 1\r\nsecond = '😀'\r\n\r\n\r\n",
    "lone cr": "first = 1\rsecond = 2\r\r\rthird = 3\n\n\n",
    "form feed": "first = 1\x0c\nsecond = '\u2028 \u2029 \x85'\x0b\n\n\n",
}
TAIL = "é😀日"


@pytest.fixture(scope="module", params=["utf-8", "utf-16", "utf-32"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("positions")
    root = home / "project"
    for name, above in ABOVE.items():
        lay_out(root, {f"{name}/.keep": ""})
        (root / name / "file.py").write_bytes((above + TARGET.format(TAIL)).encode())
    running = started(SERVE, home)
    running.root = root  # type: ignore[attr-defined]
    running.encoding = request.param  # type: ignore[attr-defined]
    result = running.initialize(root, encodings=[request.param, "utf-16"])
    assert result["capabilities"]["positionEncoding"] == request.param
    running.ready()
    yield running
    running.dispose()


def taken(text: str, span: Any, encoding: str) -> str:
    """What a client selects for a range: lines as the protocol counts them, columns in code units."""
    lines = split_lines(text)
    start, end = span["start"], span["end"]

    def cut(line: str, column: int) -> int:
        for at in range(len(line) + 1):
            if width(line[:at], encoding) == column:
                return at
        raise AssertionError(f"column {column} is in no place of {line!r}")

    first, last = cut(lines[start["line"]], start["character"]), cut(lines[end["line"]], end["character"])
    if start["line"] == end["line"]:
        return lines[start["line"]][first:last]
    return "".join([lines[start["line"]][first:], *lines[start["line"] + 1 : end["line"]], lines[end["line"]][:last]])


def width(text: str, encoding: str) -> int:
    if encoding == "utf-8":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2 if encoding == "utf-16" else len(text)


def check(client: Client, name: str, text: str, wait: bool) -> None:
    encoding: str = client.encoding  # type: ignore[attr-defined]
    answer = client.search("measure_the_target", paths=[f"{name}/"], limit=5, waitForEdits=wait)
    [hit] = [hit for hit in answer["hits"] if "measure_the_target" in hit["text"]]
    selected = taken(text, hit["range"], encoding)
    assert selected.endswith(TAIL)
    assert selected.rstrip("\n") == hit["text"].rstrip("\n")
    lines = split_lines(text)
    assert all(hit["range"]["start"]["line"] <= line < len(lines) for line in hit["salientLines"])


@pytest.mark.parametrize("name", ABOVE)
def test_a_closed_file(client: Client, name: str) -> None:
    check(client, name, ABOVE[name] + TARGET.format(TAIL), False)


@pytest.mark.parametrize("name", ABOVE)
def test_an_open_file_with_edits_behind_every_character(client: Client, name: str) -> None:
    encoding: str = client.encoding  # type: ignore[attr-defined]
    root: Path = client.root  # type: ignore[attr-defined]
    folder, text = Opened(client, root), ABOVE[name] + TARGET.format(TAIL)
    folder.open(f"{name}/file.py", text)
    lines = split_lines(text)
    for number, line in reversed(list(enumerate(lines[:-3]))):
        body = line.rstrip("\r\n")
        column = width(body, encoding)
        folder.change(f"{name}/file.py", (number, column, number, column, "  # 😀\tend"))
        lines[number] = body + "  # 😀\tend" + line[len(body) :]
    check(client, name, "".join(lines), True)
    folder.close(f"{name}/file.py")


@pytest.mark.parametrize("name", ABOVE)
def test_similar_at_a_position_and_for_a_range(client: Client, name: str) -> None:
    encoding: str = client.encoding  # type: ignore[attr-defined]
    root: Path = client.root  # type: ignore[attr-defined]
    text = ABOVE[name] + TARGET.format(TAIL)
    lines = split_lines(text)
    line = next(number for number, found in enumerate(lines) if "measure_the_target" in found)
    document = {"uri": (root / name / "file.py").as_uri()}
    start = {"line": line, "character": 0}
    end = {"line": line + 1, "character": width(lines[line + 1].rstrip("\n"), encoding)}
    folder = Opened(client, root)
    folder.open(f"{name}/file.py", text)
    hits = client.ask("c2llm/similar", {"textDocument": document, "position": start, "limit": 20})["hits"]
    found = [hit for hit in hits if "measure_the_target" in hit["text"]]
    places = {place["path"] for hit in found for place in (hit, *hit["copies"])}
    assert places >= {f"{other}/file.py" for other in ABOVE if other != name}
    hits = client.ask("c2llm/similar", {"textDocument": document, "range": {"start": start, "end": end}})["hits"]
    assert "measure_the_target" in hits[0]["text"]
    folder.close(f"{name}/file.py")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["utf-32", "utf-8"], "utf-32"), (["utf-7"], "utf-16"), (["utf-7", "utf-8"], "utf-8"), ([], "utf-16")],
)
def test_the_first_encoding_of_the_client_that_is_known_is_chosen(
    tmp_path: Path, offered: list[str], chosen: str
) -> None:
    from c2llm_lsp.server.fast_initialize import initialize_result

    can = {"general": {"positionEncodings": offered}} if offered else {}
    assert initialize_result({"capabilities": can})["capabilities"]["positionEncoding"] == chosen
