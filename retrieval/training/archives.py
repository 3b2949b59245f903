"""Read source files from package archives: wheels, tarballs, Debian packages and the archives inside them.

Nothing is extracted to disk and no code of a package is run; unreadable archives and members are skipped.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from retrieval.errors import C2llmError

ARCHIVE_ENDINGS = (".whl", ".zip", ".deb", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".crate")
INNER_ARCHIVES = ("src.zip", "linux-source-6.1.tar.xz")  # archives inside a package that hold its source
MAX_FILE_BYTES = 300_000  # longer files are data, generated or amalgamated
ZIP_SOURCE_BYTES = 6_000_000  # of source taken from one wheel, and
TAR_ARCHIVE_BYTES = 15_000_000  # of a compressed archive: a sample of the files, the same in every run

PathFilter = Callable[[str], bool]


class ArchiveError(C2llmError):
    """An archive that cannot be read."""


def package_name(archive: Path) -> str:
    """'numpy' of numpy-2.1.0-cp311-….whl, 'golang-1.19-src' of golang-1.19-src_1.19.8-2_all.deb, 'rxjs' of rxjs-7.8.1.tgz."""
    name = archive.name
    for ending in sorted(ARCHIVE_ENDINGS, key=len, reverse=True):
        name = name.removesuffix(ending)
    if archive.suffix == ".deb" or ".orig" in name:
        return name.split("_")[0].lower()
    if archive.suffix == ".whl":
        return name.split("-")[0].lower()
    parts = name.split("-")
    while len(parts) > 1 and parts[-1][:1].isdigit():
        parts.pop()
    return "-".join(parts).lower()


def package_version(archive: Path) -> str:
    """'2.1.0' of numpy-2.1.0-cp311-….whl, '1.19.8-2' of golang-1.19-src_1.19.8-2_all.deb; "" where the name has none."""
    name = archive.name
    for ending in sorted(ARCHIVE_ENDINGS, key=len, reverse=True):
        name = name.removesuffix(ending)
    if archive.suffix == ".deb" or ".orig" in name:
        return name.removesuffix(".orig").partition("_")[2].partition("_")[0].replace("%3a", ":")
    if archive.suffix == ".whl":
        return name.split("-")[1] if "-" in name else ""
    parts = name.split("-")
    first = next((i for i, part in enumerate(parts) if i and part[:1].isdigit()), len(parts))
    return "-".join(parts[first:])


def first_member(archive: Path, pattern: re.Pattern[str]) -> str:
    """The text of the first file whose path matches, "" where there is none. Raises ArchiveError."""
    try:
        if archive.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(archive) as zipped:
                found = next((name for name in zipped.namelist() if pattern.search(name)), None)
                return zipped.read(found).decode("utf-8", "replace") if found else ""
        opened = {"fileobj": _data_of_deb(archive)} if archive.suffix == ".deb" else {"name": archive}
        with tarfile.open(**opened) as tar:
            for member in tar:
                if member.isfile() and pattern.search(member.name.removeprefix("./")):
                    handle = tar.extractfile(member)
                    return handle.read().decode("utf-8", "replace") if handle else ""
        return ""
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise ArchiveError(f"{archive.name} cannot be read ({error}): delete it or download it again.") from error


def source_files(archive: Path, path_filter: PathFilter) -> Iterator[tuple[str, bytes]]:
    """(path, content) of the members that `path_filter` by their path."""
    sampled = _sample_paths(path_filter, TAR_ARCHIVE_BYTES / max(archive.stat().st_size, 1))
    try:
        if archive.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(archive) as zipped:
                size = sum(info.file_size for info in zipped.infolist() if path_filter(info.filename))
                yield from _zip_members(zipped, _sample_paths(path_filter, ZIP_SOURCE_BYTES / max(size, 1)))
        elif archive.suffix == ".deb":
            with tarfile.open(fileobj=_data_of_deb(archive)) as tar:
                yield from _tar_members(tar, sampled)
        else:
            with tarfile.open(archive) as tar:
                yield from _tar_members(tar, sampled)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise ArchiveError(f"{archive.name} cannot be read ({error}): delete it or download it again.") from error


def _sample_paths(path_filter: PathFilter, share: float) -> PathFilter:
    """Accept a share of the files, selected by a checksum of the path."""
    limit = int(min(share, 1.0) * 2**32)
    return lambda path: path_filter(path) and zlib.crc32(path.encode("utf-8", "replace")) < limit


def _zip_members(zipped: zipfile.ZipFile, path_filter: PathFilter) -> Iterator[tuple[str, bytes]]:
    for info in zipped.infolist():
        if not info.is_dir() and info.file_size <= MAX_FILE_BYTES and path_filter(info.filename):
            yield info.filename, zipped.read(info)


def _tar_members(tar: tarfile.TarFile, path_filter: PathFilter) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        if not member.isfile():
            continue
        path = member.name.removeprefix("./")
        if PurePosixPath(path).name in INNER_ARCHIVES:
            inner = tar.extractfile(member)
            if inner is not None:
                yield from _inner_members(path, inner.read(), path_filter)
        elif member.size <= MAX_FILE_BYTES and path_filter(path):
            handle = tar.extractfile(member)
            if handle is not None:
                yield path, handle.read()


def _inner_members(path: str, data: bytes, path_filter: PathFilter) -> Iterator[tuple[str, bytes]]:
    if path.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            yield from _zip_members(zipped, path_filter)
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            yield from _tar_members(tar, path_filter)


def _data_of_deb(archive: Path) -> io.BytesIO:
    """The data.tar of a Debian package: an `ar` file of 60-byte headers, each member padded to an even length."""
    raw = archive.read_bytes()
    if not raw.startswith(b"!<arch>\n"):
        raise ValueError("no ar archive")
    offset = 8
    while offset + 60 <= len(raw):
        name, size = raw[offset : offset + 16].strip(), int(raw[offset + 48 : offset + 58])
        offset += 60
        if name.startswith(b"data.tar"):
            return io.BytesIO(raw[offset : offset + size])
        offset += size + size % 2
    raise ValueError("no data.tar inside")
