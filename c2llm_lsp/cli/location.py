"""FILE:LINE and FILE:LINE-LINE on a command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from c2llm_lsp.cli.common import Target
from retrieval.errors import QueryError

# FILE:LINE, FILE:LINE:COLUMN as compilers write it, FILE:LINE-LINE as search shows it
_LOCATION = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,9})(?::[0-9]+|-(?P<end>[0-9]{1,9}))?", re.DOTALL)
_BLOCK_SIZE = 1 << 20  # bytes read at once to count lines


@dataclass(frozen=True, slots=True)
class LineRange:
    """Some lines of a file that exists; one line where no other was named."""

    file: Path
    start: int
    end: int


def is_location(text: str) -> bool:
    """Whether a text names lines of a file that is there; it is a question otherwise."""
    match = _LOCATION.fullmatch(text)
    return match is not None and Path(match["file"]).expanduser().is_file()


def parse_location(where: str) -> LineRange:
    """What FILE:LINE or FILE:LINE-LINE names. Raises QueryError."""
    match = _LOCATION.fullmatch(where)
    if match is None:
        raise QueryError(f"'{where}' is not FILE:LINE; an example is src/app.py:42.")
    file, start = Path(match["file"]).expanduser(), int(match["line"])
    if not file.is_file():
        raise QueryError(f"There is no file {file}.")
    if start < 1:
        raise QueryError("Lines are counted from 1.")
    _require_line(file, start)
    # The file itself may be a link; its folder is resolved as the workspace's root is.
    return LineRange(file.parent.resolve() / file.name, start, max(start, int(match["end"] or 0)))


def _require_line(file: Path, number: int) -> None:
    """Raises QueryError where the file has fewer lines. An empty file has line 1; who cannot read it finds out later."""
    count, last = 0, b"\n"
    try:
        with file.open("rb") as content:
            while count < number and (block := content.read(_BLOCK_SIZE)):
                count, last = count + block.count(b"\n"), block[-1:]
    except OSError:
        return
    count += last != b"\n"
    if number > max(count, 1):
        raise QueryError(f"{file} has {count:,} line{'' if count == 1 else 's'}.")


def path_in_workspace(target: Target, file: Path) -> str:
    """The file's path in the workspace. Raises QueryError where it is outside, or is not indexed for its name."""
    if not file.is_relative_to(target.root):
        raise QueryError(f"{file} is not in the workspace {target.root}.")
    path = file.relative_to(target.root).as_posix()
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise QueryError(f"The name of {file} is not UTF-8; such files are not indexed.") from None
    return path
