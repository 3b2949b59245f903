"""The files of a checkpoint: config.json, and safetensors in one file or in shards with an index.

`open_checkpoint` reads headers alone: it says which tensors are missing, unknown or of another shape, and which file is half
downloaded, before anything is loaded. Tensors then come one at a time out of the memory-mapped files, so that loading takes the
memory of the model and of one tensor. Nothing is unpickled and no code of a checkpoint runs: safetensors hold numbers only, and
files of other kinds (`pytorch_model.bin`, Python) are never opened.
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
NAMED = 3  # tensors named in a sentence; a whole list of hundreds helps nobody

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder whose files were found to hold what its config.json promises."""

    folder: Path
    config: C2LLMConfig
    files: tuple[Path, ...]  # those with tensors, in the order of their names
    names: frozenset[str]  # of the tensors in them

    def read(self, wanted: Mapping[str, Tensor]) -> None:
        """Copy tensors into place, each converted to the type and moved to the device that its place has."""
        for file in self.files:
            with _opened(file, "pt") as handle:
                for name in handle.keys():  # noqa: SIM118
                    if name in wanted:
                        wanted[name].copy_(handle.get_tensor(name))


def is_checkpoint(folder: Path) -> bool:
    return (folder / WEIGHTS_NAME).is_file() or (folder / INDEX_NAME).is_file()


def open_checkpoint(folder: Path) -> Checkpoint:
    """Raises ModelError that says what is wrong with the folder."""
    config = C2LLMConfig.load(folder)
    files = tuple(_files(folder))
    found = {name: shape for file in files for name, shape in _shapes(file).items()}
    _compare(folder, found, config)
    return Checkpoint(folder, config, files, frozenset(found))


def _files(folder: Path) -> Iterator[Path]:
    index, single = folder / INDEX_NAME, folder / WEIGHTS_NAME
    if not index.is_file():
        if not single.is_file():
            raise ModelError(
                f"There is no {WEIGHTS_NAME} in {folder}, and no {INDEX_NAME}: it holds no checkpoint, or not all of it yet."
            )
        yield single
        return
    for name in _named_in(index):
        if not (folder / name).is_file():
            raise ModelError(
                f"{folder} has no {name}, which its {INDEX_NAME} names: the download is not complete. "
                "Start it again; it goes on where it stopped."
            )
        yield folder / name


def _named_in(index: Path) -> list[str]:
    try:
        names = set(read_json(index, MAX_JSON_BYTES)["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of weights ({error}): download it again.") from error
    # A checkpoint is foreign: its index does not choose files elsewhere.
    if odd := [name for name in names if not isinstance(name, str) or Path(name).name != name]:
        raise ModelError(f"{index} names {odd[0]!r}, which is no file beside it: download it again.")
    return sorted(names)


def _shapes(file: Path) -> dict[str, Shape]:
    with _opened(file, "np") as handle:
        return {name: tuple(handle.get_slice(name).get_shape()) for name in handle.keys()}  # noqa: SIM118


def _opened(file: Path, framework: str) -> Any:
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


def _compare(folder: Path, found: Mapping[str, Shape], config: C2LLMConfig) -> None:
    """The files against the layout that the configuration asks for."""
    expected = tensor_layout.tensors(config)
    allowed = expected | {tensor_layout.HEAD: tensor_layout.head_shape(config)}
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in allowed and not name.endswith(tensor_layout.DERIVED)]
    shapes = [
        f"{name} {shape} instead of {allowed[name]}"
        for name, shape in found.items()
        if name in allowed and shape != allowed[name]
    ]
    parts = (("missing", missing), ("not known", extra), ("of another shape", shapes))
    if wrong := [f"{what}: {_some(names)}" for what, names in parts if names]:
        raise ModelError(
            f"The tensors in {folder} are not those that its config.json asks for. {'; '.join(wrong)}. "
            "It is the checkpoint of another model, or its files are of two versions."
        )


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more
