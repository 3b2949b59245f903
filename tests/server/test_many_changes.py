"""Thousands of file changes, as fast as they can be made: none is lost, and the server answers meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.editing import Serve
from tests.server.test_watched_files import CHANGED, CREATED, DELETED, initialize, told
from tests.soak import rounds

BURSTS, BURST = rounds(20, 100), 100
FILES = 1_000


@pytest.mark.slow
@pytest.mark.parametrize("watches", [False, True], ids=["own watcher", "client watches"])
def test_thousands_of_changes_are_all_in_the_index(serve: Serve, project: Path, watches: bool) -> None:
    client = serve()
    folder = initialize(client, project, watches=watches)
    client.ready()
    (project / "storm").mkdir()
    if watches:
        told(folder, (CREATED, "storm"))
    there: dict[int, int] = {}
    for tick in range(BURSTS):
        changes: list[tuple[int, str]] = []
        for step in range(BURST):
            number = (tick * 137 + step * 7) % FILES
            path = f"storm/file_{number}.py"
            if number in there and (tick + step) % 9 == 0:
                (project / path).unlink()
                del there[number]
                changes.append((DELETED, path))
            else:
                changes.append((CHANGED if number in there else CREATED, path))
                there[number] = tick
                (project / path).write_text(f"def storm_{number}_at_{tick}():\n    return {tick}\n")
        if watches:
            told(folder, *changes)
        if tick % 10 == 0:
            assert client.search("apply_ignore_rules", limit=1)["hits"]
    files = 5 + len(there)

    def all_in() -> Any:
        answer = client.search("x")["freshness"]
        return answer["files"] == files and not answer["pendingFiles"] and not answer["pendingChunks"]

    def right(number: int) -> bool:
        name = f"storm_{number}_at_{there.get(number, 0)}"
        found = [hit for hit in client.search(name, limit=3)["hits"] if hit["path"] == f"storm/file_{number}.py"]
        return bool(found) == (number in there) and (not found or name in found[0]["text"])

    client.eventually(all_in)
    for number in range(0, FILES, 11):
        # As many files may be there for a moment before all that came and went is in.
        client.eventually(lambda number=number: right(number))  # type: ignore[misc]
