"""What encoders can do besides, and what holds for one that cannot."""

from __future__ import annotations

from retrieval.encoders import OverlapEncoder, is_available, is_low_latency, is_outdated, processor_of
from retrieval.encoders.protocol import AttendingEncoder, Encoder, RemoteEncoder, StoppableEncoder


class Remote(OverlapEncoder):
    low_latency = False
    runs_on = "cuda:1"

    def __init__(self, *, available: bool, outdated: bool) -> None:
        super().__init__()
        self.available, self.outdated = available, outdated


def test_an_encoder_without_capabilities_is_local_and_not_quick() -> None:
    encoder = OverlapEncoder()
    assert isinstance(encoder, Encoder)
    assert not isinstance(encoder, AttendingEncoder | RemoteEncoder | StoppableEncoder)
    assert is_available(encoder) and not is_outdated(encoder)
    assert not is_low_latency(encoder)
    assert processor_of(encoder) == ""


def test_a_capability_is_asked_for_each_time() -> None:
    encoder = Remote(available=False, outdated=True)
    assert not is_available(encoder) and is_outdated(encoder)
    assert not is_low_latency(encoder)
    encoder.available, encoder.low_latency = True, True
    assert is_available(encoder) and is_low_latency(encoder)
    assert processor_of(encoder) == "cuda:1"
