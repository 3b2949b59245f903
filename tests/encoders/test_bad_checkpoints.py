"""Text of every kind, memory that runs out, devices that are not there."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from retrieval.encoders import load, tokenization  # noqa: E402
from retrieval.encoders.torch_encoder import TorchEncoder, out_of_memory, take_batch  # noqa: E402
from retrieval.errors import EncoderError, ModelError  # noqa: E402
from tests.model.checkpoints import CONFIG, write_checkpoint  # noqa: E402

CHECKOUT = Path(__file__).parents[2]
TEXTS = [f"def f{n}(x):\n    return x + {n}\n" * (1 + n % 5) for n in range(30)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def encoder(folder: Path) -> TorchEncoder:
    return TorchEncoder(folder, device="cpu", dtype="fp32", threads=1)


@pytest.mark.parametrize(
    "text", ["", " \n", "\ud800", "a\udfff b", "\0", "日本語", "🎉 é", "<|endoftext|>", "(((((" * 100]
)
def test_odd_text_gives_a_unit_vector_and_a_place_to_look(encoder: TorchEncoder, text: str) -> None:
    for vectors in (encoder.encode_queries([text]), encoder.encode_passages([text])):
        assert np.isfinite(vectors).all() and abs(np.linalg.norm(vectors) - 1) < 1e-4
    encoder.attention([text])


def test_empty_text_without_an_instruction_has_a_vector_too(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, query_instruction="", document_instruction="")
    vectors = load(str(tmp_path), device="cpu").encode_passages(["", "x"])
    assert np.isfinite(vectors).all()


def test_a_million_tokens_cost_what_the_window_costs(encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One token a byte here. The window is 2,048 tokens."""
    text = "word " * 200_000
    tokenized: list[int] = []
    real = tokenization.encodable
    monkeypatch.setattr(tokenization, "encodable", lambda text: (tokenized.append(len(text)), real(text))[1])
    whole = encoder.encode_passages([text])
    assert tokenized == [encoder.config.max_passage_tokens * tokenization.CHARS_PER_TOKEN]
    np.testing.assert_allclose(whole, encoder.encode_passages([text[:4_000]]), atol=1e-5)


def test_a_token_that_stands_for_many_characters_leaves_nothing_out(tmp_path: Path) -> None:
    """The text is cut to 24 characters a token before it is tokenized; where tokens are longer, more of it is taken."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    write_checkpoint(tmp_path, max_passage_tokens=8, document_instruction="")
    tokenizer = Tokenizer(models.WordLevel({"x" * 100: 0, "end": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (attention_weights,) = load(str(tmp_path), device="cpu").attention([f"{'x' * 100} " * 5 + "end"])  # type: ignore[attr-defined]
    assert len(attention_weights) == 6


class Small:
    """The model on a device whose memory holds so many tokens at once."""

    def __init__(self, model: Any, room: int, error: BaseException) -> None:
        self.model, self.room, self.error = model, room, error
        self.tried: list[int] = []

    def __call__(self, ids: Any, *rest: Any) -> Any:
        self.tried.append(len(ids))
        if len(ids) > self.room:
            raise self.error
        return self.model(ids, *rest)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_budget_and_goes_on(
    encoder: TorchEncoder, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    expected = encoder.encode_passages(TEXTS)
    small = encoder.model = Small(encoder.model, 700, error)  # type: ignore[assignment]
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected, atol=1e-5)
    assert 350 <= encoder.budget <= 700
    assert small.tried[0] > 700 and "going on with" in caplog.text
    before = len(small.tried)
    encoder.encode_passages(TEXTS)
    assert max(small.tried[before:]) <= 700  # it stays halved


def test_a_text_that_does_not_fit_alone_says_what_to_do(encoder: TorchEncoder) -> None:
    encoder.model = Small(encoder.model, 10, MemoryError())  # type: ignore[assignment]
    with pytest.raises(
        EncoderError, match=r"A text of \d+ tokens does not fit into the memory of cpu.*C2LLM_DEVICE=cpu"
    ):
        encoder.encode_passages(TEXTS)


def test_another_failure_is_not_taken_for_memory(encoder: TorchEncoder) -> None:
    encoder.model = Small(encoder.model, 0, RuntimeError("CUDA error: device-side assert triggered"))  # type: ignore[assignment]
    with pytest.raises(EncoderError, match="device-side assert"):
        encoder.encode_passages(TEXTS)
    assert not out_of_memory(RuntimeError("shapes differ"))


OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
import psutil
from retrieval.encoders.torch_encoder import TorchEncoder
encoder = TorchEncoder(Path(sys.argv[1]), device="cpu", dtype="fp32", budget=2_000, threads=1)
encoder.encode_passages(["warm up"])
limit = psutil.Process().memory_info().vms + 300_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(len(encoder.encode_passages(["x" * 400] * 6)), encoder.budget)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_real_memory_that_runs_out_is_survived(tmp_path: Path) -> None:
    """A process that may take 300 MB beside the loaded model; the feed-forward part of a full batch takes 400 and more."""
    narrow = {"hidden_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1, "compressed_dim": 16}
    write_checkpoint(tmp_path, intermediate_size=30_000, num_hidden_layers=1, **narrow)
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, str(tmp_path)], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    count, budget = map(int, done.stdout.split())
    assert count == 6 and budget < 2_000


@pytest.mark.parametrize(
    ("lengths", "budget", "count"),
    [([10, 9, 8], 27, 3), ([10, 9, 8], 26, 2), ([10, 9], 5, 1), ([10], 10, 1), ([], 5, 0)],
)
def test_a_batch_holds_what_the_budget_allows_and_one_text_at_least(
    lengths: list[int], budget: int, count: int
) -> None:
    assert len(take_batch(range(len(lengths)), lengths.__getitem__, budget)) == count


def test_a_model_larger_than_memory_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    """A sparse file with a true header: the tensors of a terabyte, of which nothing is on the disk."""
    config = CONFIG | {"vocab_size": 4_000_000_000, "num_hidden_layers": 0}
    write_checkpoint(tmp_path, num_hidden_layers=0)
    (tmp_path / "config.json").write_text(json.dumps(config))
    _sparse_safetensors(tmp_path / "model.safetensors", config)
    with pytest.raises(
        ModelError, match=r"needs 1,?\d{3}\.\d GB and this machine has [\d.]+ GB free: use .*smaller model"
    ):
        load(str(tmp_path), device="cpu", dtype="fp32", threads=1)


def _sparse_safetensors(path: Path, config: dict[str, Any]) -> None:
    from retrieval.model import tensor_layout
    from retrieval.model.config import C2LLMConfig

    header, end = {}, 0
    for name, shape in tensor_layout.tensors(C2LLMConfig.from_dict(config)).items():
        size = 4 * int(np.prod(shape, dtype=np.int64))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)


def test_a_gpu_that_is_too_small_says_how_much_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from retrieval.model import devices

    monkeypatch.setattr(devices, "free_memory", lambda device: 8_000_000_000)
    with pytest.raises(ModelError, match=r"needs 16\.3 GB and cuda:0 has 8\.0 GB free: use C2LLM_DEVICE=cpu"):
        devices.require_memory(15_334_057_984, torch.device("cuda:0"), "codefuse-ai/C2LLM-7B in bf16")


@pytest.mark.parametrize(
    ("device", "words"),
    [("gpu", "There is no device 'gpu'"), ("cuda:x", "There is no device"), ("meta", "There is no device")],
)
def test_an_unknown_device_lists_those_that_there_are(folder: Path, device: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        load(str(folder), device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_card_says_so(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"finds no cuda device here: set C2LLM_DEVICE=cpu"):
        load(str(folder), device="cuda")


def test_an_unknown_precision_lists_those_that_there_are(folder: Path) -> None:
    with pytest.raises(ModelError, match="bf16, fp16, fp32"):
        load(str(folder), dtype="int3")


def test_a_tokenizer_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a readable tokenizer"):
        load(str(tmp_path))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        load(str(tmp_path))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    from tests.model.checkpoints import byte_tokenizer

    write_checkpoint(tmp_path, vocab_size=257)
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([f"word{n}" for n in range(100)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match=r"357 tokens.*257"):
        load(str(tmp_path))
