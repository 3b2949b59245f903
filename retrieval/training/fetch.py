"""Downloads the packages of sources.txt through their ordinary clients: `apt-get`, `apt-get source` and `npm pack`.

A package that exists is not fetched again; one that is unavailable is reported and skipped. `src` lines need deb-src entries
in apt's sources.
"""

from __future__ import annotations

import logging
from pathlib import Path

from retrieval.processes.helpers import run_tool

SOURCES_FILE = Path(__file__).with_name("sources.txt")
_COMMANDS = {
    "deb": ("apt-get", "download"),
    "src": ("apt-get", "source", "--download-only"),
    "npm": ("npm", "pack", "--silent"),
}

logger = logging.getLogger(__name__)


def read_sources(text: str) -> list[tuple[str, str]]:
    """(kind, name) of each line that is no comment."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(kind, name) for kind, name in lines]


def fetch(out: Path, sources: Path = SOURCES_FILE) -> list[str]:
    """Fills OUT/KIND/NAME/ for every source; returns the names of unavailable packages."""
    missing = []
    for kind, name in read_sources(sources.read_text(encoding="utf-8")):
        folder = out / kind / name.replace("/", "-").lstrip("@")
        if folder.is_dir() and any(folder.iterdir()):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        tool, *options = _COMMANDS[kind]
        done = run_tool(tool, [*options, name], folder=folder)
        if done.code != 0:
            logger.warning("%s %s is unavailable: %s", kind, name, done.err.strip().splitlines()[-1:])
            missing.append(name)
    return missing
