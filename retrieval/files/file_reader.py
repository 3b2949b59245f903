"""Reads one file of the workspace as text, or gives the reason to skip it.

Choices: symbolic links are never followed, neither as the last component of the path nor before it: a link to a file of
the workspace would be a duplicate, any other points outside. The file is opened without blocking and checked with `fstat`
before a byte is read, so that a fifo, a device or a sparse 2 GB file costs nothing. Text that is not UTF-8 is decoded as
encodings.py says.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from retrieval.files.default_excludes import ALWAYS_EXCLUDED, SECRET, content_skip_reason, file_skip_reason
from retrieval.files.encodings import Decoded, decode_source
from retrieval.files.open_inside import crosses_link, open_inside
from retrieval.files.secret_names import holds_key
from retrieval.files.token_masking import mask_tokens
from retrieval.types import Skip

MAX_BYTES = 1024 * 1024
MOST_BYTES = 64_000_000  # of a file that the user asked for by name, and of what the setting allows
DIGEST_BYTES = 16
ATTEMPTS = 3  # reads of a file that keeps changing, before it is left to the next event
UNSETTLED = -1
FAILED = "cannot be indexed"
RACY_NS = 100_000_000  # kernels stamp files with a clock that ticks up to every 10 ms
RACY_COARSE_NS = 2_000_000_000  # FAT has 2 s, HFS+ and some network mounts 1 s
UNCERTAIN = "encoding uncertain"  # the reason begins with it; the file is indexed
_WIDE = ("utf-16", "utf-32")  # encodings in which ASCII is more than a byte
_INT64 = (1 << 63) - 1


class FileStamp(NamedTuple):
    """Identifies an unchanged file; a tuple, because a scan creates and compares thousands."""

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int  # no program can set it: it tells of an edit that put size and mtime back; on Windows of none

    @classmethod
    def of(cls, status: os.stat_result, now_ns: int) -> FileStamp:
        """The stamp to store at `now_ns`.

        A file changed within the current clock tick could change again without a new mtime: as in git ("racy" entries), its
        stamp gets a value that never compares equal, so that the next scan reads the file again.
        """
        changed = status.st_mtime_ns
        age = now_ns - changed
        if age < RACY_COARSE_NS and age < (RACY_NS if changed % 1_000_000_000 else RACY_COARSE_NS):
            changed = UNSETTLED
        size, inode, ctime = status.st_size, status.st_ino, status.st_ctime_ns
        if not (
            0 <= inode <= _INT64 and -_INT64 <= changed <= _INT64 and -_INT64 <= ctime <= _INT64 and size <= _INT64
        ):
            return cls(_to_int64(size), _to_int64(changed), _to_int64(inode), _to_int64(ctime))
        return tuple.__new__(cls, (size, changed, inode, ctime))  # half the time of cls(…)


def _to_int64(number: int) -> int:
    """The lowest 64 bits as a signed number, which the store can hold: network file systems use inodes from 2**63 on, ReFS
    has 128 bits, and nanoseconds before 1677 have more than 64.
    """
    return (number + _INT64 + 1) % (1 << 64) - _INT64 - 1


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's text and what identifies it."""

    path: str
    text: str  # decoded, without a byte order mark, line ends as they are, access tokens masked
    digest: bytes  # of the bytes on disk, 16 bytes
    size: int
    mtime_ns: int
    stamp: FileStamp  # to store beside the digest; UNSETTLED if the file has just changed
    encoding: str = "utf-8"  # that it was decoded with
    note: str = ""  # what a reader should know of how it was read


def read_file(root: Path, path: str, *, limit: int = MAX_BYTES, reincluded: bool = False) -> SourceFile | Skip:
    """Read `path` (relative to `root`, "/" between parts). File system errors become a `Skip`.

    `reincluded`: the user asked for it, so that of the default excludes only those of secrets apply, and the limit is
    MOST_BYTES.
    """
    limit = max(limit, MOST_BYTES) if reincluded else limit
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        return Skip(path, "outside the workspace")
    reason = file_skip_reason(path)
    if reason is not None and (not reincluded or reason in ALWAYS_EXCLUDED):
        return Skip(path, reason)
    try:
        for _ in range(ATTEMPTS):
            result = _read_once(root, path, limit, reincluded)
            if result is not None:
                return result
    except (OSError, ValueError, ArithmeticError) as error:  # whatever a file is, it costs only itself
        return Skip(path, _reason_of(error))
    return Skip(path, "changing")


def skip_reason(
    path: str, text: str, *, limit: int = MAX_BYTES, is_reincluded: Callable[[str], bool] | None = None
) -> str | None:
    """Why a file with this text would be skipped, None if it would be indexed: for unsaved buffers."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > limit and (len(data) > MOST_BYTES or is_reincluded is None or not is_reincluded(path)):
        return "too large"
    if b"\0" in data:
        return "binary"
    reason = file_skip_reason(path) or content_skip_reason(path.rpartition("/")[2], data)
    if reason is None or reason in ALWAYS_EXCLUDED or is_reincluded is None or not is_reincluded(path):
        return reason
    return SECRET if holds_key(data) else None


def is_inside(root: Path, path: str) -> bool:
    """Whether `path` (relative to `root`) stays inside the root and crosses no link."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        return False
    try:
        return not crosses_link(root, parts)
    except OSError:  # not saved yet
        return True


def failure(error: Exception) -> str:
    """The reason to skip a file that fails in an unexpected way."""
    return f"{FAILED}: {type(error).__name__}: {error}"


def digest_of(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def digest_of_file(root: Path, path: str, *, limit: int = MAX_BYTES) -> bytes | None:
    """The digest that `read_file` would give; None where the file cannot be read."""
    try:
        descriptor = open_inside(root, path.split("/"))
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        return digest_of(read_all(descriptor, limit))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read_once(root: Path, path: str, limit: int, reincluded: bool) -> SourceFile | Skip | None:
    """One attempt; None if the file changed while it was read."""
    descriptor = open_inside(root, path.split("/"))
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return Skip(path, "not a regular file")
        if before.st_size > limit:
            return Skip(path, "too large")
        now = time.time_ns()
        data = read_all(descriptor, limit)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if _version(before) != _version(after) or len(data) != after.st_size:
        return None
    decoded = decode_source(data)
    if decoded is None:
        return Skip(path, "binary")
    content = decoded.text.encode("utf-8", "replace") if decoded.encoding.startswith(_WIDE) else data
    reason = content_skip_reason(path.rpartition("/")[2], content)
    if reason is not None and (not reincluded or reason == SECRET):
        return Skip(path, reason)
    return SourceFile(
        path, mask_tokens(decoded.text), digest_of(data), len(data), after.st_mtime_ns, FileStamp.of(after, now),
        decoded.encoding, _source_note(decoded),
    )  # fmt: skip


def _version(status: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file is written to."""
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _source_note(decoded: Decoded) -> str:
    return "" if decoded.is_certain else f"{UNCERTAIN}: read as {decoded.encoding}"


def read_all(descriptor: int, limit: int) -> bytes:
    """Everything up to one byte more than the limit, to detect larger files."""
    blocks: list[bytes] = []
    remaining = limit + 1
    while remaining > 0:
        block = os.read(descriptor, min(remaining, 1 << 20))
        if not block:
            break
        blocks.append(block)
        remaining -= len(block)
    return b"".join(blocks)


def _reason_of(error: Exception) -> str:
    import errno

    if not isinstance(error, OSError):
        return failure(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "missing"
    if error.errno in (errno.ELOOP, errno.EMLINK):  # what O_NOFOLLOW reports for a link
        return "link"
    return f"unreadable: {error.strerror or error}"
