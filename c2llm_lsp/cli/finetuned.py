"""What `c2llm status` and `c2llm doctor` say of a model that was adapted to the workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from c2llm_lsp.cli.check_result import Finding
from c2llm_lsp.settings import COMMAND_LINE

if TYPE_CHECKING:
    from c2llm_lsp.cli.common import Place
    from retrieval.finetune.registry import Adapted


def adapted(place: Place) -> Adapted | None:
    """What this workspace uses in place of the encoder that is named; None for that encoder itself."""
    from retrieval.finetune.registry import read

    if place.loaded.sources.get("encoder") == COMMAND_LINE:
        return None
    return read(place.root, place.loaded.base).current


def told(found: Adapted, base: str) -> str:
    """One line for people."""
    day = time.strftime("%Y-%m-%d", time.localtime(found.made))
    before, after = found.before.get("ranked", 0.0), found.after.get("ranked", 0.0)
    gain = f"NDCG@10 {before:.3f} before, {after:.3f} after, on {found.questions:,} questions"
    return f"from {base} on {day}: {gain}; c2llm adapt --undo goes back"


def adaptation(place: Place) -> Iterator[Finding]:
    """Whether a model was adapted here, and whether the encoder that it was made from is still the same."""
    found = adapted(place)
    if found is None:
        return
    yield Finding("adapted", "ok", told(found, place.loaded.base))
    from retrieval.encoders import load

    if load(place.loaded.base, threads=1).fingerprint != found.base_fingerprint:
        text = f"{place.loaded.base} is another model now than the one that {found.folder} was made from"
        yield Finding("adapted", "note", text, "c2llm adapt")
