"""What our HTTP servers share: a listening socket, and whether a request shows the token."""

from __future__ import annotations

import hmac
import os
import socket

from retrieval.errors import SettingsError

BACKLOG = 512


def bound(host: str, port: int) -> socket.socket:
    """A listening socket: who connects from now on is served once the server runs. Raises SettingsError.

    Made with its protocol: only then asyncio sends answers without delay, 3 ms instead of 45.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would let two servers share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise SettingsError(f"Cannot serve on port {port} of {host}: {error.strerror or error}.") from None
    return listening


def shows_token(authorization: str, token: str) -> bool:
    """Whether the header `Authorization: Bearer TOKEN` has this token; it takes as long for any wrong one of its length."""
    scheme, _, shown = authorization.partition(" ")
    known = hmac.compare_digest(shown.strip().encode("utf-8", "replace"), token.encode())
    return scheme.lower() == "bearer" and known
