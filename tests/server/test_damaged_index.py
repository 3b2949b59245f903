"""Files of the index that break, before and while a server runs; disks that are full; folders that cannot be written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.client import Client
from tests.server.editing import Opened, Serve

CAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n"
REINDEX = {"command": "c2llm.server.reindex", "arguments": []}


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def garbage(path: Path) -> None:
    path.write_bytes(b"\xa5garbage" * (path.stat().st_size // 8))


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def whole(client: Client) -> bool:
    """Whether everything is found again, by words and by meaning."""
    answer = client.answer(client.start("c2llm/search", {"query": "apply_ignore_rules"}))
    if "error" in answer:
        assert "Traceback" not in str(answer)
        return False
    found = answer["result"]
    fresh = found["freshness"]
    return (
        [hit["path"] for hit in found["hits"][:1]] == ["app/ignore.py"]
        and (fresh["files"], fresh["pendingChunks"], fresh["stale"]) == (5, 0, False)
        and found["encoder"] == "overlap"
    )


def found(client: Client, query: str, path: str) -> bool:
    """Whether a query finds a file, where a damaged index may be an error for a moment."""
    result = client.answer(client.start("c2llm/search", {"query": query})).get("result", {"hits": []})
    return path in [hit["path"] for hit in result["hits"]]


def no_traceback_shown(client: Client) -> None:
    assert not [text for text in client.messages() if "Traceback" in text or "\n" in text]


def database(cache: Path, name: str) -> Path:
    [found] = cache.rglob(name)
    return found


@pytest.mark.parametrize("damage", [zero, garbage, half])
@pytest.mark.parametrize("name", ["index.db", "vectors.db"])
def test_a_file_damaged_before_the_start_is_made_anew_and_said(
    serve: Serve, home: Path, project: Path, name: str, damage: Callable[[Path], None]
) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    client.leave()
    damage(database(home / "cache", name))
    client = serve()
    client.initialize(project)
    client.eventually(lambda: whole(client))
    assert any("set aside" in note for note in client.search("rules")["notes"])
    no_traceback_shown(client)
    client.leave()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [zero, garbage, half, Path.unlink])
@pytest.mark.parametrize("name", ["index.db", "vectors.db", "index.db-wal", "vectors.db-wal"])
def test_a_file_damaged_under_a_running_server_is_made_anew(
    serve: Serve, home: Path, project: Path, name: str, damage: Callable[[Path], None]
) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    damage(database(home / "cache", name))
    (project / "app/zebra.py").write_text("def a_late_zebra():\n    return 1\n")
    client.eventually(lambda: found(client, "a_late_zebra", "app/zebra.py"))
    (project / "app/zebra.py").unlink()
    client.ask("workspace/executeCommand", REINDEX)
    client.eventually(lambda: whole(client))
    no_traceback_shown(client)
    assert client.process.poll() is None


def test_an_index_deleted_under_a_running_server_is_made_anew(serve: Serve, home: Path, project: Path) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    for path in sorted((home / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (project / "app/zebra.py").write_text("def a_late_zebra():\n    return 1\n")
    client.eventually(lambda: client.finds("a_late_zebra", "app/zebra.py"))
    (project / "app/zebra.py").unlink()
    client.eventually(lambda: whole(client))
    no_traceback_shown(client)


def test_an_index_of_a_newer_program_is_left_alone_and_said(serve: Serve, home: Path, project: Path) -> None:
    import sqlite3
    from contextlib import closing

    client = serve()
    client.initialize(project)
    client.ready()
    client.leave()
    path = database(home / "cache", "index.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
        db.commit()
    client = serve()
    client.initialize(project)
    assert "newer" in client.hear("window/showMessage")["message"]
    answer = client.search("rules")
    assert answer["hits"] == []
    assert answer["notes"]
    client.leave()


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """The cache folder as a file system of 1 MB."""
    folder = home / "cache"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(root: Path) -> None:
    for number in range(200):
        lines = [f"    value_{number}_{n} = compute_{n}(value, {number * n})" for n in range(200)]
        (root / f"app/large_{number}.py").write_text("\n".join([f"def large_{number}(value):", *lines, ""]))


@pytest.mark.slow
def test_a_full_disk_is_said_once_and_room_ends_it(serve: Serve, small_disk: Path, project: Path) -> None:
    client = serve()
    client.initialize(project)
    client.ready()
    fill(project)
    client.hear("window/showMessage", lambda said: "room" in said["message"].lower())
    assert client.finds("apply_ignore_rules", "app/ignore.py")
    folder = Opened(client, project)
    folder.open("app/new.py", CAKE)
    assert folder.top("bake_chocolate_cake")["path"] == "app/new.py"
    client.eventually(lambda: client.status()["folders"][0]["state"] == "failed")  # it is tried again now and then
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    client.eventually(lambda: client.finds("large_150", "app/large_150.py"))
    assert len([text for text in client.messages() if "room" in text.lower()]) == 1
    no_traceback_shown(client)
    client.leave()


@pytest.mark.slow
def test_a_full_disk_under_the_process_that_indexes(serve: Serve, small_disk: Path, project: Path) -> None:
    fill(project)  # more files than the server reads by itself
    client = serve()
    client.initialize(project)
    client.hear("window/showMessage", lambda said: "room" in said["message"].lower())
    client.eventually(lambda: "delegation.py" in client.log)  # where the failure came from
    assert client.search("rules")["freshness"]["stale"]
    client.eventually(lambda: client.status()["folders"][0]["state"] == "failed")  # it is tried again now and then
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    client.eventually(lambda: client.finds("large_150", "app/large_150.py"))
    client.ready()
    assert len(client.messages()) == 1
    client.leave()


def test_no_room_to_begin_with_is_one_sentence(serve: Serve, small_disk: Path, project: Path) -> None:
    with (small_disk / "hog").open("wb") as hog, pytest.raises(OSError):
        while True:
            hog.write(bytes(65536))
            hog.flush()
    client = serve()
    client.initialize(project)
    said = client.hear("window/showMessage")["message"]
    assert "C2LLM_CACHE_DIR" in said
    assert client.search("rules")["notes"]
    client.eventually(lambda: client.status()["folders"][0]["state"] == "failed")  # it is tried again now and then
    (small_disk / "hog").unlink()
    client.eventually(lambda: client.finds("apply_ignore_rules", "app/ignore.py"))
    client.leave()


@pytest.mark.slow
@pytest.mark.parametrize("filled", [True, False], ids=["an index is there", "empty"])
def test_a_cache_folder_that_cannot_be_written(serve: Serve, home: Path, project: Path, filled: bool) -> None:
    cache = home / "cache"
    cache.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(cache)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        if filled:
            client = serve()
            client.initialize(project)
            client.ready()
            client.leave()
        subprocess.run(["mount", "-o", "remount,ro", str(cache)], check=True)
        client = serve()
        client.initialize(project)
        assert "cannot be written" in client.hear("window/showMessage")["message"]
        folder = Opened(client, project)
        folder.open("app/new.py", CAKE)
        if filled:
            assert client.finds("apply_ignore_rules", "app/ignore.py")
            assert folder.top("bake_chocolate_cake")["path"] == "app/new.py"
        else:
            assert client.search("rules")["notes"]
        client.eventually(lambda: client.status()["folders"][0]["state"] == "failed")
        (project / "app/zebra.py").write_text("def a_late_zebra():\n    return 1\n")
        subprocess.run(["mount", "-o", "remount,rw", str(cache)], check=True)
        client.eventually(lambda: found(client, "a_late_zebra", "app/zebra.py"))
        client.ready()
        no_traceback_shown(client)
        client.leave()
    finally:
        subprocess.run(["umount", "-l", str(cache)], check=False)
