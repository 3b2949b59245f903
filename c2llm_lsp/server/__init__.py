"""The language server over standard input and output, or over TCP on this machine."""

from __future__ import annotations

from c2llm_lsp.server.serving import serve_stdio, serve_tcp

__all__ = ["serve_stdio", "serve_tcp"]
