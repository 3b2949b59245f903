"""Real code to measure on: the running interpreter's standard library, then its installed packages, copied by file."""

from __future__ import annotations

import ast
import random
import shutil
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENDINGS = frozenset({".py", ".pyi", ".c", ".h", ".md", ".rst", ".js", ".toml", ".json"})
SEED = 7
BYTES_PER_CHUNK = 740  # measured on the standard library


@dataclass
class Corpus:
    """A growing copy of real code."""

    root: Path
    files: int = 0
    bytes: int = 0


class Source:
    """Files in a fixed order, handed out once each, so that a corpus can grow."""

    def __init__(self) -> None:
        self._files = _files()

    def grow(self, corpus: Corpus, chunks: int) -> None:
        """Copy files for about so many more chunks; stops early where there is no more code."""
        until = corpus.bytes + chunks * BYTES_PER_CHUNK
        while corpus.bytes < until:
            try:
                base, name, path = next(self._files)
            except StopIteration:
                return
            target = corpus.root / base / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            corpus.files += 1
            corpus.bytes += target.stat().st_size


def _files() -> Iterator[tuple[str, str, Path]]:
    paths = sysconfig.get_paths()
    library, packages = Path(paths["stdlib"]), Path(paths["purelib"])
    for base, folder in (("lib", library), ("packages", packages)):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            hidden = any(part in ("site-packages", "__pycache__", "dist-packages") for part in inside.parts)
            if path.suffix in ENDINGS and not hidden and path.is_file() and not path.is_symlink():
                yield base, inside.as_posix(), path


def questions(root: Path, count: int) -> list[str]:
    """First sentences of docstrings of the corpus: what people wrote to say what code does."""
    found: list[str] = []
    files = sorted(root.rglob("*.py"))
    random.Random(SEED).shuffle(files)
    for path in files:
        if len(found) >= count:
            break
        found += _sentences(path)[:2]
    return found[:count]


def _sentences(path: Path) -> list[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, RecursionError):
        return []
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    first = ((ast.get_docstring(node) or "").split("\n")[0].strip() for node in functions)
    return [line for line in first if 20 <= len(line) <= 120 and line.count(" ") >= 3]
