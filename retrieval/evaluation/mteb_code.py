"""Our encoders on MTEB(Code): the 12 tasks by name, each with C2LLM's instruction for its queries.

mteb (the extra `eval`) loads the data sets, searches and scores; its result files are the cache: a task that is there is not run
again. Vectors are saved while a task runs, so that one that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from retrieval.encoders.protocol import Encoder, InstructedEncoder, Vectors
from retrieval.errors import MissingExtraError, QueryError
from retrieval.training.tasks import CODE_SEARCH, QUERY_INSTRUCTIONS

# By task of MTEB(Code, v1): what is put before its queries (the report on C2LLM, and the registry of models of mteb).
INSTRUCTIONS: Mapping[str, str] = {
    "AppsRetrieval": QUERY_INSTRUCTIONS["apps"],
    "CodeEditSearchRetrieval": QUERY_INSTRUCTIONS["codeeditsearch"],
    "CodeFeedbackMT": QUERY_INSTRUCTIONS["codefeedback-mt"],
    "CodeFeedbackST": QUERY_INSTRUCTIONS["codefeedback-st"],
    "CodeSearchNetCCRetrieval": QUERY_INSTRUCTIONS["codesearchnet-continuation"],
    "CodeSearchNetRetrieval": CODE_SEARCH,
    "CodeTransOceanContest": QUERY_INSTRUCTIONS["codetransocean"],
    "CodeTransOceanDL": QUERY_INSTRUCTIONS["codetransocean"],
    "CosQA": QUERY_INSTRUCTIONS["cosqa"],
    "COIRCodeSearchNetRetrieval": QUERY_INSTRUCTIONS["codesearchnet-code-to-text"],
    "StackOverflowQA": QUERY_INSTRUCTIONS["stackoverflowqa"],
    "SyntheticText2SQL": QUERY_INSTRUCTIONS["synthetic-text2sql"],
}
# Mean NDCG@10 over all 12 tasks, in percent, as published.
PUBLISHED = {"C2LLM-0.5B": 75.46, "C2LLM-7B": 80.75}
BLOCK = 4_096  # texts whose vectors are saved together

Progress = Callable[[str], None]


@dataclass(slots=True)
class MtebScores:
    """NDCG@10 in percent by task, and why the others have none."""

    scores: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return fmean(self.scores.values())

    @property
    def complete(self) -> bool:
        """Whether the mean can be compared with published ones."""
        return set(self.scores) == set(INSTRUCTIONS)


def task_names(names: Sequence[str]) -> list[str]:
    """Tasks by their names in any case, all without names. Raises QueryError for others."""
    known = {name.lower(): name for name in INSTRUCTIONS}
    if unknown := [name for name in names if name.lower() not in known]:
        raise QueryError(f"There is no task '{unknown[0]}'; tasks of MTEB(Code) are {', '.join(INSTRUCTIONS)}.")
    return list(dict.fromkeys(known[name.lower()] for name in names)) or list(INSTRUCTIONS)


def run_tasks(
    encoder: Encoder, names: Sequence[str], folder: Path, data: Path | None = None, progress: Progress = lambda _: None
) -> MtebScores:
    """The scores of some tasks; results and vectors are kept in a folder. Data sets are those in DATA/TASK, laid out as on
    the hub, else the hub's. What stops one task is told, and the others go on. Raises MissingExtraError.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import mteb
    except ImportError as error:
        raise MissingExtraError("Evaluation with MTEB", "eval") from error

    found = MtebScores()
    cache = mteb.ResultCache(cache_path=folder / "results")
    for name in names:
        vectors = folder / "vectors" / encoder.fingerprint[:16] / name
        model = MtebEncoder(encoder, vectors, progress)
        try:
            result = mteb.evaluate(
                model, _task(name, data), cache=cache, overwrite_strategy="only-missing", show_progress_bar=False
            )
            found.scores[name] = 100 * float(result.task_results[0].get_score())
        except Exception as error:  # of a hub, a file, a model: of whatever a task needs
            found.failures[name] = next(iter(str(error).splitlines()), "") or type(error).__name__
            progress(f"{name}: {found.failures[name]}")
            continue
        shutil.rmtree(vectors, ignore_errors=True)
        progress(f"{name}: NDCG@10 {found.scores[name]:.2f}")
    return found


def _task(name: str, data: Path | None) -> Any:
    import mteb

    task = mteb.get_task(name)
    if data is not None and (data / name).is_dir():
        dataset = {**task.metadata.dataset, "path": str((data / name).resolve())}
        task.metadata = task.metadata.model_copy(update={"dataset": dataset})
    return task


class MtebEncoder:
    """One of our encoders as mteb's protocol of an encoder has it."""

    def __init__(self, encoder: Encoder, folder: Path, progress: Progress = lambda _: None) -> None:
        self._encoder, self._folder, self._progress = encoder, folder, progress

    @property
    def mteb_model_meta(self) -> Any:
        """Under which name and revision results are kept: the revision is that of the weights."""
        from mteb.models import ModelMeta

        name = re.sub(r"[^\w./-]+", "-", self._encoder.name).strip("/")
        empty = ModelMeta.create_empty()
        return empty.model_copy(
            update={
                "name": name if name.count("/") == 1 else f"c2llm/{name.replace('/', '-')}",
                "revision": re.sub(r"\W+", "-", self._encoder.fingerprint)[:40],
                "embed_dim": self._encoder.dimension,
                "use_instructions": isinstance(self._encoder, InstructedEncoder),
            }
        )

    def encode(
        self, inputs: Iterable[Mapping[str, Any]], *, task_metadata: Any, prompt_type: Any = None, **_: Any
    ) -> Vectors:
        """Queries with the instruction of their task, everything else as passages."""
        texts = [str(text) for batch in inputs for text in batch["text"]]
        query = str(getattr(prompt_type, "value", prompt_type)) == "query"
        instruction = INSTRUCTIONS.get(task_metadata.name, CODE_SEARCH) if query else ""
        blocks = []
        for start in range(0, len(texts), BLOCK):
            blocks.append(self._block(texts[start : start + BLOCK], instruction))
            self._progress(f"{task_metadata.name}: {min(start + BLOCK, len(texts)):,} of {len(texts):,} "
                           f"{'queries' if query else 'passages'}")  # fmt: skip
        return np.concatenate(blocks) if blocks else np.zeros((0, self._encoder.dimension), dtype=np.float32)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Cosines: the vectors are normalized."""
        first, second = _tensors(embeddings1, embeddings2)
        return first @ second.T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        first, second = _tensors(embeddings1, embeddings2)
        return (first * second).sum(dim=-1)

    def _block(self, texts: Sequence[str], instruction: str) -> Vectors:
        """The vectors of some texts, from the folder where a run before this one left them."""
        path = self._folder / f"{_digest([instruction, *texts])}.npy"
        if path.is_file():
            try:
                saved: Vectors = np.load(path, allow_pickle=False)
                if saved.shape == (len(texts), self._encoder.dimension):
                    return saved
            except (OSError, ValueError):
                pass  # written by a run that was killed: made anew
        vectors = self._encode(texts, instruction)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        with unfinished.open("wb") as file:
            np.save(file, vectors)
        unfinished.replace(path)
        return vectors

    def _encode(self, texts: Sequence[str], instruction: str) -> Vectors:
        if not instruction:
            return self._encoder.encode_passages(texts)
        if isinstance(self._encoder, InstructedEncoder):
            return self._encoder.encode_queries_as(texts, instruction)
        return self._encoder.encode_queries(texts)


def _tensors(*embeddings: Any) -> Iterator[Any]:
    import torch

    for values in embeddings:
        tensor = torch.as_tensor(values)
        yield tensor if tensor.dim() > 1 else tensor.unsqueeze(0)


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\0")
    return digest.hexdigest()
