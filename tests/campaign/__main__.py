"""`python -m tests.campaign`: attack indexes, servers and disks for minutes or hours, and print what was tried.

    python -m tests.campaign --minutes 60
    python -m tests.campaign --minutes 5 --seed 7 --only damage --only disk
    python -m tests.campaign --replay damage:7:42          # one attack again

Each attack is random and is made from its name, the seed and its number alone. What was done is in a journal, which a
later run with the same seed goes on from. Exit code 1: something was lost, wrong, slow or loud.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.campaign.attacks import ATTACKS, attack


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--only", action="append", choices=sorted(ATTACKS), help="this kind of attack, can be repeated"
    )
    options.add_argument("--journal", type=Path, default=Path(tempfile.gettempdir()) / "c2llm-campaign.jsonl")
    options.add_argument("--replay", metavar="KIND:SEED:NUMBER", help="one attack again")
    args = options.parse_args()
    if args.replay:
        kind, seed, number = args.replay.split(":")
        return 0 if run(kind, int(seed), int(number), args.journal) else 1
    end = time.monotonic() + 60 * args.minutes
    kinds = itertools.cycle(args.only or sorted(ATTACKS))
    first = 1 + max((line["number"] for line in journal(args.journal) if line["seed"] == args.seed), default=0)
    good = True
    for number in itertools.count(first):
        if time.monotonic() > end:
            break
        good &= run(next(kinds), args.seed, number, args.journal)
    summary(args.journal, args.seed)
    return 0 if good else 1


def run(kind: str, seed: int, number: int, file: Path) -> bool:
    """One attack, with a line to the journal and one to the screen."""
    started = time.monotonic()
    try:
        tried, error = attack(kind, seed, number), ""
    except Exception:
        tried, error = {}, traceback.format_exc()
    line = {"kind": kind, "seed": seed, "number": number, "tried": tried, "error": error}
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
    what = ", ".join(f"{count} {name}" for name, count in tried.items())
    print(f"{kind}:{seed}:{number} {time.monotonic() - started:.1f} s: {what or 'FAILED'}", flush=True)
    if error:
        print(error, flush=True)
    return not error


def journal(file: Path) -> list[dict[str, object]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def summary(file: Path, seed: int) -> None:
    """What this seed has tried in all runs so far, and what failed."""
    lines = [line for line in journal(file) if line["seed"] == seed]
    print("\n| attack | times | tried | failed |\n|---|---|---|---|")
    for kind in sorted({str(line["kind"]) for line in lines}):
        own = [line for line in lines if line["kind"] == kind]
        tried: Counter[str] = sum((Counter(line["tried"]) for line in own), Counter())  # type: ignore[arg-type]
        what = ", ".join(f"{count:,} {name}" for name, count in sorted(tried.items()))
        print(f"| {kind} | {len(own):,} | {what} | {sum(bool(line['error']) for line in own)} |")


if __name__ == "__main__":
    sys.exit(main())
