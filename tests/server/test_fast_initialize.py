"""What `initialize` promises is what there are handlers for, and it is said before anything heavy is imported."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.protocol import default_converter

from c2llm_lsp.server import fast_initialize
from c2llm_lsp.server.app import App
from c2llm_lsp.server.protocol.schema import METHODS

CHECKOUT = Path(__file__).parents[2]


def built() -> dict[str, Any]:
    """The capabilities that pygls makes out of the handlers that are registered."""

    async def build() -> dict[str, Any]:
        features = App().protocol.fm
        capabilities = ServerCapabilitiesBuilder(
            lsp.ClientCapabilities(),
            {*features.features, *features.builtin_features},
            features.feature_options,
            list(features.commands),
            lsp.TextDocumentSyncKind.Incremental,
        ).build()
        return default_converter().unstructure(capabilities)  # type: ignore[no-any-return]

    return asyncio.run(build())


def test_what_is_promised_is_what_there_are_handlers_for() -> None:
    """Where this fails, say the new message in `fast_initialize.initialize_result`."""
    promised, there = fast_initialize.initialize_result({"capabilities": {}})["capabilities"], built()
    assert {name for name in promised if promised[name]} - {"experimental"} == set(there)
    assert sorted(promised["executeCommandProvider"]["commands"]) == sorted(there["executeCommandProvider"]["commands"])
    assert promised["textDocumentSync"]["change"] == there["textDocumentSync"]["change"]
    assert promised["textDocumentSync"]["save"] == bool(there["textDocumentSync"]["save"])


def test_own_methods_are_promised_and_described() -> None:
    assert set(fast_initialize.METHODS) == set(METHODS)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        ([], "utf-16"),
        (["utf-7"], "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-7", "utf-32"], "utf-32"),
        ("utf-8", "utf-16"),
    ],
)
def test_the_clients_first_known_encoding_is_taken(offered: object, chosen: str) -> None:
    assert fast_initialize.encoding({"general": {"positionEncodings": offered}}) == chosen


def greeted(body: bytes, header: bytes | None = None) -> tuple[bytes, bool, bytes]:
    out = io.BytesIO()
    source = io.BytesIO((header or b"Content-Length: %d\r\n\r\n" % len(body)) + body + b"rest")
    first, answered = fast_initialize.greet(source, out)
    assert out.getvalue() == b"" or answered
    return first, answered, source.read()


def test_an_initialize_is_answered_and_handed_on() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
    assert greeted(body) == (body, True, b"rest")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"id": 1, "method": "initialize", "params": null}',
        b'{"id": null, "method": "initialize", "params": {"capabilities": {}}}',
        b'{"id": 1, "method": "c2llm/search", "params": {"capabilities": {}}}',
        b'{"method": "initialized", "params": {}}',
        b'{"id": 1, "method": "initialize", "params": {"capabilities": {}, "x": ' + b"[" * 65 + b"]" * 65 + b"}}",
    ],
)
def test_anything_else_is_left_to_the_server(body: bytes) -> None:
    assert greeted(body) == (body, False, b"rest")


def test_nothing_heavy_is_imported_before_the_answer() -> None:
    code = (
        "import sys; from c2llm_lsp.cli import main; import c2llm_lsp.server.start; "
        "print(*(name for name in ('typer', 'pygls', 'lsprotocol', 'numpy', 'asyncio') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
