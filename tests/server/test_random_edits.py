"""Long runs of edits: the answers stay those of a fresh index of the same text, nothing is lost, memory stays steady."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from c2llm_lsp.server.text.positions import Encoding, split_lines
from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from tests.cli.program import lay_out
from tests.server.client import Client, started
from tests.server.editing import SERVE, Opened, Serve
from tests.soak import rounds

CHECKOUT = Path(__file__).parents[2]
QUERIES = ("reciprocal rank fusion", "read a file as text", "ignore rules", "BM25 score of a word", "open the store")
WORDS = "alpha beta gamma delta compute value index file rank fusion store text 'é😀' \t".split(" ")
NEAR = 1e-6


class Mirror:
    """Open documents as an editor has them, edited at random; `texts` is what the server must think they are."""

    def __init__(self, folder: Opened, paths: list[str], encoding: str, seed: int) -> None:
        self.folder, self.encoding, self.random = folder, Encoding(encoding), random.Random(seed)
        self.texts = {path: (folder.root / path).read_bytes().decode() for path in paths}
        for path in paths:
            folder.open(path)

    def edit(self) -> None:
        path = self.random.choice(list(self.texts))
        text = self.texts[path]
        start = self.random.randint(0, len(text))
        start = start - 1 if text[:start].endswith("\r") and text[start:].startswith("\n") else start
        end = min(len(text), start + (self.random.randint(1, 40) if self.random.random() < 0.5 else 0))
        end = end - 1 if end > start and text[:end].endswith("\r") and text[end:].startswith("\n") else end
        new = self._typed()
        if self.random.random() < 0.02:  # a function comes
            new = f"\n\ndef made_up_{self.random.randint(0, 999)}(value):\n    return value\n\n\n"
        (line, column), (end_line, end_column) = self._position(text, start), self._position(text, end)
        self.folder.change(path, (line, column, end_line, end_column, new))
        self.texts[path] = text[:start] + new + text[end:]

    def _typed(self) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return ""
        if kind < 0.8:
            return self.random.choice("abcxyz_ ():")
        return self.random.choice(WORDS) + self.random.choice((" ", "\n", "\r\n", "\r", ""))

    def _position(self, text: str, at: int) -> tuple[int, int]:
        lines = split_lines(text[:at])
        return len(lines) - 1, self.encoding.units(lines[-1])


def sources(root: Path, folders: tuple[str, ...] = ("search", "store", "files")) -> list[str]:
    for name in folders:
        shutil.copytree(CHECKOUT / "retrieval" / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))


def told(client: Client, query: str) -> list[tuple[Any, ...]]:
    hits = client.search(query, limit=10, waitForEdits=True)["hits"]
    return [(hit["path"], hit["range"]["start"]["line"], hit["text"], hit["score"]) for hit in hits]


def same(ours: list[tuple[Any, ...]], fresh: list[tuple[Any, ...]], query: str) -> None:
    assert [hit[:3] for hit in ours] == [hit[:3] for hit in fresh], query
    for mine, other in zip(ours, fresh, strict=True):
        assert abs(mine[3] - other[3]) <= NEAR, (query, mine[0], mine[3], other[3])


@pytest.fixture(params=["utf-8", "utf-16", "utf-32"])
def mirrored(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[tuple[Client, Mirror, Path]]:
    root = tmp_path / "project"
    paths = sources(root)
    client = started(SERVE, home)
    client.initialize(root, encodings=[request.param], options={"debounce_ms": 5})
    client.ready()
    mirror = Mirror(Opened(client, root), random.Random(1).sample(paths, 8), request.param, len(request.param))
    yield client, mirror, root
    client.dispose()


@pytest.mark.slow
def test_after_thousands_of_random_edits_answers_are_those_of_a_fresh_index(
    mirrored: tuple[Client, Mirror, Path], tmp_path: Path
) -> None:
    """1,200 edits in each of three encodings, or 3,400."""
    client, mirror, root = mirrored
    for checkpoint in range(rounds(3, 17)):
        for _ in range(rounds(400, 200)):
            mirror.edit()
        copy = tmp_path / f"copy{checkpoint}" / "project"
        shutil.copytree(root, copy)
        for path, text in mirror.texts.items():
            (copy / path).write_bytes(text.encode())
        with Workspace.open(copy, encoder=OverlapEncoder(), cache_dir=copy.parent / "cache") as fresh:
            fresh.refresh()
            for query in QUERIES:
                answer = fresh.search(query)
                expected = [
                    (hit.chunk.path, hit.start_line - 1, hit.text, round(float(hit.score), 6)) for hit in answer.hits
                ]
                same(told(client, query), expected, query)
        shutil.rmtree(copy.parent)


@pytest.mark.slow
def test_two_hundred_open_documents_with_edits(serve: Serve, tmp_path: Path) -> None:
    files = {f"src/module_{n}.py": f"def work_of_{n}(value):\n    return value * {n}\n" for n in range(250)}
    root = lay_out(tmp_path / "project", files)
    client = serve()
    client.initialize(root)
    client.ready()
    folder = Opened(client, root)
    paths = sorted(files)[:200]
    for path in paths:
        folder.open(path)
    for number, path in enumerate(paths):
        folder.change(path, (0, 4, 0, 4, f"edited_{number}_"))
    for number in range(0, 200, 20):
        found = folder.search(f"edited_{number}_work_of", limit=5)["hits"]
        assert any(f"def edited_{number}_work_of" in hit["text"] and hit["path"] == paths[number] for hit in found)
    assert folder.state()["pendingEdits"] == 0
    folder.change(paths[7], (0, 4, 0, 4, "once_more_"))
    assert folder.top("once_more_edited_7")["path"] == paths[7]
    for path in paths:
        folder.close(path)
    assert "edited_" not in folder.top("edited_7_work")["text"]


@pytest.mark.slow
def test_memory_is_steady_over_many_edits(home: Path, tmp_path: Path) -> None:
    """Twelve minutes of typing, or an hour, a pause for thought each 3 s: bursts of 10 keys."""
    root = tmp_path / "project"
    paths = sources(root)
    client = started(SERVE, home)
    try:  # the encoder of the product: that of the tests keeps 65,536 words in mind
        client.initialize(root, options={"debounce_ms": 1, "encoder": "embedded"})
        client.ready()
        mirror = Mirror(Opened(client, root), paths[:6], "utf-16", 3)
        process = psutil.Process(client.process.pid)
        grown: list[int] = []
        for burst in range(rounds(240, 1_200)):
            for _ in range(10):
                mirror.edit()
            if burst % 10 == 9:
                told(client, QUERIES[burst % len(QUERIES)])
            if burst % 60 == 59:
                grown.append(process.memory_info().rss)
                for path, text in mirror.texts.items():  # the person undoes it all, and saves: texts stay as large
                    original = (root / path).read_bytes().decode()
                    mirror.folder.change(path, original)
                    mirror.texts[path] = original
                    del text
                told(client, QUERIES[0])
        assert grown[-1] - grown[1] < rounds(15_000_000, 25_000_000), [size // 1_000_000 for size in grown]
    finally:
        client.dispose()
