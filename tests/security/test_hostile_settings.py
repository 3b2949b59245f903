"""A workspace's settings that would cost the parser time and memory with the square of their length."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2llm_lsp.settings import load
from retrieval.bounded_files import MAX_KEY_PARTS, parse_toml

LONG = MAX_KEY_PARTS + 1


@pytest.mark.parametrize(
    "key", [".".join("a" * 15_000), '"a b" . ' * LONG + "c", "'a'." * LONG + "c", "x = {" + "a." * LONG + "c"]
)
def test_a_key_of_very_many_parts_is_refused_before_it_is_parsed(key: str, tmp_path: Path) -> None:
    (tmp_path / ".c2llm.toml").write_text(f"{key} = 1\n")
    (warning,) = load(tmp_path).warnings
    assert (
        warning == f".c2llm.toml was left out: .c2llm.toml is not valid TOML: a key of more than {MAX_KEY_PARTS} parts."
    )


def test_nesting_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        parse_toml("a = " + "[" * 60_000)


def test_other_keys_and_values_are_read() -> None:
    assert parse_toml('a.b."c.d" = "1.2.3"\n[x.y]\nz = "e. g. this"\n')["x"] == {"y": {"z": "e. g. this"}}
