"""An exported C2LLM model on onnxruntime: the embedded model, and any folder that `retrieval.model.export` wrote.

onnxruntime reports home unless ORT_DISABLE_TELEMETRY is in the environment before it is first imported; so it is imported here
only, and late. Nothing is looked up on the network. Texts of like length share a batch, so that little is computed for padding.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.encoders import execution_providers
from retrieval.encoders.protocol import Vectors
from retrieval.encoders.tokenization import REMEDY, TOKENIZER_NAME, Reader, Rows, first_line, require_file
from retrieval.errors import EncoderError, ModelError
from retrieval.model.config import CONFIG_NAME, C2LLMConfig
from retrieval.model.fingerprint import content_names, fingerprint_of
from retrieval.model.graph_files import DATA_NAME, MODEL_NAME

TOKENS_A_BATCH = 4_096  # fits the second-level cache of one core; larger batches were no faster
TEXTS_A_BATCH = 64
INSTANT_PRODUCTS = 2_000_000  # multiplications a token; the embedded model has 1.3 million

logger = logging.getLogger(__name__)


def embedded_folder() -> Path:
    return Path(__file__).parent.parent / "model" / "embedded"


class OnnxEncoder:
    """One session and one tokenizer; safe to call from several threads."""

    def __init__(self, folder: Path, *, name: str = "", threads: int | None = None, device: str = "auto") -> None:
        self._folder = folder
        self._name = name or folder.name
        self.config = C2LLMConfig.load(folder)
        self._reader = Reader(folder, self.config)
        self._session = _load_session(folder / MODEL_NAME, threads, device, small=self.low_latency)
        self._fingerprint = ""

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        """A hash of the files: whatever changes a vector changes it."""
        if not self._fingerprint:
            data = self._folder / DATA_NAME
            weights = content_names([data]) if data.is_file() else ()
            parts = (self._folder / part for part in (CONFIG_NAME, TOKENIZER_NAME, MODEL_NAME))
            self._fingerprint = fingerprint_of(parts, *weights)
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @property
    def runs_on(self) -> str:
        """For people."""
        return f"onnxruntime, {execution_providers.label(self._session.get_providers()[0])}"

    @property
    def low_latency(self) -> bool:
        """Small enough that a hundred lines of code are embedded in some ten milliseconds."""
        shape = self.config
        products = shape.num_hidden_layers * shape.hidden_size * (4 * shape.hidden_size + 3 * shape.intermediate_size)
        return products <= INSTANT_PRODUCTS

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._reader.queries(texts))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._reader.passages(texts))

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """Read as passages. What falls on the instruction is shared out among the text's own tokens."""
        rows = self._reader.passages(texts, offsets=True)
        weights: list[list[tuple[int, int, float]]] = [[] for _ in texts]
        for chosen, ids, mask in _batches(rows):
            attention = self._run("attention", ids, mask)
            for place, row in enumerate(chosen):
                weights[row] = self._reader.own(rows[row][1], attention[place])
        return weights

    def _encode(self, rows: Rows) -> Vectors:
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for chosen, ids, mask in _batches(rows):
            vectors[chosen] = self._run("vectors", ids, mask)
        return vectors

    def _run(self, output: str, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            result: NDArray[np.float32] = self._session.run([output], {"ids": ids, "mask": mask})[0]
        except Exception as error:  # onnxruntime raises its own classes, straight from Exception
            raise EncoderError(f"The model '{self._name}' failed on {ids.shape[0]} texts: {error}") from error
        return result


def _batches(rows: Rows) -> Iterator[tuple[list[int], NDArray[np.int64], NDArray[np.int64]]]:
    """(places of the texts, padded ids, mask), shortest texts first."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    start = 0
    while start < len(order):
        end = start + 1
        while (
            end < len(order)
            and end - start < TEXTS_A_BATCH
            and (end - start + 1) * len(rows[order[end]][0]) <= TOKENS_A_BATCH
        ):
            end += 1
        chosen = order[start:end]
        width = len(rows[chosen[-1]][0])
        ids, mask = np.zeros((len(chosen), width), dtype=np.int64), np.zeros((len(chosen), width), dtype=np.int64)
        for place, row in enumerate(chosen):
            tokens = rows[row][0]
            ids[place, : len(tokens)] = tokens
            mask[place, : len(tokens)] = 1
        yield chosen, ids, mask
        start = end


def _load_session(path: Path, threads: int | None, device: str, *, small: bool) -> Any:
    require_file(path)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads sleep instead of spinning: an editor is running beside us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights stored as int8 become floats once, at loading; else at every run: 1.3 ms for a query instead of 0.3.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    wanted = execution_providers.chosen(device, onnxruntime.get_available_providers(), small=small)
    first = wanted[0] if isinstance(wanted[0], str) else wanted[0][0]
    if first == execution_providers.BY_DEVICE["cuda"] and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA's libraries, where they came as packages
    if first == "DmlExecutionProvider":
        options.enable_mem_pattern = False  # which DirectML cannot do
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # onnxruntime raises its own classes, straight from Exception
        raise ModelError(f"{path} is not a readable model ({first_line(error)}): {REMEDY}.") from error
    if (got := session.get_providers()[0]) != first:
        # Said once by onnxruntime, in its own log, and the CPU takes over without a word.
        requested, used = execution_providers.label(first), execution_providers.label(got)
        text = f"onnxruntime could not start {requested} and uses {used}: c2llm doctor tells more."
        if device not in ("auto", "cpu"):
            raise ModelError(text)
        logger.warning("%s", text)
    return session
