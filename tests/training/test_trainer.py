from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import C2LLMConfig, with_layers  # noqa: E402
from retrieval.training import trainer  # noqa: E402
from retrieval.training.batches import Batch  # noqa: E402
from retrieval.training.dataset import padded  # noqa: E402
from retrieval.training.stacking import stacked  # noqa: E402
from retrieval.training.trainer import Stage, TrainingFailed, Validation, mean_reciprocal_rank, train  # noqa: E402

TINY = C2LLMConfig(
    hidden_size=16,
    num_hidden_layers=0,
    num_attention_heads=2,
    num_key_value_heads=1,
    intermediate_size=24,
    vocab_size=60,
    max_position_embeddings=32,
    compressed_dim=16,
    pma_num_heads=2,
    padding_side="right",
)
STAGE = Stage(steps=30, rate=5e-3, embedding_rate=2e-2, warm_up=4, validate_every=10, checkpoint_seconds=0.0)


class Toy:
    """Queries and passages have words of their own: what belongs together has to be learnt."""

    def batch(self, step: int) -> Batch:
        random = np.random.default_rng(step)
        topics = random.permutation(np.arange(2, 30))[:12]
        queries = [np.array([1] * (t % 3) + [t], dtype=np.uint16) for t in topics]
        passages = [np.array([1, t + 30, 1], dtype=np.uint16) for t in topics]
        return Batch(*padded(queries), *padded(passages))


def tiny(layers: int = 0) -> C2LLM:
    torch.manual_seed(0)
    return C2LLM(with_layers(TINY, layers))


def validation() -> Validation:
    batch = Toy().batch(999)
    parts = ((batch.query_ids, batch.query_mask), (batch.passage_ids, batch.passage_mask))
    return Validation(*([row[kept > 0].astype(np.uint16) for row, kept in zip(*part, strict=True)] for part in parts))


def run(folder: Path, layers: int = 0) -> C2LLM:
    return train(tiny(layers), Toy(), STAGE, folder, validation())  # type: ignore[arg-type]


def curve(folder: Path) -> list[tuple[str, str, str]]:
    """Step, loss and MRR; the seconds differ from run to run."""
    rows = [line.split(",") for line in (folder / "curve.csv").read_text().splitlines()]
    return [(row[0], row[2], row[3]) for row in rows]


def test_training_learns(tmp_path: Path) -> None:
    before = mean_reciprocal_rank(tiny(), validation())
    assert mean_reciprocal_rank(run(tmp_path), validation()) > before + 0.2


def test_two_runs_give_the_same_curve(tmp_path: Path) -> None:
    run(tmp_path / "one")
    run(tmp_path / "two")
    assert curve(tmp_path / "one") == curve(tmp_path / "two")


@pytest.mark.parametrize("layers", [0, 1])
def test_a_killed_run_that_goes_on_ends_like_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    whole = run(tmp_path / "whole", layers)
    real, calls = trainer._train_step, 0

    def dies_once(*arguments: object) -> float:
        nonlocal calls
        calls += 1
        if calls == 13:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "_train_step", dies_once)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", layers)
    resumed = run(tmp_path / "cut", layers)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert [row[::2] for row in curve(tmp_path / "cut")] == [row[::2] for row in curve(tmp_path / "whole")]


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = trainer._train_step, 0

    def diverges(*arguments: object) -> float:
        nonlocal calls
        calls += 1
        return float("nan") if calls == 6 else real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "_train_step", diverges)
    with pytest.raises(TrainingFailed, match="step 6"):
        run(tmp_path)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 5


def test_stacked_layers_change_nothing_at_first() -> None:
    shallow = tiny().eval()
    deeper = stacked(shallow, 2).eval()
    ids, mask = torch.tensor([[3, 9, 27, 4]]), torch.ones(1, 4, dtype=torch.long)
    with torch.inference_mode():
        torch.testing.assert_close(deeper(ids, mask)[0], shallow(ids, mask)[0])


def test_right_padded_forward_equals_the_reference() -> None:
    from retrieval.model.rightpadded import RightPadded

    model = C2LLM(replace(TINY, num_hidden_layers=2)).eval()
    ids = torch.randint(2, 60, (3, 9))
    mask = (torch.arange(9) < torch.tensor([[9], [4], [1]])).long()
    with torch.inference_mode():
        for found, expected in zip(RightPadded(model)(ids, mask), model(ids, mask), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
