"""C2LLM as one ONNX graph: backbone, pooling, unit length; a second output says where the pooling looks.

Inputs `ids` and `mask` (batch, length), outputs `vectors` (batch, dimension) and `attention` (batch, length). An output called
`embedding` would clash with a name that torch uses inside and make an invalid graph. Weights of more than 1.5 GB lie in a file
beside the graph.

Precisions:
- fp32
- fp16: the backbone in half precision, for GPUs; norms and pooling in fp32, as torch computes them
- int8-weights: weights are stored as int8 and computed with in fp32, so that a text's vector does not depend on the
  other texts of its batch
- int8: products in int8 too, by onnxruntime's dynamic quantization, whose activations are scaled over the whole batch
  (companions change a vector a little), or, where that is too coarse for the model, with a scale for each 32 numbers
In both int8 forms the token table is stored as int8 with one scale a row, and only the rows that a text needs are unpacked.

At the end the graph is run on samples of code and on random rows, and compared with torch in fp32. What is not close enough is not
left behind: everything is written into a folder beside and moved when it is found good.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from retrieval.errors import MissingExtraError, ModelError
from retrieval.model import graph_files, tensor_layout
from retrieval.model.c2llm import C2LLM
from retrieval.model.checkpoint import open_checkpoint
from retrieval.model.devices import require_room
from retrieval.model.export_forward import Exportable
from retrieval.model.graph_files import MODEL_NAME
from retrieval.model.quantize import quantize_by_blocks, quantize_dynamically, store_as_int8
from retrieval.model.sample_code import SAMPLES

Precision = Literal["fp32", "fp16", "int8", "int8-weights"]
TOKENIZER_NAME = "tokenizer.json"
MIN_COSINE: dict[Precision, float] = {"fp32": 0.9999, "fp16": 0.999, "int8": 0.99, "int8-weights": 0.99}
OPSET = 18
RIGHT_PADDED_OPSET = 23  # attention and rotation as one operator each, from onnxruntime 1.23 on
COPIES = 3  # of the weights in memory at the worst moment: the model's, the graph's, and one in the making
SAMPLE_TOKENS = 128  # of each sample: enough to show a mistake with positions, little enough for a large model on a CPU


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and the lowest cosine of its vectors with torch's."""

    precision: str
    megabytes: float
    cosine: float


def export(model: C2LLM, tokenizer: Path, out: Path, *, precision: Precision = "int8-weights") -> ExportReport:
    """Writes OUT/model.onnx, config.json and tokenizer.json. Raises ModelError where the result is not close enough to torch.

    The model is to be in fp32; for fp16 its backbone is halved on the way.
    """
    out.mkdir(parents=True, exist_ok=True)
    batches = [random_rows(model), *_sample_rows(model, tokenizer)]
    with torch.inference_mode():
        expected = [model(ids, mask)[0] for ids, mask in batches]
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as temporary:
        exact = Path(temporary) / "exact" / MODEL_NAME
        exact.parent.mkdir()
        _export_graph(model, exact, halved=precision == "fp16")
        cosine = -1.0
        for number, form in enumerate(_forms(precision)):
            target = Path(temporary) / str(number) / MODEL_NAME
            target.parent.mkdir()
            form(exact, target)
            cosine = lowest_cosine(target, batches, expected)
            if cosine >= MIN_COSINE[precision]:
                break
        else:
            raise ModelError(
                f"The exported model is off: its vectors have a cosine of {cosine:.5f} with torch's, {MIN_COSINE[precision]} was "
                f"expected at least. Nothing was written to {out}; try another precision."
            )
        for path in (out / name for name in (MODEL_NAME, graph_files.DATA_NAME)):
            path.unlink(missing_ok=True)
        for path in list(graph_files.files(target.parent)):
            path.replace(out / path.name)
    model.config.save(out)
    if tokenizer.resolve() != (out / TOKENIZER_NAME).resolve():
        shutil.copyfile(tokenizer, out / TOKENIZER_NAME)
    size = sum(path.stat().st_size for path in graph_files.files(out))
    return ExportReport(precision, round(size / 1e6, 2), cosine)


def export_checkpoint(folder: Path, out: Path, *, precision: Precision) -> ExportReport:
    """The same from a checkpoint's folder, if this machine has the memory for it."""
    checkpoint = open_checkpoint(folder)
    if not (folder / TOKENIZER_NAME).is_file():
        raise ModelError(f"There is no {TOKENIZER_NAME} in {folder}: the model cannot read without it.")
    size = 4 * tensor_layout.parameters(tensor_layout.stored_tensors(checkpoint.config))
    require_room(COPIES * size, torch.device("cpu"), f"Exporting {folder.name}", "a machine with more memory")
    return export(C2LLM.load(folder), folder / TOKENIZER_NAME, out, precision=precision)


def _export_graph(model: C2LLM, target: Path, *, halved: bool) -> None:
    if halved:
        model.plm_model.half()
    ids, mask = random_rows(model)
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=1)
    shape = {0: batch, 1: length}
    graph, opset = _graph(model.eval())
    # torch's exporter tells its own developers of operators that it does not know here.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph,
                (ids, mask),
                input_names=["ids", "mask"],
                output_names=["vectors", "attention"],
                dynamic_shapes=(shape, shape),
                opset_version=opset,
                dynamo=True,
                optimize=True,
                verbose=False,
            )
    except ImportError as error:
        raise MissingExtraError("Export to ONNX", "train") from error
    if program is None:
        raise ModelError("torch made no ONNX program of the model: its version does not fit, try another.")
    size = sum(parameter.nbytes for parameter in model.parameters())
    program.save(str(target), external_data=size > graph_files.ONE_FILE)


def _forms(precision: Precision) -> tuple[Callable[[Path, Path], None], ...]:
    """What makes the wanted graph out of the exact one; each is tried where the one before it is not close enough."""
    if precision == "int8-weights":
        return (lambda source, target: store_as_int8(source, target, all_weights=True),)
    if precision == "int8":
        return tuple(partial(_with_small_table, way) for way in (quantize_dynamically, quantize_by_blocks))
    return (_moved,)


def _with_small_table(way: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    way(source, target)
    store_as_int8(target, target, all_weights=False)


def _moved(source: Path, target: Path) -> None:
    for path in list(graph_files.files(source.parent)):
        path.replace(target.with_name(path.name))


def _graph(model: C2LLM) -> tuple[torch.nn.Module, int]:
    """What is traced, and the version of the operators: a model that says it is padded on the right needs no attention mask and
    takes half the time."""
    return (Exportable(model), RIGHT_PADDED_OPSET) if model.config.padding_side == "right" else (model, OPSET)


def random_rows(model: C2LLM, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Three rows of different lengths."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, model.config.vocab_size, (3, 24), generator=generator)
    mask = (torch.arange(24)[None, :] < torch.tensor([24, 17, 5])[:, None]).long()
    return ids * mask, mask


def _sample_rows(model: C2LLM, tokenizer: Path) -> list[tuple[Tensor, Tensor]]:
    """Code as the model reads it, each alone and all in one batch, padded on the right."""
    from tokenizers import Tokenizer

    try:
        known = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelError(
            f"{tokenizer} is not a readable tokenizer ({error}): the model cannot be used without it."
        ) from error
    known.no_padding()
    limit = min(SAMPLE_TOKENS, model.config.max_passage_tokens, model.config.max_position_embeddings)
    texts = [model.config.document_instruction + sample for sample in SAMPLES]
    rows = [torch.tensor(e.ids[:limit]) for e in known.encode_batch(texts, add_special_tokens=False) if e.ids]
    if not rows or int(max(row.max() for row in rows)) >= model.config.vocab_size:
        raise ModelError(
            f"{tokenizer} is not the tokenizer of this model: it gives tokens that the model does not have."
        )
    ids, mask = (pad_sequence(part, batch_first=True) for part in (rows, [torch.ones_like(row) for row in rows]))
    return [*((row[None], torch.ones_like(row[None])) for row in rows), (ids, mask)]


def lowest_cosine(target: Path, batches: list[tuple[Tensor, Tensor]], expected: list[Tensor]) -> float:
    """Of the graph's vectors with the expected ones."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    lowest = 1.0
    for (ids, mask), wanted in zip(batches, expected, strict=True):
        found = torch.from_numpy(session.run(["vectors"], {"ids": ids.numpy(), "mask": mask.numpy()})[0])
        lowest = min(lowest, float((wanted * found).sum(dim=1).nan_to_num(-1.0).min()))
    return round(lowest, 6)
