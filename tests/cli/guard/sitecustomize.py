"""Imported by every Python that has this folder on its path: ends the process at the first use of the network.

The exit code and the file named by C2LLM_TEST_GUARD tell that and what it was.
"""

from __future__ import annotations

import os
import sys

NETWORK = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "socket.bind",
    "urllib.Request",
)
CAUGHT = 97


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event in NETWORK:
        with open(os.environ["C2LLM_TEST_GUARD"], "a") as log:  # noqa: PTH123 - pathlib may not be imported yet
            log.write(f"{event} {arguments!r}\n")
        os._exit(CAUGHT)


sys.addaudithook(_guard)
