"""Which packages may be learnt from: those whose own metadata names a permissive licence. What is not known is left out.

Read are a wheel's METADATA (expression, classifiers, field, then the licence's text), package.json, PKG-INFO of source
archives, and Debian's machine-readable copyright files. In an expression `or` needs one permissive side and `and` needs both.
In a copyright file the part for all files (`*`, or the first where none says so) has to be permissive. Files of other parts
that are not are left out one by one, by the end of their path: mined paths are shortened, so more is left out than need be.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_string
from fnmatch import fnmatch
from pathlib import Path

from retrieval.processes.helpers import worker_executor
from retrieval.training.archives import ArchiveError, first_member, package_name, package_version

# Names as metadata write them, lower-cased, matched as a whole. Weak copyleft (MPL, LGPL, EPL) is none of them.
_PERMISSIVE = re.compile(
    r"(?:the )?(?:(?:new|modified|simplified|revised|original|3-clause|2-clause|\(new\)|\(3-clause\)) )*(?:"
    r"mit(?:[- ](?:0|cmu|modern-variant|no attribution))?|expat|mit/x11|x11(?:-distribute-modifications-variant)?"
    r"|0?bsd(?:[- ]?(?:[0-4]|two|three)(?:[- ]?clauses?)?)?(?:-(?:new|simplified|like))?"
    r"|apache(?: software)?(?:[- ]licen[sc]e)?,?[- ]?(?:v(?:ersion|\.)? ?)?2(?:\.0)?(?:[- ](?:with[- ])?llvm[- ]exceptions?)?"
    r"|apache software|apache|asl ?2(?:\.0)?|al2|isc|isc/bsd|zlib(?:[-/]libpng)?|unlicense|cc0(?:[- ]1\.0(?:[- ]universal)?)?|wtfpl"
    r"|bsl-?1(?:\.0)?|boost(?: software)?(?: license)?(?:[- ]?1\.0)?|postgresql|ncsa|hpnd"
    r"|psf(?:-2(?:\.0)?|l)?|python(?: software foundation|-2(?:\.0(?:\.1)?)?)|cnri-python"
    r")(?:[- ](?:style|like))?(?: licen[sc]e)?(?: \([^()]*\))?(?:,? version 2\.0)?"
)
_TEXTS = (  # how the text of a permissive licence reads; (?s) where it runs over lines
    ("MIT", re.compile(r"permission is hereby granted, free of charge, to any person obtaining")),
    ("Apache-2.0", re.compile(r"apache license,?\s+version 2\.0")),
    ("BSD", re.compile(r"redistribution and use in source and binary forms, with or without")),
    ("ISC", re.compile(r"permission to use, copy, modify,? and(?:/or)? distribute this software")),
    ("Unlicense", re.compile(r"this is free and unencumbered software released into the public domain")),
    ("BSL-1.0", re.compile(r"boost software license - version 1\.0")),
)
_COPYLEFT_TEXT = re.compile(
    r"general public license|mozilla public|eclipse public|creative commons attribution-share|\bgpl"
)
_TRIVIAL_CLASSIFIERS = ("License :: OSI Approved", "License :: DFSG approved")
_PACKAGING = re.compile(r"(?:\./)?debian/")
_METADATA = re.compile(r"^[^/]+\.dist-info/METADATA$|^[^/]+/PKG-INFO$")
_LICENCE_FILE = re.compile(
    r"^[^/]+(?:\.dist-info(?:/licenses)?)?/(?:licen[sc]e|copying|unlicense)[^/]*$", re.IGNORECASE
)
_COPYRIGHT = re.compile(r"^(?:usr/share/doc/[^/]+|debian)/copyright$")
_PACKAGE_JSON = re.compile(r"^[^/]+/package\.json$")
_FIELD = re.compile(r"^(Files|License):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_OR = r"\s+or\s+|\s*\|\s*|/(?=apache|mit\b|bsd)"
_AND = r",?\s+and(?:/or)?\s+|\s*[;,&](?!\s*(?:version|v?2))\s*"
FIELDS = ("package", "version", "licence", "permissive", "archive", "refused")


@dataclass(frozen=True, slots=True)
class Licence:
    """What a package's metadata say; "" and not permissive where they say nothing that is understood."""

    package: str
    version: str
    licence: str
    permissive: bool
    archive: str
    refused: tuple[str, ...] = ()  # patterns of files under another licence, as Debian's copyright files write them

    def allows(self, path: str) -> bool:
        """False for a file that may be meant by a refused pattern."""
        return self.permissive and not any(_may_mean(pattern, path) for pattern in self.refused)


def _may_mean(pattern: str, path: str) -> bool:
    """The last two fixed parts of a folder's pattern anywhere in the path, or the last part as the file's name."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    whole_folder = bool(parts) and parts[-1] == "*"
    while parts and parts[-1] == "*":
        parts.pop()
    *folders, name = path.split("/")
    if whole_folder:
        wanted = parts[-2:]
        places = range(len(folders) - len(wanted) + 1)
        return any(all(map(fnmatch, folders[i : i + len(wanted)], wanted)) for i in places)
    return bool(parts) and (fnmatch(name, parts[-1]) or any(fnmatch(folder, parts[-1]) for folder in folders))


def licence_of(archive: Path) -> Licence:
    """Of a wheel, an npm tarball, a Debian package or a source archive (a Debian one has its copyright beside it)."""
    refused: tuple[str, ...] = ()
    try:
        if copyright := _debian_copyright(archive):
            name, permissive, refused = _of_copyright(copyright)
        else:
            name = "" if archive.suffix == ".deb" else _of_others(archive)
            permissive = is_permissive(name)
    except ArchiveError:
        name, permissive = "", False
    return Licence(package_name(archive), package_version(archive), name, permissive, archive.name, refused)


def _debian_copyright(archive: Path) -> str:
    if archive.suffix == ".deb":
        return first_member(archive, _COPYRIGHT)
    packaging = sorted(archive.parent.glob("*.debian.tar.*"))
    return first_member(packaging[-1], _COPYRIGHT) if packaging else ""


def _of_others(archive: Path) -> str:
    described = "" if archive.suffix in (".whl", ".zip") else first_member(archive, _PACKAGE_JSON)
    return _of_package_json(described) if described else _of_metadata(archive)


def _of_metadata(archive: Path) -> str:
    """PEP 639's expression, else the classifiers, else the short field, else the licence's own text."""
    fields = message_from_string(first_member(archive, _METADATA))
    if fields["License-Expression"]:
        return str(fields["License-Expression"])
    classifiers = [str(c) for c in fields.get_all("Classifier", []) if str(c).startswith("License ::")]
    names = [c.rsplit(" :: ", 1)[1] for c in classifiers if c not in _TRIVIAL_CLASSIFIERS]
    if names:
        return " AND ".join(names)
    field = str(fields["License"] or "").strip()
    if field and len(field) < 100 and "\n" not in field and field.lower() not in ("unknown", "license", "dual license"):
        return field
    return of_text(field) or of_text(first_member(archive, _LICENCE_FILE))


def _of_package_json(text: str) -> str:
    try:
        values = json.loads(text)
    except ValueError:
        return ""
    named = values.get("license", values.get("licenses", "")) if isinstance(values, dict) else ""
    several = named if isinstance(named, list) else [named]
    return " OR ".join(str(one.get("type", "")) if isinstance(one, dict) else str(one) for one in several)


def _of_copyright(text: str) -> tuple[str, bool, tuple[str, ...]]:
    """Name, whether it is permissive, and the patterns of files that are not, out of Debian's copyright file."""
    paragraphs = [dict(_FIELD.findall(part)) for part in re.split(r"\n[ \t]*\n", text)]
    wordings: dict[str, str] = {}
    for fields in paragraphs:
        name, _, wording = fields.get("License", "").partition("\n")
        wordings[name.strip().lower()] = wordings.get(name.strip().lower()) or wording
    first: tuple[str, bool] | None = None
    refused: list[str] = []
    for fields in paragraphs:
        if "Files" not in fields:
            continue
        name, patterns = fields.get("License", "").split("\n")[0].strip(), fields["Files"].split()
        permissive = is_permissive(name, wordings)
        if "*" in patterns or first is None:
            first = (name, permissive)
        if "*" not in patterns and not permissive:
            refused += [pattern for pattern in patterns if not _PACKAGING.match(pattern)]
    if first is None:
        return "", False, ()
    return (*first, tuple(refused))


def of_text(text: str) -> str:
    """The licence whose wording this is, "" where none is sure or copyleft is spoken of."""
    plain = re.sub(r"\s+", " ", text.lower())
    if _COPYLEFT_TEXT.search(plain):
        return ""
    return " AND ".join(name for name, wording in _TEXTS if wording.search(plain))


def is_permissive(expression: str, wordings: Mapping[str, str] | None = None) -> bool:
    """`MIT OR GPL-2.0`: yes; `MIT AND GPL-2.0`: no; anything that is not known: no.

    `wordings` are the texts that a copyright file gives for names of its own.
    """
    texts = wordings or {}

    def any_side(text: str) -> bool:
        return any(all_sides(side) for side in _split(text, _OR))

    def all_sides(text: str) -> bool:
        return all(is_known(side.strip()) for side in _split(text, _AND))

    def is_known(name: str) -> bool:
        if name.startswith("(") and name.endswith(")"):
            return any_side(name[1:-1].strip())
        return bool(_PERMISSIVE.fullmatch(name)) or bool(of_text(texts.get(name, "")))

    return bool(expression.strip()) and any_side(expression.lower().strip())


def _split(text: str, separators: str) -> Iterator[str]:
    """The parts between separators that are in no parentheses."""
    depth, start = 0, 0
    for match in re.finditer(rf"[()]|{separators}", text):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif depth == 0:
            yield text[start : match.start()]
            start = match.end()
    yield text[start:]


def licences_of(archives: Sequence[Path], table: Path, *, processes: int = 2) -> list[Licence]:
    """Of every archive, in order. Archives that the table knows already are not read again; the table is written anew."""
    known = {licence.archive: licence for licence in (read_table(table) if table.exists() else [])}
    waiting = [path for path in archives if path.name not in known]
    if waiting:
        with worker_executor(processes) as pool:
            known |= {licence.archive: licence for licence in pool.map(licence_of, waiting, chunksize=8)}
    licences = [known[path.name] for path in archives]
    write_table(licences, table)
    return licences


def write_table(licences: Iterable[Licence], target: Path) -> None:
    with target.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(FIELDS)
        for one in licences:
            answer = "yes" if one.permissive else "no"
            writer.writerow([one.package, one.version, one.licence, answer, one.archive, " ".join(one.refused)])


def read_table(source: Path) -> list[Licence]:
    with source.open(newline="", encoding="utf-8") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        return [
            Licence(
                r["package"],
                r["version"],
                r["licence"],
                r["permissive"] == "yes",
                r["archive"],
                tuple(r["refused"].split()),
            )
            for r in rows
        ]
