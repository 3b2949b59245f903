"""A short form of the campaign: some attacks of each kind. `python -m tests.campaign --minutes 60` is the long one."""

from __future__ import annotations

import pytest

from tests.campaign.attacks import ATTACKS, attack

NUMBERS = {"bombs": 1, "damage": 10, "disk": 1, "kills": 1, "messages": 1, "sectors": 1}
ROUNDS = [(kind, number) for kind, count in NUMBERS.items() for number in range(count)]


def test_each_kind_is_attacked() -> None:
    assert NUMBERS.keys() == ATTACKS.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), ROUNDS)
def test_it_stands_an_attack(kind: str, number: int) -> None:
    assert attack(kind, seed=0, number=number)
