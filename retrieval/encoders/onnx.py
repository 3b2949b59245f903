"""An exported C2LLM model on onnxruntime: the embedded model, and any folder that `retrieval.model.export` wrote.

A folder with passages.onnx holds an asymmetric model: that graph reads passages, and model.onnx reads queries.
In a folder with a map of queries (query_map.py) their vectors are mapped.

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
from retrieval.encoders.query_map import load_query_map
from retrieval.encoders.tokenization import REMEDY, TOKENIZER_NAME, TextTokenizer, TokenRows, first_line, require_file
from retrieval.errors import EncoderError, ModelError
from retrieval.model.config import CONFIG_NAME, C2LLMConfig
from retrieval.model.fingerprint import content_names, fingerprint_of
from retrieval.model.graph_files import DATA_NAME, MODEL_NAME, PASSAGES_NAME

MAX_TOKENS_PER_BATCH = 4_096  # fits the L2 cache of one core; larger batches were not faster
MAX_TEXTS_PER_BATCH = 64
LOW_LATENCY_MULTIPLICATIONS = 2_000_000  # per token; the embedded model has 1.3 million

logger = logging.getLogger(__name__)


def embedded_folder() -> Path:
    return Path(__file__).parent.parent / "model" / "embedded"


class OnnxEncoder:
    """Runs an exported model in an onnxruntime session; thread-safe."""

    def __init__(
        self, folder: Path, *, name: str = "", threads: int | None = None, device: str = "auto", asymmetric: bool = True
    ) -> None:
        """Not `asymmetric`: the graph that reads queries reads passages too, whatever lies beside it."""
        self._folder = folder
        self._name = name or folder.name
        self.config = C2LLMConfig.load(folder)
        self._text_tokenizer = TextTokenizer(folder, self.config)
        self._query_map = load_query_map(folder, self.dimension)
        self._session = _load_session(folder / MODEL_NAME, threads, device, small=self.low_latency)
        self._passage_session = self._session
        if asymmetric and (folder / PASSAGES_NAME).is_file():
            self._passage_session = _load_session(folder / PASSAGES_NAME, threads, device, small=True)
        self._fingerprint = ""

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        """A hash of the files that the vectors of passages depend on."""
        if not self._fingerprint:
            data = self._folder / DATA_NAME
            weights = content_names([data]) if data.is_file() else ()
            parts = [self._folder / part for part in (CONFIG_NAME, TOKENIZER_NAME, MODEL_NAME)]
            if self._passage_session is not self._session:
                parts.append(self._folder / PASSAGES_NAME)
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
        multiplications = (
            shape.num_hidden_layers * shape.hidden_size * (4 * shape.hidden_size + 3 * shape.intermediate_size)
        )
        return multiplications <= LOW_LATENCY_MULTIPLICATIONS

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode_queries(self._text_tokenizer.queries(texts))

    def encode_queries_as(self, texts: Sequence[str], instruction: str) -> Vectors:
        return self._encode_queries(self._text_tokenizer.queries(texts, instruction))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._passage_session, self._text_tokenizer.passages(texts))

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """Texts are encoded as passages. Weight on the instruction is distributed among the text's tokens."""
        rows = self._text_tokenizer.passages(texts, offsets=True)
        weights: list[list[tuple[int, int, float]]] = [[] for _ in texts]
        for indices, ids, mask in _batches(rows):
            attention = self._run(self._passage_session, "attention", ids, mask)
            for position, row in enumerate(indices):
                weights[row] = self._text_tokenizer.passage_weights(rows[row][1], attention[position])
        return weights

    def _encode_queries(self, rows: TokenRows) -> Vectors:
        vectors = self._encode(self._session, rows)
        return vectors if self._query_map is None else self._query_map.apply(vectors)

    def _encode(self, session: Any, rows: TokenRows) -> Vectors:
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for indices, ids, mask in _batches(rows):
            vectors[indices] = self._run(session, "vectors", ids, mask)
        return vectors

    def _run(self, session: Any, output: str, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            result: NDArray[np.float32] = session.run([output], {"ids": ids, "mask": mask})[0]
        except Exception as error:  # onnxruntime raises its own classes, straight from Exception
            raise EncoderError(f"The model '{self._name}' failed on {ids.shape[0]} texts: {error}") from error
        return result


def _batches(rows: TokenRows) -> Iterator[tuple[list[int], NDArray[np.int64], NDArray[np.int64]]]:
    """(indices of the texts, padded ids, mask), shortest texts first."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    start = 0
    while start < len(order):
        end = start + 1
        while (
            end < len(order)
            and end - start < MAX_TEXTS_PER_BATCH
            and (end - start + 1) * len(rows[order[end]][0]) <= MAX_TOKENS_PER_BATCH
        ):
            end += 1
        indices = order[start:end]
        width = len(rows[indices[-1]][0])
        ids, mask = np.zeros((len(indices), width), dtype=np.int64), np.zeros((len(indices), width), dtype=np.int64)
        for position, row in enumerate(indices):
            tokens = rows[row][0]
            ids[position, : len(tokens)] = tokens
            mask[position, : len(tokens)] = 1
        yield indices, ids, mask
        start = end


def _load_session(path: Path, threads: int | None, device: str, *, small: bool) -> Any:
    require_file(path)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads sleep instead of spinning: an editor runs on the same machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights stored as int8 become floats once, at loading; else at every run: 1.3 ms for a query instead of 0.3.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    providers = execution_providers.providers_for(device, onnxruntime.get_available_providers(), small=small)
    preferred = providers[0] if isinstance(providers[0], str) else providers[0][0]
    if preferred == execution_providers.BY_DEVICE["cuda"] and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA libraries installed as packages
    if preferred == "DmlExecutionProvider":
        options.enable_mem_pattern = False  # not supported by DirectML
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises its own classes, straight from Exception
        raise ModelError(f"{path} is not a readable model ({first_line(error)}): {REMEDY}.") from error
    if (actual := session.get_providers()[0]) != preferred:
        # onnxruntime reports this only in its own log and silently falls back to the CPU.
        requested, used = execution_providers.label(preferred), execution_providers.label(actual)
        text = f"onnxruntime could not start {requested} and uses {used}: run c2llm doctor for details."
        if device not in ("auto", "cpu"):
            raise ModelError(text)
        logger.warning("%s", text)
    return session
