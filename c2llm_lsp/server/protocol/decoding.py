"""Parameters of own requests from JSON: checked against their type, errors say what is wrong where."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from c2llm_lsp.server.protocol.base import ProtocolType
from retrieval.errors import QueryError

P = TypeVar("P", bound=ProtocolType)
ALIASES = {"k": "limit"}  # names that a field had before; read where the field of today is absent


def decode(name: str, kind: type[P], params: Any) -> P:
    """The parameters of a request or command as their type. Raises QueryError."""
    if isinstance(params, dict):
        params = {current_name(field, params, kind): value for field, value in params.items()}
    try:
        return msgspec.convert({} if params is None else params, kind)
    except msgspec.ValidationError as error:
        raise QueryError(f"{name}: {error}") from None


def current_name(field: Any, params: dict[Any, Any], kind: type[P]) -> Any:
    """Today's name of a field that may be sent under an old one."""
    current = ALIASES.get(field) if isinstance(field, str) else None
    return current if current in kind.__struct_fields__ and current not in params else field
