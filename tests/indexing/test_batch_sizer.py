"""Batches for an encoder of unknown speed."""

from __future__ import annotations

import pytest

from retrieval.indexing import embedding


def test_batches_are_as_long_as_the_encoder_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(embedding.time, "perf_counter", lambda: now)
    sizer = embedding.BatchSizer()
    assert sizer.begin() == embedding.FIRST
    for _ in range(10):
        now += 0.001 * sizer.begin()
        sizer.end()
    assert sizer.chunks == embedding.BATCH
    for _ in range(20):
        began = sizer.begin()
        now += 1.0 * began
        sizer.end()
    assert sizer.chunks == 1
