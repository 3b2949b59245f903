"""Two servers on one workspace: one writes, both answer, and when the writer is killed the other takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import lay_out
from tests.server.editing import Faults, Opened, Serve

CAKE = "def bake_chocolate_cake(oven):\n    return oven.heat('flour', 'sugar')\n"


@pytest.mark.slow
def test_one_writes_both_answer_and_the_second_takes_over(serve_faulty: Serve, faults: Faults, tmp_path: Path) -> None:
    files = {f"src/module_{n}.py": f"def work_of_{n}(value):\n    return value * {n}\n" for n in range(200)}
    root = lay_out(tmp_path / "big", files)
    faults.set("hold-passages")
    first = serve_faulty()
    first.initialize(root)
    first.eventually(lambda: first.status()["folders"][0]["writerPid"] == first.process.pid)
    second = serve_faulty()
    second.initialize(root)
    pid = str(first.process.pid)
    second.eventually(
        lambda: (found := second.status()["folders"][0])["state"] == "following" and pid in found["message"]
    )
    first.eventually(lambda: first.finds("work_of_150", "src/module_150.py"))
    assert second.finds("work_of_150", "src/module_150.py")
    folder = Opened(second, root)
    folder.open("src/new.py", CAKE)
    assert second.finds("bake_chocolate_cake", "src/new.py") or second.status()["folders"][0]["pendingEdits"]
    first.kill()
    faults.clear("hold-passages")
    status = second.ready()
    assert status["folders"][0]["freshness"]["pendingChunks"] == 0
    assert folder.top("bake_chocolate_cake")["path"] == "src/new.py"
    assert not [text for text in second.messages() if "Traceback" in text]


@pytest.mark.slow
def test_both_see_every_change_soon_and_embed_it_once(serve_faulty: Serve, faults: Faults, project: Path) -> None:
    first, second = serve_faulty(), serve_faulty()
    for client in (first, second):
        client.initialize(project)
    for client in (first, second):
        client.ready()
    before = sum(int(line.split()[0]) for line in faults.batches)
    for number in range(6):
        (project / f"app/change_{number}.py").write_text(f"def the_change_{number}():\n    return {number}\n")
        for client in (first, second):
            client.eventually(lambda c=client, n=number: c.finds(f"the_change_{n}", f"app/change_{n}.py"))
    for client in (first, second):
        client.ready()
    assert sum(int(line.split()[0]) for line in faults.batches) - before == 6


def test_unsaved_text_of_one_is_not_seen_by_the_other(serve: Serve, project: Path) -> None:
    first, second = serve(), serve()
    for client in (first, second):
        client.initialize(project)
        client.ready()
    mine = Opened(first, project)
    mine.open("app/ignore.py", CAKE)
    assert mine.top("bake_chocolate_cake")["path"] == "app/ignore.py"
    assert second.search("bake_chocolate_cake", limit=1)["hits"][0]["symbol"] != "bake_chocolate_cake"
    mine.save("app/ignore.py", CAKE)
    second.eventually(
        lambda: second.search("bake_chocolate_cake", limit=1)["hits"][0]["symbol"] == "bake_chocolate_cake"
    )


def test_one_leaving_does_not_disturb_the_other(serve: Serve, project: Path) -> None:
    first, second = serve(), serve()
    for client in (first, second):
        client.initialize(project)
        client.ready()
    first.leave()
    (project / "app/later.py").write_text("def a_later_giraffe():\n    return 1\n")
    second.eventually(lambda: second.finds("a_later_giraffe", "app/later.py"))
    second.leave()
