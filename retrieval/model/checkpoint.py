"""The files of a checkpoint: config.json, and safetensors in one file or in shards with an index.

`open_checkpoint` reads only headers: it reports missing and unexpected tensors, wrong shapes and truncated files before anything
is loaded. Tensors are then copied one at a time from the memory-mapped files, so that loading takes the memory of the model and
of one tensor. Nothing is unpickled and no code of a checkpoint runs: safetensors hold numbers only, and other files
(`pytorch_model.bin`, Python) are never opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.bounded_files import read_json
from retrieval.errors import MissingExtraError, ModelError
from retrieval.model import tensor_layout
from retrieval.model.config import MAX_JSON_BYTES, C2LLMConfig

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_NAME, INDEX_NAME = "model.safetensors", "model.safetensors.index.json"
MAX_LISTED = 3  # tensors listed in an error message

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder whose files hold the tensors that its config.json declares."""

    folder: Path
    config: C2LLMConfig
    files: tuple[Path, ...]  # safetensors files, sorted by name
    names: frozenset[str]  # of the tensors in them

    def copy_into(self, targets: Mapping[str, Tensor]) -> None:
        """Copy each tensor into the target of its name, converted to the target's dtype and device."""
        for file in self.files:
            with _open_safetensors(file, "pt") as handle:
                for name in handle.keys():  # noqa: SIM118
                    if name in targets:
                        targets[name].copy_(handle.get_tensor(name))


def is_checkpoint(folder: Path) -> bool:
    return (folder / WEIGHTS_NAME).is_file() or (folder / INDEX_NAME).is_file()


def open_checkpoint(folder: Path) -> Checkpoint:
    """Raises ModelError for a folder that is incomplete or does not match its config.json."""
    config = C2LLMConfig.load(folder)
    files = tuple(_files(folder))
    shapes = {name: shape for file in files for name, shape in _shapes(file).items()}
    _check_tensors(folder, shapes, config)
    return Checkpoint(folder, config, files, frozenset(shapes))


def _files(folder: Path) -> Iterator[Path]:
    index, single = folder / INDEX_NAME, folder / WEIGHTS_NAME
    if not index.is_file():
        if not single.is_file():
            raise ModelError(
                f"There is no {WEIGHTS_NAME} in {folder}, and no {INDEX_NAME}: it holds no checkpoint, or not all of it yet."
            )
        yield single
        return
    for name in _shard_names(index):
        if not (folder / name).is_file():
            raise ModelError(
                f"{folder} has no {name}, which its {INDEX_NAME} names: the download is not complete. "
                "Start it again; it goes on where it stopped."
            )
        yield folder / name


def _shard_names(index: Path) -> list[str]:
    try:
        names = set(read_json(index, MAX_JSON_BYTES)["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of weights ({error}): download it again.") from error
    # Checkpoints are untrusted: an index must not name files in other folders.
    if odd := [name for name in names if not isinstance(name, str) or Path(name).name != name]:
        raise ModelError(f"{index} names {odd[0]!r}, which is no file beside it: download it again.")
    return sorted(names)


def _shapes(file: Path) -> dict[str, Shape]:
    with _open_safetensors(file, "np") as handle:
        return {name: tuple(handle.get_slice(name).get_shape()) for name in handle.keys()}  # noqa: SIM118


def _open_safetensors(file: Path, framework: str) -> Any:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise MissingExtraError("A checkpoint in torch", "torch") from error
    try:
        return safe_open(str(file), framework=framework)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{file} is half downloaded or damaged ({error}): download it again, which goes on where it stopped."
        ) from error


def _check_tensors(folder: Path, shapes: Mapping[str, Shape], config: C2LLMConfig) -> None:
    """Compare the tensors with the layout that the configuration implies."""
    expected = tensor_layout.tensors(config)
    allowed = expected | {tensor_layout.LM_HEAD: tensor_layout.head_shape(config)}
    missing = [name for name in expected if name not in shapes]
    extra = [name for name in shapes if name not in allowed and not name.endswith(tensor_layout.LEGACY_BUFFER)]
    mismatched = [
        f"{name} {shape} instead of {allowed[name]}"
        for name, shape in shapes.items()
        if name in allowed and shape != allowed[name]
    ]
    parts = (("missing", missing), ("unexpected", extra), ("wrong shape", mismatched))
    if wrong := [f"{what}: {_abbreviate(names)}" for what, names in parts if names]:
        raise ModelError(
            f"The tensors in {folder} are not those that its config.json asks for. {'; '.join(wrong)}. "
            "It is the checkpoint of another model, or its files are of two versions."
        )


def _abbreviate(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return ", ".join(listed[:MAX_LISTED]) + more
