"""`python -m tests.benchmarks`: the budgets of the design, each next to a named alternative in the same run.

    python -m tests.benchmarks                       # everything: 50,000 and 100,000 chunks of real code, many minutes
    python -m tests.benchmarks --chunks 3000         # a quick look; budgets are for 50,000
    python -m tests.benchmarks --only query_kinds    # queries of every kind, with filters, patterns and highlighting
    python -m tests.benchmarks --json results.json --encoder embedded

Real code (the standard library and the installed packages of the running interpreter), the real encoder, real
processes. What an alternative needs and is not installed is left out with a note: ripgrep, and all-MiniLM-L6-v2 from
the extra `eval`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measures import Bench
from tests.benchmarks.table import as_dicts, markdown

SETTINGS = "C2LLM_CACHE_DIR", "C2LLM_ENCODER", "C2LLM_CONFIG", "C2LLM_EXCLUDE", "C2LLM_THREADS"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chunks", type=int, default=50_000, help="size of the workspace that is queried")
    options.add_argument("--memory-chunks", type=int, help="size at which memory is measured (twice --chunks)")
    options.add_argument("--encoder", default="embedded")
    options.add_argument(
        "--only", nargs="+", default=(), help="steps to measure: the methods of Bench, such as queries"
    )
    options.add_argument("--json", type=Path, help="write the rows here as well")
    options.add_argument("--work", type=Path, help="keep the corpus and the cache in this folder")
    args = options.parse_args()
    for name in SETTINGS:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="c2llm-benchmarks-") as temporary:
        folder = args.work or Path(temporary)
        most = args.memory_chunks or 2 * args.chunks
        bench = Bench(folder, encoder=args.encoder, chunks=args.chunks, most=most, only=args.only)
        started = time.perf_counter()
        for row in bench.rows():
            print(f"{row.what}: {row.value:,.4g} {row.unit} {row.verdict}", file=sys.stderr, flush=True)
        rows = bench.done
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; {bench.size}; {time.perf_counter() - started:,.0f} s in all\n")
    print(markdown(rows))
    if args.json:
        report = {"machine": machine, "size": bench.size, "encoder": args.encoder, "rows": as_dicts(rows)}
        args.json.write_text(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
