"""Files and folders that only their owner may read: an index holds the code of private repositories.

Folders get the mode 0700, files 0600, whatever the umask is; what an earlier version left readable is repaired when it is
opened. A folder that belongs to another user is refused: that user could read, replace or redirect what is written there.
Root may own it, as in a container's image, unless others may write there too.

On Windows modes mean nothing, and the folders of a user's profile are private by their inherited access list: there
folders are made, and nothing else is done.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path

from retrieval.errors import StoreError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_OTHERS = 0o077
_OTHERS_WRITE = 0o022
POSIX = os.name == "posix"
_WINDOWS = os.name == "nt"
_PAUSES = (0.01, 0.02, 0.05, 0.1)  # seconds between attempts to replace a file that is open

# What this program keeps at the top of its cache folder, temporary files included.
EVALUATION_FOLDER = "c2llm-evaluation"  # a name that no other folder has where somebody shares the cache folder
OWN_FOLDERS = ("workspaces", "servers", "contexts", EVALUATION_FOLDER)
_OWN_FILE = re.compile(r"(?:vectors\.db|repair\.lock|hnswlib\.json)(?:[.-][\w.-]{1,40})?\Z")


def is_own_entry(name: str) -> bool:
    """Whether an entry of the cache folder with this name is of this program."""
    return name in OWN_FOLDERS or _OWN_FILE.match(name) is not None


def private_cache(cache: Path) -> Path:
    """Make the cache folder, or check its owner, and repair the modes of what is in it.

    A folder that also holds other things (a home folder, /var/cache) keeps its own mode: the user named it for more than
    one purpose. What this program puts there is private in itself.
    """
    if _make(cache):
        return cache
    _refuse_foreign(cache)
    if POSIX:
        entries = _entries(cache)
        own = [entry for entry in entries if is_own_entry(entry.name)]
        for entry in own:
            _tighten(entry.path)
        if len(own) == len(entries) and not cache.stat().st_mode & stat.S_ISVTX:  # sticky: a folder for all, as /tmp
            _tighten(os.path.realpath(cache))
    return cache


def private_folder(folder: Path, *, top: Path | None = None) -> Path:
    """Make `folder`, and those between `top` and it, or check their owners, and repair the modes of what is in it.

    Raises StoreError for a folder of another user, OSError where it cannot be made.
    """
    between = [parent for parent in folder.parents if top is not None and top in parent.parents]
    for each in (*reversed(between), folder):
        if not _make(each):
            _refuse_foreign(each)
            _tighten(os.path.realpath(each))
    if POSIX:
        for entry in _entries(folder):
            _tighten(entry.path)
    return folder


def tighten_tree(folder: Path) -> None:
    """Take the rights of others away from a folder and all that is below it."""
    for path, _, files in os.walk(folder):
        _tighten(path)
        for name in files:
            _tighten(os.path.join(path, name))  # noqa: PTH118


def private_opener(path: str, flags: int) -> int:
    """For `open(…, opener=private_opener)`: a new file is private from its first moment."""
    return os.open(path, flags, FILE_MODE)


def touch_private(path: Path) -> None:
    """Make an empty private file where there is none, and repair the mode of one that is there."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    except FileExistsError:
        _tighten(path)


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file by a private one, whole or not at all."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=private_opener) as file:
            file.write(data)
        _tighten(temporary)  # left by a process that was killed, with whatever mode
        _replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _replace(source: Path, target: Path) -> None:
    """Windows lets nobody replace a file that another program has open, as virus scanners do for moments."""
    for pause in _PAUSES:
        try:
            source.replace(target)
            return
        except PermissionError:
            if not _WINDOWS:
                raise
        time.sleep(pause)
    source.replace(target)


def _make(folder: Path) -> bool:
    """Make a folder with those above it; False where it is there."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True)
    except OSError:  # it is there, which some systems report as a disk that is read-only
        if not folder.is_dir():
            raise
        return False
    return True


def _refuse_foreign(folder: Path) -> None:
    """Raise StoreError for a folder, or a link to one, that another user controls."""
    if not POSIX:
        return
    user = os.geteuid()
    for status in (folder.lstat(), folder.stat()):
        if status.st_uid == user or (status.st_uid == 0 and not _writable_by_others(status)):
            continue
        raise StoreError(
            f"The folder {folder} belongs to user {status.st_uid}, and this is user {user}: whoever owns it could read "
            "or replace the index. Point C2LLM_CACHE_DIR (or C2LLM_DATA_DIR for adapted models) at a folder of yours, "
            f"or change its owner: chown -R {user} {folder}"
        )


def _writable_by_others(status: os.stat_result) -> bool:
    return bool(status.st_mode & _OTHERS_WRITE) and not stat.S_ISLNK(status.st_mode)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError:
        return []


def _tighten(path: str | Path) -> None:
    """Take the rights of others away; not through a link, and not where the disk or the owner forbids it."""
    if not POSIX:
        return
    with suppress(OSError):
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            os.chmod(path, mode & ~_OTHERS)  # noqa: PTH101
