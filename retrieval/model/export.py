"""Export C2LLM to one ONNX graph: backbone, pooling, normalization; the second output is the pooling attention.

Inputs `ids` and `mask` (batch, length), outputs `vectors` (batch, dimension) and `attention` (batch, length). An output named
`embedding` would clash with an internal name of torch and make the graph invalid. Weights of more than 1.5 GB are stored as
external data.

Precisions:
- fp32
- fp16: the backbone in half precision, for GPUs; norms and pooling in fp32, as torch computes them
- int8-weights: weights are stored as int8 and dequantized to fp32, so that a text's vector does not depend on the
  other texts of its batch
- int8: matrix products in int8 too, by onnxruntime's dynamic quantization, with one activation scale for the whole batch
  (other texts of the batch change a vector a little), or, if that is too coarse for the model, with one scale for each 32 values
Both int8 precisions store the embedding table as int8 with one scale a row, and dequantize only the rows that a text needs.

The exported graph is run on samples of code and on random batches, and compared with torch in fp32. It is written to a temporary
folder, and moved to the target only if it is close enough.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from retrieval.model.config import C2LLMConfig
from retrieval.model.devices import require_memory
from retrieval.model.export_forward import ExportModule
from retrieval.model.graph_files import MODEL_NAME, PASSAGES_NAME
from retrieval.model.quantize import quantize_blockwise, quantize_dynamic_int8, quantize_weights
from retrieval.model.sample_code import SAMPLES

Precision = Literal["fp32", "fp16", "int8", "int8-weights"]
TOKENIZER_NAME = "tokenizer.json"
MIN_COSINE: dict[Precision, float] = {"fp32": 0.9999, "fp16": 0.999, "int8": 0.99, "int8-weights": 0.99}
OPSET = 18
RIGHT_PADDED_OPSET = 23  # Attention and RotaryEmbedding operators; onnxruntime 1.23 or later
PEAK_COPIES = 3  # of the weights in memory at the peak: the model's, the graph's, and one being made
SAMPLE_TOKENS = 128  # of each sample: enough to reveal wrong positions, few enough for a large model on a CPU


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and the lowest cosine between its vectors and torch's."""

    precision: str
    megabytes: float
    cosine: float


def export(model: C2LLM, tokenizer: Path, out: Path, *, precision: Precision = "int8-weights") -> ExportReport:
    """Write OUT/model.onnx, config.json and tokenizer.json. Raises ModelError if the result is not close enough to torch.

    The model must be in fp32; for fp16 its backbone is converted in place.
    """
    out.mkdir(parents=True, exist_ok=True)
    batches = [random_batch(model), *_sample_batches(model, tokenizer)]
    with torch.inference_mode():
        expected = [model(ids, mask)[0] for ids, mask in batches]
    with tempfile.TemporaryDirectory(dir=out, prefix=".export-") as temporary:
        exact = Path(temporary) / "exact" / MODEL_NAME
        exact.parent.mkdir()
        _export_graph(model, exact, half_precision=precision == "fp16")
        cosine = -1.0
        for number, convert in enumerate(_converters(precision)):
            target = Path(temporary) / str(number) / MODEL_NAME
            target.parent.mkdir()
            convert(exact, target)
            cosine = min_cosine(target, batches, expected)
            if cosine >= MIN_COSINE[precision]:
                break
        else:
            raise ModelError(
                f"The exported model differs from torch: the lowest cosine is {cosine:.5f}, at least {MIN_COSINE[precision]} was "
                f"expected. Nothing was written to {out}; try another precision."
            )
        for path in (out / name for name in (MODEL_NAME, graph_files.DATA_NAME, PASSAGES_NAME)):
            path.unlink(missing_ok=True)
        for path in list(graph_files.files(target.parent)):
            path.replace(out / path.name)
    model.config.save(out)
    if tokenizer.resolve() != (out / TOKENIZER_NAME).resolve():
        shutil.copyfile(tokenizer, out / TOKENIZER_NAME)
    size = sum(path.stat().st_size for path in graph_files.files(out))
    return ExportReport(precision, round(size / 1e6, 2), cosine)


def export_passage_tower(tower: C2LLM, folder: Path, *, precision: Precision = "int8-weights") -> ExportReport:
    """Add FOLDER/passages.onnx to an exported model, whose tokenizer and vectors' dimension the tower must share."""
    config = C2LLMConfig.load(folder)
    if replace(tower.config, num_hidden_layers=config.num_hidden_layers) != config:
        raise ModelError(f"The passage tower differs from the model in {folder} in more than its layers.")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as temporary:
        report = export(tower, folder / TOKENIZER_NAME, Path(temporary), precision=precision)
        if (Path(temporary) / graph_files.DATA_NAME).is_file():
            raise ModelError("The passage tower is too large for a graph in one file.")
        (Path(temporary) / MODEL_NAME).replace(folder / PASSAGES_NAME)
    return report


def export_checkpoint(folder: Path, out: Path, *, precision: Precision) -> ExportReport:
    """Export a checkpoint from its folder, if this machine has the memory for it."""
    checkpoint = open_checkpoint(folder)
    if not (folder / TOKENIZER_NAME).is_file():
        raise ModelError(f"There is no {TOKENIZER_NAME} in {folder}: the model cannot read without it.")
    size = 4 * tensor_layout.parameters(tensor_layout.stored_tensors(checkpoint.config))
    require_memory(PEAK_COPIES * size, torch.device("cpu"), f"Exporting {folder.name}", "a machine with more memory")
    return export(C2LLM.load(folder), folder / TOKENIZER_NAME, out, precision=precision)


def _export_graph(model: C2LLM, target: Path, *, half_precision: bool) -> None:
    if half_precision:
        model.plm_model.half()
    ids, mask = random_batch(model)
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=1)
    shape = {0: batch, 1: length}
    module, opset = _module_and_opset(model.eval())
    # torch's exporter warns its own developers of unknown operators here.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
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
        raise ModelError("torch could not convert the model to ONNX: try another version of torch.")
    size = sum(parameter.nbytes for parameter in model.parameters())
    program.save(str(target), external_data=size > graph_files.MAX_SINGLE_FILE_BYTES)


def _converters(precision: Precision) -> tuple[Callable[[Path, Path], None], ...]:
    """Conversions from the exact graph to a precision; each is tried if the one before is not close enough."""
    if precision == "int8-weights":
        return (lambda source, target: quantize_weights(source, target, all_weights=True),)
    if precision == "int8":
        return tuple(
            partial(_with_int8_embeddings, quantize) for quantize in (quantize_dynamic_int8, quantize_blockwise)
        )
    return (_move,)


def _with_int8_embeddings(quantize: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    quantize(source, target)
    quantize_weights(target, target, all_weights=False)


def _move(source: Path, target: Path) -> None:
    for path in list(graph_files.files(source.parent)):
        path.replace(target.with_name(path.name))


def _module_and_opset(model: C2LLM) -> tuple[torch.nn.Module, int]:
    """The module to trace and the opset: right-padded models need no attention mask and take half the time."""
    return (ExportModule(model), RIGHT_PADDED_OPSET) if model.config.padding_side == "right" else (model, OPSET)


def random_batch(model: C2LLM, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Token ids and mask of three texts of different lengths."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, model.config.vocab_size, (3, 24), generator=generator)
    mask = (torch.arange(24)[None, :] < torch.tensor([24, 17, 5])[:, None]).long()
    return ids * mask, mask


def _sample_batches(model: C2LLM, tokenizer: Path) -> list[tuple[Tensor, Tensor]]:
    """Samples of code as passages, each alone and all in one right-padded batch."""
    from tokenizers import Tokenizer

    try:
        loaded = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelError(
            f"{tokenizer} is not a readable tokenizer ({error}): the model cannot be used without it."
        ) from error
    loaded.no_padding()
    limit = min(SAMPLE_TOKENS, model.config.max_passage_tokens, model.config.max_position_embeddings)
    texts = [model.config.document_instruction + sample for sample in SAMPLES]
    rows = [torch.tensor(e.ids[:limit]) for e in loaded.encode_batch(texts, add_special_tokens=False) if e.ids]
    if not rows or int(max(row.max() for row in rows)) >= model.config.vocab_size:
        raise ModelError(
            f"{tokenizer} is not the tokenizer of this model: it produces token ids beyond the vocabulary."
        )
    ids, mask = (pad_sequence(part, batch_first=True) for part in (rows, [torch.ones_like(row) for row in rows]))
    return [*((row[None], torch.ones_like(row[None])) for row in rows), (ids, mask)]


def min_cosine(target: Path, batches: list[tuple[Tensor, Tensor]], expected: list[Tensor]) -> float:
    """The lowest cosine between the graph's vectors and the expected ones."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    lowest = 1.0
    for (ids, mask), reference in zip(batches, expected, strict=True):
        vectors = torch.from_numpy(session.run(["vectors"], {"ids": ids.numpy(), "mask": mask.numpy()})[0])
        lowest = min(lowest, float((reference * vectors).sum(dim=1).nan_to_num(-1.0).min()))
    return round(lowest, 6)
