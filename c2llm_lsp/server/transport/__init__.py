"""Bytes to messages and back: streams, the base protocol, JSON-RPC."""
