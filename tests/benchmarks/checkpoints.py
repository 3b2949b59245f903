"""`python -m tests.benchmarks.checkpoints`: C2LLM-0.5B's shape with random weights, on the length mix of a real repository.

    python -m tests.benchmarks.checkpoints padding                 # packed against padded batches, in one run
    python -m tests.benchmarks.checkpoints runtimes --work DIR     # ONNX int8, ONNX fp32, torch bf16, torch fp32 on the CPU
    python -m tests.benchmarks.checkpoints padding --layers 4      # a quick look

Lengths are those of the passages that the product makes of a repository (this one, or --repository), tokens counted by a Qwen2
tokenizer where --tokenizer gives one, else estimated from bytes. Speed does not depend on what the numbers are, so that random
weights measure what the published ones would. On a CPU seconds are CPU seconds of one thread: another process beside changes them
little. On a GPU the share of the card's bf16 matrix peak, measured in the same run, is told as well.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from retrieval.chunking import chunk_file, passage
from retrieval.encoders.torch_encoder import BUDGET, take_batch
from retrieval.files import Scanner
from retrieval.model import tensor_layout
from retrieval.model.attention import Packing, best_kernel, select_attention
from retrieval.model.c2llm import C2LLM
from retrieval.model.config import C2LLM_0_5B, C2LLMConfig
from retrieval.model.devices import choose_device, choose_dtype, dtype_name
from retrieval.model.packed import PackedC2LLM
from tests.benchmarks.table import Row, markdown

CHECKOUT = Path(__file__).parents[2]
BYTES_A_TOKEN = 3.8  # of Qwen2's tokenizer on passages of this repository
LIMIT = 2_048
ROWS = 32  # a padded batch, the default of sentence-transformers
SEED = 3

Model = Callable[[list[list[int]]], object]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("padding", "runtimes"))
    options.add_argument("--layers", type=int, default=C2LLM_0_5B.num_hidden_layers)
    options.add_argument("--passages", type=int, default=64, help="how many, drawn from the repository at random")
    options.add_argument("--repository", type=Path, default=CHECKOUT)
    options.add_argument("--tokenizer", type=Path, help="a tokenizer.json to count with, and to export with")
    options.add_argument("--device", default="auto")
    options.add_argument("--dtype", default="auto")
    options.add_argument("--work", type=Path, help="where exports are kept, so that they are made once")
    args = options.parse_args()
    device = choose_device(args.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    config = replace(C2LLM_0_5B, num_hidden_layers=args.layers)
    lengths = lengths_of(args.repository, args.tokenizer)
    drawn = random.Random(SEED).sample(lengths, min(args.passages, len(lengths)))
    print(
        f"{len(lengths):,} passages of {args.repository.name}: {spread(lengths)}; {len(drawn)} drawn: {spread(drawn)}\n"
    )
    rows = padding(config, drawn, device, args.dtype) if args.what == "padding" else runtimes(config, drawn, args)
    print(markdown(list(rows)))
    return 0


def spread(lengths: Sequence[int]) -> str:
    low, middle, high, top = np.percentile(lengths, [10, 50, 90, 100])
    return f"{np.mean(lengths):.0f} tokens in the mean; {low:.0f}, {middle:.0f}, {high:.0f} at 10, 50, 90 %, {top:.0f} at most"


def lengths_of(repository: Path, tokenizer: Path | None) -> list[int]:
    texts = [
        passage(chunk) for path in _files(repository) for chunk in chunk_file(path, (repository / path).read_text())
    ]
    if tokenizer is None:
        found = [round(len(text.encode()) / BYTES_A_TOKEN) for text in texts]
    else:
        from tokenizers import Tokenizer

        known = Tokenizer.from_file(str(tokenizer))
        found = [len(e.ids) for e in known.encode_batch_fast(texts, add_special_tokens=False)]
    return [min(max(length, 1), LIMIT) for length in found]


def _files(repository: Path) -> Iterator[str]:
    for path in sorted(Scanner(repository).scan().stamps):
        if path.endswith((".py", ".ts", ".lua", ".md", ".go", ".rs", ".java", ".js")):
            yield path


def padding(config: C2LLMConfig, lengths: list[int], device: torch.device, dtype: str) -> Iterator[Row]:
    """Tokens a second: padded in the order of arrival, padded and sorted by length, packed."""
    chosen = choose_dtype(dtype, config.dtype, device)
    texts = random_texts(config, lengths)
    tokens = sum(lengths)
    padded, packed = padded_model(config, device, chosen), packed_model(config, device, chosen)
    ways: list[tuple[str, Callable[[], None]]] = [
        ("padded, sorted by length", lambda: in_rows(padded, sorted(texts, key=len, reverse=True))),
        ("padded, as they come", lambda: in_rows(padded, texts)),
        ("packed", lambda: in_budget(packed, texts, BUDGET[device.type])),
    ]
    speeds = {}
    for name, run in ways:
        run_once(device, lambda: padded(texts[:1]), lambda: packed(texts[:1]))  # both warm
        speeds[name] = tokens / seconds(device, run)
        print(f"{name}: {speeds[name]:,.1f} tokens/s", file=sys.stderr, flush=True)
    kernel = best_kernel(device, chosen)[0]
    place = f"{device}, {dtype_name(chosen)}, {config.num_hidden_layers} layers"
    for other in ("padded, as they come", "padded, sorted by length"):
        yield Row(
            f"packed ({place}; {kernel})",
            speeds["packed"],
            "tokens/s",
            more_is_better=True,
            alternative=other,
            other=speeds[other],
        )
    if device.type == "cuda":
        peak = matrix_peak(device, chosen)
        share = speeds["packed"] * operations_a_token(config) / peak
        yield Row(
            "share of the measured matrix peak",
            100 * share,
            "%",
            budget=40,
            more_is_better=True,
            note=f"peak {peak / 1e12:.0f} TFLOP/s",
        )


def runtimes(config: C2LLMConfig, lengths: list[int], args: argparse.Namespace) -> Iterator[Row]:
    """The same texts through four runtimes on one CPU thread; each measured after the last is gone."""
    texts = sorted(random_texts(config, lengths), key=len, reverse=True)
    tokens = sum(lengths)
    cpu = torch.device("cpu")
    speeds: dict[str, float] = {}
    for name, dtype in (("torch fp32", torch.float32), ("torch bf16", torch.bfloat16)):
        model = packed_model(config, cpu, dtype)
        model(texts[-1:])
        speeds[name] = tokens / seconds(cpu, lambda model=model: in_budget(model, texts, BUDGET["cpu"]))  # type: ignore[misc]
        print(f"{name}: {speeds[name]:,.1f} tokens/s", file=sys.stderr, flush=True)
    del model
    for precision in ("fp32", "int8"):
        session = onnx_session(config, args.work, args.tokenizer, precision)
        session(texts[-1:])
        speeds[f"ONNX {precision}"] = tokens / seconds(cpu, lambda session=session: in_rows(session, texts))  # type: ignore[misc]
        print(f"ONNX {precision}: {speeds[f'ONNX {precision}']:,.1f} tokens/s", file=sys.stderr, flush=True)
    for name in ("ONNX int8", "ONNX fp32", "torch bf16"):
        yield Row(
            name, speeds[name], "tokens/s", more_is_better=True, alternative="torch fp32", other=speeds["torch fp32"]
        )


def random_texts(config: C2LLMConfig, lengths: list[int]) -> list[list[int]]:
    numbers = np.random.default_rng(SEED)
    return [numbers.integers(2, config.vocab_size, length).tolist() for length in lengths]


def packed_model(config: C2LLMConfig, device: torch.device, dtype: torch.dtype) -> Model:
    model = filled(PackedC2LLM(config, device, dtype))

    def run(texts: list[list[int]]) -> object:
        packing = Packing([len(text) for text in texts], device)
        ids = torch.tensor([token for text in texts for token in text], device=device)
        with torch.inference_mode():
            return model(ids, packing, select_attention(packing, dtype))[0].cpu()

    return run


def padded_model(config: C2LLMConfig, device: torch.device, dtype: torch.dtype) -> Model:
    """transformers' Qwen2 over rows padded on the left, as the published code runs it."""
    with torch.device("meta"):
        model = C2LLM(config)
    model = filled(model.to(dtype).to_empty(device=device))
    model.mha_pma.float()
    with torch.device(device):  # what transformers computes when it makes a model is not on the meta device
        model.plm_model.model.rotary_emb = type(model.plm_model.model.rotary_emb)(model.plm_model.model.config)

    def run(texts: list[list[int]]) -> object:
        width = max(map(len, texts))
        ids = torch.tensor([[0] * (width - len(text)) + text for text in texts], device=device)
        mask = torch.tensor([[0] * (width - len(text)) + [1] * len(text) for text in texts], device=device)
        with torch.inference_mode():
            return model(ids, mask)[0].cpu()

    return run


def filled(model: Any) -> Any:
    generator = torch.Generator(next(model.parameters()).device).manual_seed(SEED)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.02, generator=generator) if parameter.dim() > 1 else parameter.fill_(1)
    return model.eval()


def onnx_session(config: C2LLMConfig, work: Path | None, tokenizer: Path | None, precision: Any) -> Model:
    """Exported once into the work folder."""
    import onnxruntime

    from retrieval.model.export import export

    if work is None or tokenizer is None:
        raise SystemExit("Exports need --work DIR and --tokenizer FILE.")
    folder = work / f"{config.num_hidden_layers}-layers-{precision}"
    if not (folder / "model.onnx").exists():
        torch.manual_seed(SEED)
        report = export(C2LLM(config).eval(), tokenizer, folder, precision=precision)
        print(report, file=sys.stderr, flush=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def run(texts: list[list[int]]) -> object:
        width = max(map(len, texts))
        ids = np.array([text + [0] * (width - len(text)) for text in texts], dtype=np.int64)
        mask = np.array([[1] * len(text) + [0] * (width - len(text)) for text in texts], dtype=np.int64)
        return session.run(["vectors"], {"ids": ids, "mask": mask})

    return run


def in_rows(model: Model, texts: list[list[int]]) -> None:
    for start in range(0, len(texts), ROWS):
        model(texts[start : start + ROWS])


def in_budget(model: Model, texts: list[list[int]], budget: int) -> None:
    """As the encoder does it."""
    waiting = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    while waiting:
        batch = take_batch(waiting, lambda i: len(texts[i]), budget)
        model([texts[i] for i in batch])
        waiting = waiting[len(batch) :]


def run_once(device: torch.device, *runs: Callable[[], object]) -> None:
    for run in runs:
        run()


def seconds(device: torch.device, run: Callable[[], object]) -> float:
    """Of CPU time on a CPU; of the clock on a GPU, after which the results are on the host."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    started = clock()
    run()
    return clock() - started


def operations_a_token(config: C2LLMConfig) -> float:
    """Of the matrices of the layers: two for each weight. Attention itself, a few per cent, is left out."""
    shapes = {
        name: shape for name, shape in tensor_layout.tensors(config).items() if ".layers." in name and len(shape) == 2
    }
    return 2.0 * tensor_layout.parameters(shapes)


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large product, the best of some runs."""
    size = 8_192
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        torch.cuda.synchronize(device)
        started = time.perf_counter()
        for _ in range(5):
            left @ right
        torch.cuda.synchronize(device)
        best = min(best, (time.perf_counter() - started) / 5)
    return 2 * size**3 / best


if __name__ == "__main__":
    sys.exit(main())
