"""Checkpoints from the Hugging Face hub, by its own client: `fetch` downloads, `cached` finds downloads without any request.

Files go to the hub's shared cache (HF_HOME), so nothing is downloaded twice; HF_ENDPOINT names a mirror, HF_TOKEN opens private
models, proxies come from the environment. Only data is fetched (configuration, tokenizer, safetensors), never a checkpoint's code.

The configuration is downloaded first, so that another architecture is rejected before gigabytes are fetched. Each weights file is
downloaded to a partial file that survives a broken connection or a killed process: the next call resumes it, and verifies the
checksum. (The client itself does not keep partial files across processes, since version 2.)
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from retrieval.errors import HubUnreachableError, MissingExtraError, ModelError
from retrieval.model.checkpoint import INDEX_NAME
from retrieval.model.checkpoint_names import split
from retrieval.model.config import CONFIG_NAME, C2LLMConfig

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

WEIGHTS_SUFFIX = ".safetensors"
METADATA_FILES = (CONFIG_NAME, "tokenizer.json", "tokenizer_config.json", INDEX_NAME)
READ_BYTES = 1 << 22  # bytes hashed at once
MIN_FREE_BYTES = 200_000_000  # bytes that must stay free on the disk
MAX_RESETS = 5  # consecutive connection resets without progress, after which a download fails; as in the client
RESET_DELAY = 1.0  # seconds before the next attempt; as in the client
# What the HTTP library of the client raises for a connection that was reset, or that the server closed while it was kept for
# another request. The client gives up on them.
_BROKEN = frozenset({"ReadError", "WriteError", "RemoteProtocolError"})

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # stage, bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkpoint on the hub at one revision."""

    name: str
    revision: str  # as requested; "" for the newest
    commit: str
    files: tuple[RepoSibling, ...]  # the needed ones

    @property
    def weights(self) -> tuple[RepoSibling, ...]:
        return tuple(file for file in self.files if file.rfilename.endswith(WEIGHTS_SUFFIX))


def fetch(name: str, *, progress: Progress = lambda *_: None) -> Path:
    """Download what is missing of `owner/name[@revision]` and return its folder. Partial downloads are kept and resumed.

    Raises HubUnreachableError, and ModelError for a checkpoint that the hub does not have or this program does not support.
    """
    repository = _look_up(name)
    with _hub_errors(repository.name, CONFIG_NAME):
        config = _with_retries(
            lambda: _client().hf_hub_download(repository.name, CONFIG_NAME, revision=repository.commit)
        )
        C2LLMConfig.load(Path(config).parent)
    _fetch_all_weights(repository, progress)
    with _hub_errors(repository.name, "the tokenizer"):
        found = _with_retries(
            lambda: _client().snapshot_download(
                repository.name,
                revision=repository.revision or None,
                allow_patterns=[f.rfilename for f in repository.files],
            )
        )
        return Path(found)


def cached(name: str) -> Path:
    """The folder of a downloaded checkpoint. Raises ModelError if it is missing or incomplete."""
    repository, revision = split(name)
    try:
        found = _client().snapshot_download(
            repository,
            revision=revision or None,
            local_files_only=True,
            allow_patterns=[*METADATA_FILES, f"*{WEIGHTS_SUFFIX}"],
        )
    except Exception as error:  # the client's classes differ between versions
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
    with _hub_errors(repository, "the list of its files", revision):
        info = _with_retries(
            lambda: _client().HfApi().model_info(repository, revision=revision or None, files_metadata=True)
        )
    files = [f for f in info.siblings or [] if "/" not in f.rfilename and _is_needed(f.rfilename)]
    names = {file.rfilename for file in files}
    if CONFIG_NAME not in names or not any(name.endswith(WEIGHTS_SUFFIX) for name in names):
        raise ModelError(
            f"{repository} on the hub holds no checkpoint in safetensors ({CONFIG_NAME} and *{WEIGHTS_SUFFIX}): use a C2LLM "
            "checkpoint, such as codefuse-ai/C2LLM-0.5B."
        )
    return Repository(repository, revision, str(info.sha), tuple(files))


def _is_needed(file: str) -> bool:
    return file in METADATA_FILES or file.endswith(WEIGHTS_SUFFIX)


def _fetch_all_weights(repository: Repository, progress: Progress) -> None:
    total = sum(file.size or 0 for file in repository.weights)
    done = 0

    def report(in_file: int) -> None:
        progress("download", done + in_file, total)

    for file in repository.weights:
        with _hub_errors(repository.name, file.rfilename):
            _fetch_weights(repository, file, report)
        done += file.size or 0
        report(0)


def _fetch_weights(repository: Repository, file: RepoSibling, report: Callable[[int], None]) -> None:
    """Download a file to its blob in the client's cache."""
    from filelock import FileLock

    file_download = _client().file_download
    url = _client().hf_hub_url(repository.name, file.rfilename, revision=repository.commit)
    metadata = _with_retries(lambda: _client().get_hf_file_metadata(url))
    if not metadata.etag:
        raise ModelError(f"The hub gives no checksum for {file.rfilename} of {repository.name}: is HF_ENDPOINT right?")
    folder = Path(_client().constants.HF_HUB_CACHE) / file_download.repo_folder_name(
        repo_id=repository.name, repo_type="model"
    )
    blob = folder / "blobs" / metadata.etag
    partial = blob.with_name(f"{metadata.etag}.part")
    blob.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(partial) + ".lock"):
        if blob.exists():
            return
        size = metadata.size or file.size or 0
        _require_space(size - (partial.stat().st_size if partial.exists() else 0), blob.parent)
        with partial.open("ab") as target:
            _download(metadata.location, _ProgressFile(target, report), size)
        _verify_checksum(partial, metadata.etag, file.rfilename)
        partial.replace(blob)
    Path(str(partial) + ".lock").unlink(missing_ok=True)


def _download(location: str, target: _ProgressFile, size: int) -> None:
    """Append the rest of a partial file.

    The client itself resumes after a timeout, a refused connection and one that was closed early, but not after one of
    _BROKEN.
    """
    left = MAX_RESETS
    while True:
        start = target.tell()
        try:
            _client().file_download.http_get(
                location, target, resume_size=start, headers=_headers(location), expected_size=size or None
            )
            return
        except Exception as error:  # the class belongs to the HTTP library that the client uses
            left = MAX_RESETS if target.tell() > start else left - 1
            if not _is_broken(error) or not left:
                raise
        time.sleep(RESET_DELAY)


def _is_broken(error: BaseException | None) -> bool:
    """Whether a broken connection is the cause."""
    while error is not None and type(error).__name__ not in _BROKEN:
        error = error.__cause__
    return error is not None


def _with_retries(ask: Callable[[], T]) -> T:
    """The answer to a short request, asked again where its connection broke."""
    for _ in range(MAX_RESETS):
        try:
            return ask()
        except Exception as error:
            if not _is_broken(error):
                raise
        time.sleep(RESET_DELAY)
    return ask()


def _headers(location: str) -> dict[str, str]:
    """The token is sent to the hub only, not to the file storage that it redirects to."""
    own = location.startswith(endpoint())
    return dict(_client().utils.build_hf_headers(token=None if own else False))


class _ProgressFile:
    """A file that reports its size after each write."""

    def __init__(self, file: BinaryIO, report: Callable[[int], None]) -> None:
        self._file, self._report = file, report

    def write(self, content: bytes) -> int:
        written = self._file.write(content)
        self._report(self._file.tell())
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _verify_checksum(partial: Path, etag: str, name: str) -> None:
    """Verify the checksum: the ETag of large files is their SHA-256."""
    if len(etag) != 64:
        return
    digest = hashlib.sha256()
    with partial.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    if digest.hexdigest() != etag:
        partial.unlink()
        raise ModelError(f"{name} arrived damaged and was deleted: start the same command again.")


def _require_space(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed + MIN_FREE_BYTES > free:
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
    # This program shows its own progress bar.
    client: Any = huggingface_hub  # its modules do not all say what they export
    client.utils.disable_progress_bars()
    return client


@contextmanager
def _hub_errors(name: str, file: str, revision: str = "") -> Iterator[None]:
    """Turn the client's exceptions into errors that say which file, why, and what to do."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the client's classes, and those of the HTTP library that it uses
        class_names = {cls.__name__ for cls in type(error).__mro__}
        if "RevisionNotFoundError" in class_names:
            raise ModelError(f"{name} has no revision '{revision}' on the hub: leave it out for the newest.") from error
        if "GatedRepoError" in class_names:
            raise ModelError(
                f"{name} is open only to those who accepted its terms on its page: do that, and set HF_TOKEN to your token."
            ) from error
        if "RepositoryNotFoundError" in class_names:
            raise ModelError(
                f"There is no model {name} on the hub, or it is private: check the name; for a private one set HF_TOKEN."
            ) from error
        raise HubUnreachableError(name, file, endpoint(), _reason(error)) from error


def _reason(error: BaseException) -> str:
    """The first line of the root cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__
