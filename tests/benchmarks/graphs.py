"""`python -m tests.benchmarks.graphs`: the embedded model beside all-MiniLM-L6-v2 as ONNX, and how soon it gives a vector.

Both graphs on onnxruntime, in the same run and by turns: rows of as many tokens, no tokenizer. MiniLM (extra `eval`) is exported
here, in fp32 and with onnxruntime's dynamic int8, which is how it is published for CPUs. The first vector counts from the start
of a process.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.encoders.minilm import MiniLmEncoder, minilm_model
from retrieval.encoders.onnx import MODEL_NAME, embedded_folder
from retrieval.model.quantize import quantize_dynamic_int8
from tests.benchmarks.table import Row, markdown

ROWS, TOKENS = 32, 128
ROUNDS = 15
STARTS = 5
TIMES = 4  # as many rows as MiniLM in int8, the budget
FIRST_MS = 500
SEED = 5
FIRST = "from retrieval.encoders import load; load('embedded', threads={threads}).encode_queries(['where are redirects followed'])"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--threads", type=int, default=2)
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="c2llm-graphs-") as folder:
        rows = [*speeds(Path(folder), args.threads), first_vector(args.threads)]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.machine()}, {args.threads} threads, Python {platform.python_version()}{load}\n\n{markdown(rows)}")
    return 0


def speeds(folder: Path, threads: int) -> Iterator[Row]:
    """The best of some rounds: what else runs on the machine only ever takes away."""
    exact, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    export_minilm(exact)
    quantize_dynamic_int8(exact, int8)
    graphs = {"embedded": embedded_folder() / MODEL_NAME, "MiniLM int8": int8, "MiniLM fp32": exact}
    sessions = {name: session(path, threads) for name, path in graphs.items()}
    ids = np.random.default_rng(SEED).integers(1_000, 30_000, (ROWS, TOKENS))
    best = dict.fromkeys(sessions, float("inf"))
    for _ in range(ROUNDS):
        for name, graph in sessions.items():
            begun = time.perf_counter()
            graph.run(None, {"ids": ids, "mask": np.ones_like(ids)})
            best[name] = min(best[name], time.perf_counter() - begun)
    rates = {name: ROWS / seconds for name, seconds in best.items()}
    for name in ("MiniLM int8", "MiniLM fp32"):
        yield Row(
            f"rows of {TOKENS} tokens, beside {name}",
            rates["embedded"],
            "rows/s",
            budget=TIMES * rates[name] if name == "MiniLM int8" else None,
            more_is_better=True,
            alternative=name,
            other=rates[name],
        )


def first_vector(threads: int) -> Row:
    times = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST.format(threads=threads)], check=True)
        times.append(1e3 * (time.perf_counter() - begun))
    return Row("first vector, from the start of the process", statistics.median(times), "ms", FIRST_MS)


def session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as the product runs
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def export_minilm(target: Path) -> None:
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = minilm_model()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
            return torch.nn.functional.normalize(states.sum(1) / mask.sum(1, keepdim=True), dim=-1)

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    ids = torch.full((2, 8), 1_037)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=512)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Pooled(),
            (ids, torch.ones_like(ids)),
            input_names=["ids", "mask"],
            output_names=["vectors"],
            dynamic_shapes=(shape, shape),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(str(target))
    check(target)


def check(target: Path) -> None:
    """What was exported is what the comparison's encoder computes."""
    text = "def follow_redirects(response): return response.next"
    encoder = MiniLmEncoder()
    ids = np.array([encoder._tokenizer.encode(text).ids])
    (found,) = session(target, 1).run(None, {"ids": ids, "mask": np.ones_like(ids)})
    if (found @ encoder.encode_passages([text]).T).min() < 0.999:
        raise SystemExit("MiniLM was not exported as it is")


if __name__ == "__main__":
    sys.exit(main())
