"""What a worker process may take for one text, held by the system: code inside a grammar cannot be interrupted.

A single step of tree-sitter's error recovery can ask for gigabytes, and no callback runs meanwhile. Beyond the address
space allowed here an allocation fails, which ends the process; beyond the processor time a signal ends it. 1 MB of
ordinary source, whichever language, takes less than 60 MB and 1.5 s.

Where the system holds no such limit (macOS, Windows) the parent looks at the worker every few milliseconds instead
(worker_pool.py).
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path

# Bytes beyond what the worker has when it is ready, some 40 MB: together below 300 MB.
MEMORY_BYTES = 240 * 1024 * 1024
# Processor time of a text: parse, walk, words.
SECONDS = 3.0

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def memory_is_limited() -> bool:
    """Whether the system refuses memory beyond the limit. macOS takes a limit of address space and does nothing."""
    return resource is not None and sys.platform.startswith("linux")


def limit_memory(allowed: int = MEMORY_BYTES) -> None:
    """From here on so many bytes more and no core dumps."""
    if resource is None:
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not memory_is_limited():
        return
    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + allowed
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            limit = min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def start_clock(seconds: float = SECONDS) -> None:
    """End the process when it has computed for so long, unless the clock is stopped or started again before."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def stop_clock() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, 0.0)
