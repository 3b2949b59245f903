from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import C2LLMConfig, with_layers  # noqa: E402
from retrieval.training import trainer  # noqa: E402
from retrieval.training.batches import TrainingBatch  # noqa: E402
from retrieval.training.dataset import padded  # noqa: E402
from retrieval.training.forward import Forward, Validation, mean_reciprocal_rank  # noqa: E402
from retrieval.training.loss import InfoNce  # noqa: E402
from retrieval.training.stacking import stack_layers  # noqa: E402
from retrieval.training.trainer import Monitoring, Stage, TrainingFailed, train  # noqa: E402

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

    def batch(self, step: int) -> TrainingBatch:
        random = np.random.default_rng(step)
        topics = random.permutation(np.arange(2, 30))[:12]
        queries = [np.array([1] * (t % 3) + [t], dtype=np.uint16) for t in topics]
        passages = [np.array([1, t + 30, 1], dtype=np.uint16) for t in topics]
        return TrainingBatch(*padded(queries), *padded(passages))


def tiny(layers: int = 0) -> C2LLM:
    torch.manual_seed(0)
    return C2LLM(with_layers(TINY, layers))


def validation() -> Validation:
    batch = Toy().batch(999)
    parts = ((batch.query_ids, batch.query_mask), (batch.passage_ids, batch.passage_mask))
    return Validation(*([row[kept > 0].astype(np.uint16) for row, kept in zip(*part, strict=True)] for part in parts))


def run(folder: Path, layers: int = 0) -> C2LLM:
    return train(tiny(layers), Toy(), STAGE, folder, Monitoring({"toy": validation()}))


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
    real, calls = trainer.train_step, 0

    def dies_once(*arguments: object) -> float:
        nonlocal calls
        calls += 1
        if calls == 13:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "train_step", dies_once)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", layers)
    resumed = run(tmp_path / "cut", layers)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = trainer.train_step, 0

    def diverges(*arguments: object) -> float:
        nonlocal calls
        calls += 1
        return float("nan") if calls == 6 else real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "train_step", diverges)
    with pytest.raises(TrainingFailed, match="step 6"):
        run(tmp_path)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 5


def test_stacked_layers_change_nothing_at_first() -> None:
    shallow = tiny().eval()
    deeper = stack_layers(shallow, 2).eval()
    ids, mask = torch.tensor([[3, 9, 27, 4]]), torch.ones(1, 4, dtype=torch.long)
    with torch.inference_mode():
        torch.testing.assert_close(deeper(ids, mask)[0], shallow(ids, mask)[0])


def test_right_padded_forward_equals_the_reference() -> None:
    from retrieval.model.right_padded import RightPadded

    model = C2LLM(replace(TINY, num_hidden_layers=2)).eval()
    ids = torch.randint(2, 60, (3, 9))
    mask = (torch.arange(9) < torch.tensor([[9], [4], [1]])).long()
    with torch.inference_mode():
        for found, expected in zip(RightPadded(model)(ids, mask), model(ids, mask), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("padding_side", ["right", "left"])
def test_gradient_caching_gives_the_gradients_of_the_whole_batch(padding_side: str) -> None:
    def gradients(cached: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        model, loss = C2LLM(replace(TINY, num_hidden_layers=1, padding_side=padding_side)), InfoNce()
        stage = replace(STAGE, cached=cached)
        run = trainer.TrainingState(model, loss, trainer.make_optimizer(model, loss, stage), None)
        (trainer.backward_cached if cached else trainer.backward)(run, Toy().batch(0), stage)
        return [p.grad for p in [*model.parameters(), *loss.parameters()] if p.grad is not None]

    whole, cached = gradients(False), gradients(True)
    assert len(whole) == len(cached) > 10
    for one, other in zip(whole, cached, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_groups_smaller_than_the_batch_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, model = Toy().batch(0), tiny(1)
    whole = Forward(model, batch).vectors(batch.query_ids, batch.query_mask)
    monkeypatch.setattr("retrieval.training.forward.GROUP_SIZE", 5)
    torch.testing.assert_close(Forward(model, batch).vectors(batch.query_ids, batch.query_mask), whole)


def test_rates_rise_stay_and_fall() -> None:
    stage = replace(STAGE, steps=100, warm_up=10, decay=0.3)
    shares = [stage.share(step) for step in range(100)]
    assert shares[:10] == sorted(shares[:10]) and shares[0] == 0.1
    assert set(shares[10:70]) == {1.0}
    assert shares[70:] == sorted(shares[70:], reverse=True) and shares[-1] < 0.03
    assert [replace(stage, steps=200).share(step) for step in range(70)] == shares[:70]


def test_the_average_follows_the_weights(tmp_path: Path) -> None:
    model = tiny()
    result = train(model, Toy(), replace(STAGE, averaged=0.9), tmp_path, Monitoring({"toy": validation()}))
    assert result is not model
    distances = [(a - b).abs().max().item() for a, b in zip(result.parameters(), model.parameters(), strict=True)]
    assert 0 < max(distances) < 0.1


@pytest.mark.slow
def test_a_run_with_an_average_resumes_exactly(tmp_path: Path) -> None:
    stage = replace(STAGE, averaged=0.9, decay=0.3)
    whole = train(tiny(), Toy(), stage, tmp_path / "whole")
    train(tiny(), Toy(), replace(stage, steps=15), tmp_path / "cut")
    resumed = train(tiny(), Toy(), stage, tmp_path / "cut")
    # the run of 15 steps had begun to fall at step 11, so that only its first 10 are the same
    assert any(not torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    train(tiny(), Toy(), replace(stage, steps=15, decay=0.0), tmp_path / "longer")
    resumed = train(tiny(), Toy(), stage, tmp_path / "longer")
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_something_else_is_named_in_words(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingFailed, match=r"checkpoint\.pt is no checkpoint of this run"):
        run(tmp_path)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tiny(), Toy(), replace(STAGE, steps=5), tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(state: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingFailed, match="make room"):
        train(tiny(), Toy(), STAGE, tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not (tmp_path / "checkpoint.part").exists()


def test_a_teacher_s_similarities_are_learnt(tmp_path: Path) -> None:
    """The teacher belongs each query to the next passage: with all weight on it, that is what is learnt."""

    class Taught(Toy):
        def batch(self, step: int) -> TrainingBatch:
            batch = super().batch(step)
            return replace(batch, teacher=np.roll(np.eye(12, dtype=np.float32), 1, axis=1))

    batch = Taught().batch(3)
    model = train(tiny(), Fixed(batch), replace(STAGE, distilled=1.0), tmp_path)
    forward = Forward(model, batch)
    scores = (
        forward.vectors(batch.query_ids, batch.query_mask) @ forward.vectors(batch.passage_ids, batch.passage_mask).T
    )
    assert (scores.argmax(dim=1) == torch.arange(1, 13) % 12).float().mean() > 0.9


class Fixed:
    def __init__(self, only: TrainingBatch) -> None:
        self._only = only

    def batch(self, step: int) -> TrainingBatch:
        return self._only
