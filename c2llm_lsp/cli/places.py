"""FILE:LINE on a command line."""

from __future__ import annotations

import re
from pathlib import Path

from c2llm_lsp.cli.common import Place
from retrieval.errors import QueryError

# FILE:LINE, FILE:LINE:COLUMN as compilers write it, FILE:LINE-LINE as search shows it
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[0-9]{1,9})(?:[-:][0-9]+)?", re.DOTALL)


def file_and_line(where: str) -> tuple[Path, int]:
    """The file, which exists, and the line. Raises QueryError."""
    match = _PLACE.fullmatch(where)
    if match is None:
        raise QueryError(f"'{where}' is not FILE:LINE; an example is src/app.py:42.")
    file, line = Path(match["file"]).expanduser(), int(match["line"])
    if not file.is_file():
        raise QueryError(f"There is no file {file}.")
    if line < 1:
        raise QueryError("Lines are counted from 1.")
    # The file itself may be a link; its folder is resolved as the workspace's root is.
    return file.parent.resolve() / file.name, line


def inside(place: Place, file: Path) -> str:
    """The file's path in the workspace. Raises QueryError where it is outside."""
    if not file.is_relative_to(place.root):
        raise QueryError(f"{file} is not in the workspace {place.root}.")
    return file.relative_to(place.root).as_posix()
