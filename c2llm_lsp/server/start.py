"""Starts the server on standard input and output: `initialize` is answered first, the rest is imported then."""

from __future__ import annotations

import gc
import os
import sys
from typing import BinaryIO

from c2llm_lsp.server.fast_initialize import greet


def start(log_file: str | None = None, log_level: str = "warning") -> int:
    """Serve one client on standard input and output: answer `initialize`, then import the rest. Raises OSError for the log file."""
    source, out = own_streams()
    first, answered = greet(source, out)
    gc.disable()  # until everything is imported: see `run_server`
    from c2llm_lsp.server.run_server import log_to, serve_stdio

    log_to(log_file, log_level)
    return serve_stdio(source, out, first, answered=answered)


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: prints go to standard error, and children read nothing."""
    source, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, out
