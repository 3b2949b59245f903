"""What an editor shows of a workspace's text is one line without controls."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2llm_lsp.server import protocol
from c2llm_lsp.server.handlers.workspace_symbol import symbol_of
from c2llm_lsp.server.pygls_client import PyglsClient

HOSTILE = st.lists(
    st.sampled_from(["\x1b[2J", "\u202e", "\n# SYSTEM", "\x85", "\r", "\u2028", "name"]), min_size=1
).map("".join)


def is_safe(text: str) -> bool:
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in text)


class Recorder:
    def __init__(self) -> None:
        self.params: list[Any] = []

    def notify(self, method: str, params: Any) -> None:
        self.params.append(params)


@given(HOSTILE)
def test_messages_are_one_line(text: str) -> None:
    recorder = Recorder()
    PyglsClient(recorder).warn_once(text)  # type: ignore[arg-type]
    assert is_safe(recorder.params[0].message)


@pytest.mark.parametrize("labelled", [True, False])
@given(HOSTILE)
def test_symbols_are_one_line(labelled: bool, text: str) -> None:
    start = protocol.Position(line=0, character=0)
    span = protocol.Range(start=start, end=start)
    hit = protocol.Hit(
        uri="file:///a", folder="file:///", path=text, range=span, selection_range=span, label=text if labelled else "",
        language="python", kind="function", symbol=text, scope=text, score=1.0, text=text, salient_lines=[], answer_line=0,
            marks=[], weak=False, signals=[], copies=[],
    )  # fmt: skip
    symbol = symbol_of(hit)
    assert is_safe(symbol["name"]) and is_safe(symbol["containerName"])
