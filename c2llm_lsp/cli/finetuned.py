"""What `c2llm status` and `c2llm doctor` say of a model that was adapted to the workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from c2llm_lsp.cli.check_result import Finding
from c2llm_lsp.settings import COMMAND_LINE

if TYPE_CHECKING:
    from c2llm_lsp.cli.common import Target
    from retrieval.finetune.registry import Adapted


def adapted(target: Target) -> Adapted | None:
    """What this workspace uses in place of the encoder that is named; None for that encoder itself."""
    from retrieval.finetune.registry import read

    if target.loaded.sources.get("encoder") == COMMAND_LINE:
        return None
    return read(target.root, target.loaded.base).current


def adaptation_summary(model: Adapted, base: str) -> str:
    """One line for people."""
    day = time.strftime("%Y-%m-%d", time.localtime(model.made))
    before, after = model.before.get("ranked", 0.0), model.after.get("ranked", 0.0)
    gain = f"NDCG@10 {before:.3f} before, {after:.3f} after, on {model.questions:,} questions"
    return f"from {base} on {day}: {gain}; c2llm adapt --undo goes back"


def adaptation(target: Target) -> Iterator[Finding]:
    """Whether a model was adapted here, and whether the encoder that it was made from is still the same."""
    model = adapted(target)
    if model is None:
        return
    yield Finding("adapted", "ok", adaptation_summary(model, target.loaded.base))
    from retrieval.encoders import load

    if load(target.loaded.base, threads=1).fingerprint != model.base_fingerprint:
        text = f"{target.loaded.base} is another model now than the one that {model.folder} was made from"
        yield Finding("adapted", "note", text, "c2llm adapt")
