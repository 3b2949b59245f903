"""What must hold before a command starts: open standard streams, and an address space in which the libraries can load.

Imported before the path is trusted for anything else, so it needs the standard library only.
"""

from __future__ import annotations

import os
import sys

# numpy's OpenBLAS ends the process where it cannot allocate, and the embedded model fails to load: measured, 300 MB are too
# little for a search, 400 MB are enough.
MIN_ADDRESS_SPACE = 400_000_000


def open_standard_streams() -> None:
    """Open those of standard input, output and error that are closed (`>&-`) on the null device.

    Otherwise the next file that is opened, a database perhaps, would get the number of standard output, and `sys.stdout` would
    be None.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the process ends
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def address_space_problem() -> str:
    """What to do about a limit on the address space that is too low; "" without one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return ""
    limit, _hard = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= MIN_ADDRESS_SPACE:
        return ""
    return (
        f"The address space is limited to {limit // 1_000_000} MB, and at least {MIN_ADDRESS_SPACE // 1_000_000} MB are "
        f"needed; raise the limit with: ulimit -v {MIN_ADDRESS_SPACE // 1_000}"
    )
