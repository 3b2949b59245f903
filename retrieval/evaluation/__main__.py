"""`python -m retrieval.evaluation REPOS BENCH`: the table of `codesearch.evaluate`."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from platformdirs import user_cache_path

from retrieval.evaluation import codesearch
from retrieval.search import RANKINGS


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m retrieval.evaluation", description=codesearch.__doc__)
    options.add_argument("repos", type=Path, help="folder with the repositories")
    options.add_argument("bench", type=Path, help="folder with repos.json and annotations/")
    options.add_argument("--encoder", action="append", help="an encoder's name or folder; repeatable")
    options.add_argument("--ranking", action="append", choices=list(RANKINGS), help="repeatable; default all")
    options.add_argument("--only", action="append", default=[], help="a repository's name; repeatable")
    options.add_argument("--cache-dir", type=Path, default=user_cache_path("c2llm-lsp") / "evaluation")
    options.add_argument("--json", action="store_true", help="print JSON")
    args = options.parse_args()
    found = list(codesearch.projects(args.repos, args.bench, args.only))
    if not found:
        sys.exit(f"no repository of {args.bench} was asked for")
    scores = codesearch.evaluate(found, args.encoder or ["embedded"], args.ranking or list(RANKINGS), args.cache_dir)
    if args.json:
        table = {
            name: {
                "overall": score.overall,
                "by_project": score.by_project,
                "by_category": {kind: score.category(kind) for kind in sorted(score.by_category)},
            }
            for name, score in scores.items()
        }
        print(json.dumps(table, indent=1))
        return 0
    for name, score in sorted(scores.items(), key=lambda item: -item[1].overall):
        categories = "  ".join(f"{c} {score.category(c):.3f}" for c in sorted(score.by_category))
        spread = statistics.pstdev(score.by_project.values()) if len(score.by_project) > 1 else 0.0
        print(f"{name:40} NDCG@10 {score.overall:.4f}  (± {spread:.3f} between repositories)  {categories}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
