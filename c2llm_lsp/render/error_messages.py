"""Errors as people read them."""

from __future__ import annotations

from retrieval.errors import C2llmError

DEBUG_VARIABLE = "C2LLM_DEBUG"


def sentence(error: Exception) -> str:
    """What a person needs to know of an error."""
    if isinstance(error, C2llmError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}."
    return f"Internal error, please report it: {type(error).__name__}: {error} ({DEBUG_VARIABLE}=1 shows where.)"
