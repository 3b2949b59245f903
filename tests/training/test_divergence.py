from __future__ import annotations

import numpy as np
import pytest

from retrieval.training.divergence import DivergenceMonitor, pooling_entropy


def weights(*values: float) -> list[np.ndarray]:
    row = np.array(values, dtype=np.float32)
    return [row / row.sum()]


def test_equal_weights_are_even_and_one_weight_is_not() -> None:
    assert pooling_entropy(weights(*[1.0] * 10))[0] == pytest.approx(1.0)
    even, last = pooling_entropy(weights(*[0.0] * 9, 1.0))
    assert even < 0.01 and last == pytest.approx(1.0)


def test_short_texts_say_nothing() -> None:
    assert np.isnan(pooling_entropy(weights(1.0, 1.0))[0])


def said(
    watch: DivergenceMonitor,
    even: float = 0.8,
    last: float = 0.1,
    scores: dict[str, float] | None = None,
    loss: float = 1.0,
) -> str:
    held_out = scores or {"code": 0.5}
    return " ".join(watch.warnings(even, last, held_out, dict.fromkeys(held_out, loss)))


def test_collapsed_attention_is_said_once_until_it_passes() -> None:
    watch = DivergenceMonitor()
    assert "mean pooling" in said(watch, even=0.999)
    assert said(watch, even=0.999) == ""
    assert said(watch, even=0.9) == ""
    assert "mean pooling" in said(watch, even=0.999)


def test_all_weight_on_the_last_token_is_said() -> None:
    assert "EOS pooling" in said(DivergenceMonitor(), last=0.95)


def test_a_task_that_falls_on_what_was_held_out_while_its_loss_falls_is_overfitted() -> None:
    watch = DivergenceMonitor()
    heard = [said(watch, scores={"sql": 0.5 - 0.05 * i, "code": 0.4 + 0.05 * i}, loss=1.0 - 0.1 * i) for i in range(5)]
    assert heard[:3] == ["", "", ""] and heard[4] == ""
    assert "'sql'" in heard[3] and "overfitting" in heard[3] and "fits code" in heard[3]


def test_a_fall_with_a_rising_loss_is_no_overfitting() -> None:
    watch = DivergenceMonitor()
    heard = [said(watch, scores={"sql": 0.5 - 0.05 * i}, loss=1.0 + 0.1 * i) for i in range(5)]
    assert heard == [""] * 5
