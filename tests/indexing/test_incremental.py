"""Whatever happened to the files, the index equals one that is made from nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from retrieval.engine import Workspace
from tests.engine.indexed import CountingEncoder, check_equals_fresh
from tests.soak import rounds

PATHS = ["a.py", "b.py", "pkg/c.py", "pkg/deep/d.py", "doc.md", "pkg/e.go", "pkg/f.h", "pkg/g.cc"]
# What is done right after a change: nothing, a look at everything, or a word about the file.
THEN = st.sampled_from(["wait", "look", "tell"])
FOLDERS = ["pkg", "pkg/deep", "other"]
WORDS = ["alpha", "beta", "gamma", "sendRequest", "parse_value", "zeta"]
RULES = ["*.md\n", "pkg/\n", "*.py\n!a.py\n", "deep/\n", "", "# nothing\n", "b.py\n"]


def code(names: list[str], filler: int) -> str:
    """Python of some functions, long enough to be chunks of their own."""
    return "\n\n".join(
        f"def {name}(option):\n" + "".join(f"    {name}_{n} = option + {n} * {filler}\n" for n in range(30))
        for name in names
    )


class Editing(RuleBasedStateMachine):
    """Edits, renames, deletions and ignore rules, with refreshes and reopenings in between."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="c2llm-test-"))
        self.root = self.folder / "root"
        self.root.mkdir()
        self.fresh = 0
        self.encoder = CountingEncoder()
        self.open()

    def open(self) -> None:
        self.workspace = Workspace.open(self.root, encoder=self.encoder, cache_dir=self.folder / "cache")

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.workspace.close()
            shutil.rmtree(self.folder)

    @rule(
        path=st.sampled_from(PATHS),
        names=st.lists(st.sampled_from(WORDS), max_size=4),
        filler=st.integers(0, 3),
        then=THEN,
    )
    def write(self, path: str, names: list[str], filler: int, then: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(code(names, filler))
        self.after(then, path)

    @rule(
        path=st.sampled_from(PATHS), data=st.sampled_from([b"\0\1binary", b"", b"\xff\xfe\xfa", b"\r\nalpha beta\r\n"])
    )
    def write_bytes(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    @rule(path=st.sampled_from(PATHS), lines=st.integers(1, 5), then=THEN)
    def push_down(self, path: str, lines: int, then: str) -> None:
        """Chunks move and read the same."""
        target = self.root / path
        if target.exists():
            target.write_bytes(b"\n" * lines + target.read_bytes())
            self.after(then, path)

    @rule(path=st.sampled_from(PATHS))
    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    @rule(folder=st.sampled_from(FOLDERS))
    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)

    @rule(old=st.sampled_from(PATHS), new=st.sampled_from(PATHS))
    def rename(self, old: str, new: str) -> None:
        source, target = self.root / old, self.root / new
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)

    @rule(old=st.sampled_from(FOLDERS), new=st.sampled_from(FOLDERS))
    def rename_folder(self, old: str, new: str) -> None:
        source, target = self.root / old, self.root / new
        if source.exists() and not target.exists() and not new.startswith(old):
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)

    @rule(
        rules=st.sampled_from(RULES),
        folder=st.sampled_from(["", "pkg"]),
        name=st.sampled_from([".gitignore", ".c2llmignore"]),
    )
    def ignore(self, rules: str, folder: str, name: str) -> None:
        (self.root / folder).mkdir(exist_ok=True)
        (self.root / folder / name).write_text(rules)

    @rule(folder=st.sampled_from(["", "pkg"]), name=st.sampled_from([".gitignore", ".c2llmignore"]))
    def ignore_nothing(self, folder: str, name: str) -> None:
        (self.root / folder / name).unlink(missing_ok=True)

    @rule()
    def refresh(self) -> None:
        self.workspace.refresh()

    @rule(paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=4))
    def say_what_changed(self, paths: list[str]) -> None:
        self.workspace.changed(paths)

    @rule()
    def search(self) -> None:
        self.workspace.search("send request alpha")

    @rule()
    def reopen(self) -> None:
        self.workspace.close()
        self.open()

    def after(self, then: str, path: str) -> None:
        if then == "look":
            self.workspace.refresh()
        elif then == "tell":
            self.workspace.changed([path])

    def compare(self) -> None:
        self.workspace.refresh()
        self.fresh += 1
        check_equals_fresh(self.workspace, self.folder / f"fresh{self.fresh}")

    @precondition(lambda self: self.workspace is not None)
    @invariant()
    def nothing_is_embedded_twice(self) -> None:
        assert len(self.encoder.passages) == len(set(self.encoder.passages))


class TestEditing(Editing.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
class TestEditingAtLength(Editing.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(
        max_examples=rounds(20, 200), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
