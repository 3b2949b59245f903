"""Whether what an import names can be a file, by their paths: no package manager's settings are read."""

from __future__ import annotations

import re
from typing import Literal

from retrieval.chunking.structure.call_tables import FOLDER_PACKAGES

Match = Literal["exact", "package", ""]

_MODULE_FILES = frozenset({"__init__", "index", "mod", "lib", "main", "init"})
_PATH_SEPARATORS = re.compile(r"[/\\:]+")
_EXTENSION = re.compile(r"\.(?:d\.ts|[A-Za-z0-9]+)$")
# What an import may end with and mean a file by; other dots are part of a module's name.
_SOURCE_EXTENSION = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte|h|hh|hpp|hxx|c|cc|cpp|dart|sol|rb|php|py)$")


def module_match(module: str, original: str, importer: str, path: str, language: str) -> Match:
    """Whether `original` of `module`, imported by a file, can be what another file defines: "exact" for the file itself (or its
    folder where files of a folder are one package), "package" for a folder around it, from which it may be exported again.
    """
    folder, _, file = path.rpartition("/")
    stem = _EXTENSION.sub("", file)
    own = [part for part in folder.split("/") if part]
    whole = own if stem in _MODULE_FILES else [*own, stem]
    relative = module.startswith(".")
    wanted = (
        _absolute(module, importer)
        if relative
        else [p for p in _PATH_SEPARATORS.split(_SOURCE_EXTENSION.sub("", module)) if p]
    )
    for candidate in (wanted, [*wanted, original] if original else wanted):
        if candidate and _ends_alike(candidate, whole, relative=relative):
            return "exact"
    if not wanted and not relative:
        return ""
    if language in FOLDER_PACKAGES and _ends_alike(wanted, own, relative=relative):
        return "exact"
    for length in range(len(own), 0, -1):
        if wanted and _ends_alike(wanted, own[:length], relative=relative):
            return "package"
    return "package" if relative and not wanted else ""


def _absolute(module: str, importer: str) -> list[str]:
    """The parts of a path that is relative to the importing file."""
    parts = importer.split("/")[:-1]
    for part in _SOURCE_EXTENSION.sub("", module).split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return parts[:-1] if parts and parts[-1] in _MODULE_FILES else parts


def _ends_alike(one: list[str], other: list[str], *, relative: bool) -> bool:
    """Whether the shorter one ends the longer one; of a relative path all of it counts."""
    if relative or not one or not other:
        return one == other
    count = min(len(one), len(other))
    return one[-count:] == other[-count:]
