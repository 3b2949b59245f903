"""Error messages for users."""

from __future__ import annotations

from retrieval.errors import C2llmError

DEBUG_VARIABLE = "C2LLM_DEBUG"


def error_message(error: Exception) -> str:
    """What a user needs to know about an error."""
    if isinstance(error, C2llmError):
        return str(error)
    if isinstance(error, MemoryError):
        return "Out of memory."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}."
    return (
        f"Internal error, please report it: {type(error).__name__}: {error} (Set {DEBUG_VARIABLE}=1 for a traceback.)"
    )
