"""Checkpoints from the hub, by its own client: `fetch` downloads, `cached` finds what was downloaded without a single request.

Files lie where every program of this machine that uses the hub looks for them (HF_HOME), so nothing is downloaded twice;
HF_ENDPOINT names a mirror, HF_TOKEN opens private models, proxies come from the environment. Only numbers and text are fetched
(configuration, tokenizer, safetensors); code of a checkpoint is not even downloaded.

The configuration comes first, so that a model of another architecture is refused before gigabytes are fetched. Weights are then
fetched file by file into a part that stays when the connection breaks or the process dies: the next call asks for the rest only,
and compares the whole with the hub's checksum. (The client itself keeps no part of a file across processes, since version 2.)
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from retrieval.errors import HubUnreachableError, MissingExtraError, ModelError
from retrieval.model.checkpoint import INDEX_NAME
from retrieval.model.checkpoint_names import split
from retrieval.model.config import CONFIG_NAME, C2LLMConfig

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

WEIGHTS = ".safetensors"
SMALL = (CONFIG_NAME, "tokenizer.json", "tokenizer_config.json", INDEX_NAME)
PIECE = 1 << 22  # bytes hashed at once
SPARE = 200_000_000  # bytes that stay free on the disk
RESETS = 5  # in a row, without a byte between them, after which a download fails; as many as the client allows itself
RESET_DELAY = 1.0  # seconds before the next attempt; the client's own

Progress = Callable[[str, int, int], None]  # stage, bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkpoint on the hub at one revision."""

    name: str
    revision: str  # as it was asked for; "" for the newest
    commit: str
    files: tuple[RepoSibling, ...]  # that are wanted

    @property
    def weights(self) -> tuple[RepoSibling, ...]:
        return tuple(file for file in self.files if file.rfilename.endswith(WEIGHTS))


def fetch(name: str, *, progress: Progress = lambda *_: None) -> Path:
    """Download what is missing of `owner/name[@revision]`; its folder. What was fetched stays, however this ends.

    Raises HubUnreachableError, and ModelError for what the hub does not have or this program does not run.
    """
    repository = _look_up(name)
    with _telling(repository.name, CONFIG_NAME):
        C2LLMConfig.load(
            Path(_client().hf_hub_download(repository.name, CONFIG_NAME, revision=repository.commit)).parent
        )
    _fetch_all_weights(repository, progress)
    with _telling(repository.name, "the tokenizer"):
        return Path(
            _client().snapshot_download(
                repository.name,
                revision=repository.revision or None,
                allow_patterns=[f.rfilename for f in repository.files],
            )
        )


def cached(name: str) -> Path:
    """The folder of a checkpoint that was downloaded before. Raises ModelError where it was not, or not completely."""
    repository, revision = split(name)
    try:
        found = _client().snapshot_download(
            repository, revision=revision or None, local_files_only=True, allow_patterns=[*SMALL, f"*{WEIGHTS}"]
        )
    except Exception as error:  # the client's classes changed from version to version
        partly = " completely" if type(error).__name__ == "IncompleteSnapshotError" else ""
        raise ModelError(
            f"The checkpoint {name} is not downloaded{partly}: c2llm model use {name} downloads it, and goes on where a "
            "download stopped."
        ) from error
    return Path(found)


def endpoint() -> str:
    return str(_client().constants.ENDPOINT)


def _look_up(name: str) -> Repository:
    repository, revision = split(name)
    with _telling(repository, "the list of its files", revision):
        info = _client().HfApi().model_info(repository, revision=revision or None, files_metadata=True)
    files = [f for f in info.siblings or [] if "/" not in f.rfilename and _wanted(f.rfilename)]
    names = {file.rfilename for file in files}
    if CONFIG_NAME not in names or not any(name.endswith(WEIGHTS) for name in names):
        raise ModelError(
            f"{repository} on the hub holds no checkpoint in safetensors ({CONFIG_NAME} and *{WEIGHTS}): use a C2LLM "
            "checkpoint, such as codefuse-ai/C2LLM-0.5B."
        )
    return Repository(repository, revision, str(info.sha), tuple(files))


def _wanted(file: str) -> bool:
    return file in SMALL or file.endswith(WEIGHTS)


def _fetch_all_weights(repository: Repository, progress: Progress) -> None:
    total = sum(file.size or 0 for file in repository.weights)
    done = 0

    def report(here: int) -> None:
        progress("download", done + here, total)

    for file in repository.weights:
        with _telling(repository.name, file.rfilename):
            _fetch_weights(repository, file, report)
        done += file.size or 0
        report(0)


def _fetch_weights(repository: Repository, file: RepoSibling, report: Callable[[int], None]) -> None:
    """Into the place where the client keeps a file's content, so that it finds it there."""
    from filelock import FileLock

    file_download = _client().file_download
    url = _client().hf_hub_url(repository.name, file.rfilename, revision=repository.commit)
    known = _client().get_hf_file_metadata(url)
    if not known.etag:
        raise ModelError(f"The hub gives no checksum for {file.rfilename} of {repository.name}: is HF_ENDPOINT right?")
    folder = Path(_client().constants.HF_HUB_CACHE) / file_download.repo_folder_name(
        repo_id=repository.name, repo_type="model"
    )
    whole = folder / "blobs" / known.etag
    part = whole.with_name(f"{known.etag}.part")
    whole.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(part) + ".lock"):
        if whole.exists():
            return
        size = known.size or file.size or 0
        _require_space(size - (part.stat().st_size if part.exists() else 0), whole.parent)
        with part.open("ab") as target:
            _download(known.location, _Counted(target, report), size)
        _compare(part, known.etag, file.rfilename)
        part.replace(whole)
    Path(str(part) + ".lock").unlink(missing_ok=True)


def _download(location: str, target: _Counted, size: int) -> None:
    """Append what is missing of a file.

    The client itself resumes after a timeout, a refused connection and one that was closed early, but not after one that was
    reset (ReadError).
    """
    left = RESETS
    while True:
        start = target.tell()
        try:
            _client().file_download.http_get(
                location, target, resume_size=start, headers=_headers(location), expected_size=size or None
            )
            return
        except Exception as error:  # the class belongs to the HTTP library that the client happens to use
            left = RESETS if target.tell() > start else left - 1
            if type(error).__name__ != "ReadError" or not left:
                raise
        time.sleep(RESET_DELAY)


def _headers(location: str) -> dict[str, str]:
    """The token is for the hub, not for the store of files that it points to."""
    own = location.startswith(endpoint())
    return dict(_client().utils.build_hf_headers(token=None if own else False))


class _Counted:
    """A file that tells how much is in it."""

    def __init__(self, file: BinaryIO, report: Callable[[int], None]) -> None:
        self._file, self._report = file, report

    def write(self, content: bytes) -> int:
        written = self._file.write(content)
        self._report(self._file.tell())
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _compare(part: Path, etag: str, name: str) -> None:
    """Large files are named by the SHA-256 of their content."""
    if len(etag) != 64:
        return
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    if digest.hexdigest() != etag:
        part.unlink()
        raise ModelError(f"{name} arrived damaged and was deleted: start the same command again.")


def _require_space(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise ModelError(
            f"The download needs {needed / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB free: make room, or set HF_HOME "
            "to a folder on another disk."
        )


def _client() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.file_download
        import huggingface_hub.utils
    except ImportError as error:
        raise MissingExtraError("Downloading a checkpoint", "torch") from error
    # Progress is ours to show: beside our own bar theirs would be noise.
    client: Any = huggingface_hub  # its modules do not all say what they export
    client.utils.disable_progress_bars()
    return client


@contextmanager
def _telling(name: str, file: str, revision: str = "") -> Iterator[None]:
    """What the client says, as one sentence: which file, why, and what to do instead."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the client's classes, and those of the HTTP library that it happens to use
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if "RevisionNotFoundError" in kinds:
            raise ModelError(f"{name} has no revision '{revision}' on the hub: leave it out for the newest.") from error
        if "GatedRepoError" in kinds:
            raise ModelError(
                f"{name} is open only to those who accepted its terms on its page: do that, and set HF_TOKEN to your token."
            ) from error
        if "RepositoryNotFoundError" in kinds:
            raise ModelError(
                f"There is no model {name} on the hub, or it is private: look at the name; for a private one set HF_TOKEN."
            ) from error
        raise HubUnreachableError(name, file, endpoint(), _reason(error)) from error


def _reason(error: BaseException) -> str:
    """The first line of what lies at the bottom of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__
