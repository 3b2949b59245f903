"""The steps from packages to the embedded model, as commands."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m retrieval.training", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    mine = steps.add_parser("mine", help="doc comment -> code pairs out of package archives")
    mine.add_argument("--archives", type=Path, nargs="+", required=True, help="folders with wheels, .deb, .tgz, .tar.*")
    mine.add_argument("--known", type=Path, nargs="*", default=[], help="folders whose code must not be learnt")
    mine.add_argument("--out", type=Path, required=True)
    mine.add_argument("--processes", type=int, default=2)

    options = parser.parse_args()
    if options.step == "mine":
        _mine(options)


def _mine(options: argparse.Namespace) -> None:
    from retrieval.training.mining import find_archives, known_code, merge, mine_archives

    archives = find_archives(options.archives)
    mine_archives(archives, options.out / "mined", processes=options.processes)
    counts = merge(options.out / "mined", options.out, known_code(options.known, archives))
    logging.getLogger(__name__).info("%s", {name: counts[name] for name in ("pairs", "dropped")})


if __name__ == "__main__":
    main()
