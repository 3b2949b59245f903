"""Near duplicates in files and open buffers, as the workspace finds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.engine import Workspace

TOTAL = """def total_of(items, taxes):
    total = 0
    for item in items:
        if item.price is None:
            raise ValueError("no price")
        total += item.price * item.count
    for tax in taxes:
        total += tax.of(total)
    return total
"""
COPY = TOTAL.replace("total_of", "sum_of")
OTHER = """def deliver(letters, post):
    for letter in letters:
        stamp = letter.stamp or post.cheapest_stamp(letter.weight, letter.country)
        post.put(letter, stamp)
        if post.full():
            post.send()
            post.clear()
    return post.left()
"""


class Counting(OverlapEncoder):
    asked = 0

    def encode_passages(self, passages):  # type: ignore[no-untyped-def]
        self.asked += len(passages)
        return super().encode_passages(passages)


class Stop(Exception):
    pass


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
def workspace(tmp_path: Path, encoder: Counting) -> Iterator[Workspace]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "total.py").write_text(TOTAL)
    (root / "post.py").write_text(OTHER)
    with Workspace.open(root, encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        yield workspace


def write(workspace: Workspace, path: str, text: str) -> None:
    (workspace.root / path).write_text(text)
    workspace.changed([path])


def found(workspace: Workspace, path: str) -> list[tuple[int, str, int]]:
    """(line, the other's path, its line)"""
    duplicates = workspace.near_duplicates(path)
    return [(d.chunk.start_line, d.other.path, d.other.start_line) for d in duplicates]


def test_a_copy_is_found_from_both_ends_and_nothing_is_embedded(workspace: Workspace, encoder: Counting) -> None:
    write(workspace, "copy.py", OTHER.replace("deliver", "hand_over") + "\n\n" + COPY)
    before = encoder.asked
    assert found(workspace, "total.py") == [(1, "copy.py", 11)]
    assert found(workspace, "copy.py") == [(1, "post.py", 1), (11, "total.py", 1)]
    assert encoder.asked == before


def test_a_copy_in_the_same_file_counts(workspace: Workspace) -> None:
    write(workspace, "total.py", TOTAL + "\n\n" + COPY)
    assert found(workspace, "total.py") == [(1, "total.py", 12), (12, "total.py", 1)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("other.py", OTHER.replace("post", "truck").replace("letter", "parcel").replace("stamp", "label")),
        ("short.py", "def total_of(items):\n    return sum(item.price for item in items)\n"),
        ("text.md", TOTAL),
        ("none.py", ""),
    ],
)
def test_what_is_no_copy_is_not_found(workspace: Workspace, path: str, text: str) -> None:
    write(workspace, path, text)
    assert found(workspace, path) == []


def test_a_buffer_is_looked_at_as_it_is_now(workspace: Workspace) -> None:
    workspace.set_buffer("new.py", "\n\n" + COPY)
    assert found(workspace, "new.py") == [(3, "total.py", 1)]
    assert found(workspace, "total.py") == [(1, "new.py", 3)]
    workspace.set_buffer("new.py", "x = 1\n" + OTHER)
    assert found(workspace, "new.py")[0][1] == "post.py"
    assert found(workspace, "total.py") == []


def test_what_is_known_is_given_up_with_the_other_place(workspace: Workspace) -> None:
    write(workspace, "copy.py", COPY)
    assert found(workspace, "total.py") == [(1, "copy.py", 1)]
    workspace.set_buffer("copy.py", "\n\n\n" + COPY)
    assert found(workspace, "total.py") == [(1, "copy.py", 4)]
    workspace.set_buffer("copy.py", "nothing = 1\n")
    assert found(workspace, "total.py") == []
    workspace.close_buffer("copy.py")
    write(workspace, "copy.py", "\n" + COPY)
    assert found(workspace, "total.py") == [(1, "copy.py", 2)]


def test_whoever_asks_can_stop_it(workspace: Workspace) -> None:
    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        workspace.near_duplicates("total.py", stop)
    assert found(workspace, "total.py") == []
