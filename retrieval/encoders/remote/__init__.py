"""Embeddings over HTTP: the client, and the wire that our server speaks as well."""

from __future__ import annotations

from retrieval.encoders.remote.address import KEY_VARIABLE, Address, parse
from retrieval.encoders.remote.encoder import RemoteEncoder, connect

__all__ = ["KEY_VARIABLE", "Address", "RemoteEncoder", "connect", "parse"]
