"""The attacks by name. Each gets a source of chance and an empty folder, and gives what it tried, counted."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.campaign import bombs, damage, disk, kills, messages, sectors

Attack = Callable[[random.Random, Path], dict[str, int]]

ATTACKS: dict[str, Attack] = {
    "bombs": bombs.attack,
    "damage": damage.attack,
    "disk": disk.attack,
    "kills": kills.attack,
    "messages": messages.attack,
    "sectors": sectors.attack,
}


def attack(kind: str, seed: int, number: int) -> dict[str, int]:
    """Raises AssertionError where the product does not stand it."""
    with tempfile.TemporaryDirectory(prefix="c2llm-campaign-") as folder:
        return ATTACKS[kind](random.Random(f"{kind} {seed} {number}"), Path(folder).resolve())
