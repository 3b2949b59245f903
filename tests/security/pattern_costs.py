"""What patterns take for long texts, in processor time. `slow_uses` measures in another process, which a limit of processor
time ends; this file is the program of that process too.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.security.pattern_texts import texts

SHORT, LONG = 500, 4_000  # characters; what is quadratic takes 64 times as long for the long ones, 0.04 s or more
LEAST_SECONDS = 0.01  # what takes less for the long text is not looked at
MOST_RATIO = 30.0
BOUNDED_SECONDS = 0.05  # of a pattern that sees short texts only, for the longest of them
_ALARM = 2.0  # seconds of processor time for a text
_TRIES = 3  # of a measurement the least counts


@dataclass(frozen=True)
class Use:
    """One way in which a pattern is used, and the longest text that it sees so, 0 where any length may come."""

    name: str
    pattern: re.Pattern[Any]
    use: str  # "match", "fullmatch" or "search"
    bound: int = 0


def slow_uses(uses: Sequence[Use], *, few: bool = False, every: int = 1) -> list[str]:
    """Those whose time grows faster than their text, each with a text that shows it; see `texts`."""
    slow: list[str] = []
    waiting = list(uses)
    while waiting:
        done = subprocess.run(
            [sys.executable, __file__, "few" if few else "all", str(every)],
            input="".join(json.dumps(_as_json(use)) + "\n" for use in waiting),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        slow += [f"{line['at']}: {line['slow']}" for line in lines if "slow" in line]
        begun = sum("slow" not in line for line in lines)
        if done.returncode == 0:
            return slow
        if (hasattr(signal, "SIGPROF") and done.returncode != -signal.SIGPROF) or not begun:
            raise RuntimeError(done.stderr)
        slow.append(f"{lines[-1]['at']}: more than {_ALARM} s")
        waiting = waiting[begun:]
    return slow


def _as_json(use: Use) -> dict[str, Any]:
    text, binary = use.pattern.pattern, isinstance(use.pattern.pattern, bytes)
    return {
        "name": use.name, "use": use.use, "bound": use.bound, "flags": use.pattern.flags, "binary": binary,
        "pattern": text.decode("latin-1") if binary else text,
    }  # fmt: skip


def main(few: bool, every: int) -> None:
    for line in sys.stdin.read().splitlines():
        given = json.loads(line)
        text = given["pattern"].encode("latin-1") if given["binary"] else given["pattern"]
        pattern, use, bound = re.compile(text, given["flags"]), given["use"], given["bound"]
        at = f"{given['name']} {use}"
        _print({"at": at})
        for text in texts(pattern, bound or LONG, few=few, every=every):
            if slow := _too_slow(pattern, use, text[:bound] if bound else text, bounded=bool(bound)):
                _print({"at": at, "slow": f"{slow} for {text[:60]!r} … {text[-8:]!r}"})
                break


def _too_slow(pattern: re.Pattern[Any], use: str, text: str, *, bounded: bool) -> str:
    seconds = _seconds(pattern, use, text)
    if seconds < (BOUNDED_SECONDS if bounded else LEAST_SECONDS):
        return ""
    long = min([seconds, *(_seconds(pattern, use, text) for _ in range(_TRIES - 1))])
    if bounded:
        return f"{long:.3f} s" if long >= BOUNDED_SECONDS else ""
    middle = (len(text) - SHORT) // 2
    short = min(_seconds(pattern, use, text[: SHORT - 2] + text[-2:]) for _ in range(_TRIES)) if middle > 0 else long
    ratio = long / max(short, 1e-6)
    return f"{long:.3f} s, {ratio:.0f} times" if long >= LEAST_SECONDS and ratio > MOST_RATIO else ""


def _seconds(pattern: re.Pattern[Any], use: str, text: str) -> float:
    subject: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, _ALARM)
    start = time.process_time()
    if use == "search":
        for _ in pattern.finditer(subject):
            pass
    else:
        getattr(pattern, use)(subject)
    return time.process_time() - start


def _print(line: dict[str, str]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    if hasattr(signal, "SIGPROF"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
    main(sys.argv[1] == "few", int(sys.argv[2]))
