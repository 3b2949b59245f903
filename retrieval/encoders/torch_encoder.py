"""A C2LLM checkpoint on torch: CUDA, MPS or CPU, in bf16, fp16 or fp32, without computing for padding.

Texts are processed longest first, in batches limited by a token budget. When memory runs out, the budget is halved for good
and the same texts are retried, so that a shared GPU slows down instead of failing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from retrieval.encoders.protocol import Vectors
from retrieval.encoders.query_map import load_query_map
from retrieval.encoders.tokenization import TOKENIZER_NAME, TextTokenizer, TokenRows
from retrieval.errors import EncoderError, MissingExtraError
from retrieval.model import tensor_layout
from retrieval.model.checkpoint import open_checkpoint
from retrieval.model.config import CONFIG_NAME
from retrieval.model.fingerprint import content_names, fingerprint_of

try:
    import torch
    from torch import Tensor

    from retrieval.model.attention import Packing, best_kernel, select_attention
    from retrieval.model.devices import AUTO, choose_device, choose_dtype, dtype_name, require_memory
    from retrieval.model.packed import PackedC2LLM
except ImportError as error:
    raise MissingExtraError("A checkpoint in torch", "torch") from error

# Tokens per batch. On a GPU enough to fill it (0.5B: about 3 GB of activations); on a CPU few enough that a query does not
# wait long.
BUDGET = {"cuda": 32_768, "mps": 8_192, "cpu": 4_096}

logger = logging.getLogger(__name__)

Batch = list[int]  # indices of the texts


class TorchEncoder:
    """One model on one device; thread-safe."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        threads: int | None = None,
        device: str = AUTO,
        dtype: str = AUTO,
        budget: int = 0,
    ) -> None:
        checkpoint = open_checkpoint(folder)
        self.config, self._checkpoint = checkpoint.config, checkpoint
        self._name = name or folder.name
        self._text_tokenizer = TextTokenizer(folder, self.config)
        self._query_map = load_query_map(folder, self.dimension)
        if threads:
            torch.set_num_threads(threads)
        self.device = choose_device(device)
        self.dtype = choose_dtype(dtype, self.config.dtype, self.device)
        weights = tensor_layout.parameters(tensor_layout.tensors(self.config)) * self.dtype.itemsize
        require_memory(weights, self.device, f"{self._name} in {dtype_name(self.dtype)}")
        self.model = PackedC2LLM.load(checkpoint, self.device, self.dtype)
        self.budget = budget or BUDGET[self.device.type]
        self._fingerprint = ""

    @property
    def name(self) -> str:
        return self._name

    @property
    def fingerprint(self) -> str:
        """A hash of the files that the vectors of passages depend on, and of the precision; rounding differences between
        devices do not count.
        """
        if not self._fingerprint:
            folder = self._checkpoint.folder
            large = content_names(self._checkpoint.files)
            small = (folder / CONFIG_NAME, folder / TOKENIZER_NAME)
            self._fingerprint = fingerprint_of(small, *large, dtype_name(self.dtype))
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @property
    def runs_on(self) -> str:
        """Shown to users: device, precision and attention kernel."""
        return f"{self.device}, {dtype_name(self.dtype)}, {best_kernel(self.device, self.dtype)[0]}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode_queries(self._text_tokenizer.queries(texts))

    def encode_queries_as(self, texts: Sequence[str], instruction: str) -> Vectors:
        return self._encode_queries(self._text_tokenizer.queries(texts, instruction))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(self._text_tokenizer.passages(texts))

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        """Texts are encoded as passages. Weight on the instruction is distributed among the text's tokens."""
        rows = self._text_tokenizer.passages(texts, offsets=True)
        weights: list[list[tuple[int, int, float]]] = [[] for _ in texts]
        for batch, (_, attention_weights) in self._batches(rows):
            for row, weights_of_text in zip(batch, attention_weights, strict=True):
                weights[row] = self._text_tokenizer.passage_weights(rows[row][1], weights_of_text.float().cpu().numpy())
        return weights

    def _encode_queries(self, rows: TokenRows) -> Vectors:
        vectors = self._encode(rows)
        return vectors if self._query_map is None else self._query_map.apply(vectors)

    def _encode(self, rows: TokenRows) -> Vectors:
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for batch, (vectors_of_batch, _) in self._batches(rows):
            vectors[batch] = vectors_of_batch.float().cpu().numpy()
        return vectors

    def _batches(self, rows: TokenRows) -> Iterator[tuple[Batch, tuple[Tensor, list[Tensor]]]]:
        """Longest first: running out of memory shows at once, and the largest blocks are reused."""
        pending = sorted(range(len(rows)), key=lambda i: len(rows[i][0]), reverse=True)
        while pending:
            batch = take_batch(pending, lambda i: len(rows[i][0]), self.budget)
            result = self._run_or_shrink_budget([rows[i][0] for i in batch])
            if result is not None:
                yield batch, result
                pending = pending[len(batch) :]

    def _run_or_shrink_budget(self, texts: list[list[int]]) -> tuple[Tensor, list[Tensor]] | None:
        """None if memory ran out and a smaller batch is to be tried."""
        tokens = sum(map(len, texts))
        try:
            return self._run(texts)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise EncoderError(f"The model '{self._name}' failed on {len(texts)} texts: {error}") from error
            if len(texts) == 1:
                raise EncoderError(
                    f"A text of {tokens:,} tokens does not fit into the memory of {self.device} beside the model "
                    f"'{self._name}': close what else uses it, or set C2LLM_DEVICE=cpu."
                ) from error
        # Outside of the handler: the traceback held on to what the failed run had taken.
        self.budget = max(tokens // 2, 1)
        logger.warning("Memory of %s ran out at %d tokens; going on with %d at once.", self.device, tokens, self.budget)
        if self.device.type != "cpu":
            (torch.cuda if self.device.type == "cuda" else torch.mps).empty_cache()
        return None

    def _run(self, texts: list[list[int]]) -> tuple[Tensor, list[Tensor]]:
        ids = torch.tensor([token for text in texts for token in text], device=self.device)
        packing = Packing([len(text) for text in texts], self.device)
        with torch.inference_mode():
            vectors_of_batch: tuple[Tensor, list[Tensor]] = self.model(
                ids, packing, select_attention(packing, self.dtype)
            )
        return vectors_of_batch


def take_batch(pending: Sequence[int], length: Callable[[int], int], budget: int) -> Batch:
    """The first texts that fit into the budget together; one at least."""
    tokens, count = 0, 0
    while count < len(pending) and (not count or tokens + length(pending[count]) <= budget):
        tokens += length(pending[count])
        count += 1
    return list(pending[:count])


def out_of_memory(error: BaseException) -> bool:
    """Whether this is what torch says when memory runs out: each device has words of its own."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error)
    return "out of memory" in text or "can't allocate memory" in text
