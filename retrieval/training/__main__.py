"""The steps from packages to the embedded model, as commands."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from retrieval.errors import C2llmError


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m retrieval.training", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    fetch = steps.add_parser("fetch", help="download the packages of sources.txt")
    fetch.add_argument("--out", type=Path, required=True)

    mine = steps.add_parser("mine", help="doc comment -> code pairs out of package archives")
    mine.add_argument("--archives", type=Path, nargs="+", required=True, help="folders with wheels, .deb, .tgz, .tar.*")
    mine.add_argument("--known", type=Path, nargs="*", default=[], help="folders whose code must not be learnt")
    mine.add_argument("--out", type=Path, required=True)
    mine.add_argument("--processes", type=int, default=2)

    prepare = steps.add_parser("prepare", help="the tokenizer and the token arrays")
    prepare.add_argument("--data", type=Path, required=True, help="the folder that `mine` wrote")
    prepare.add_argument("--out", type=Path, required=True)

    train = steps.add_parser("train", help="the stages of the embedded model; goes on where it was stopped")
    train.add_argument("--out", type=Path, required=True, help="the folder that `prepare` wrote")
    train.add_argument("--stacked", action="store_true", help="go on with two layers (not the embedded model)")
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--no-teacher", action="store_true", help="random token embeddings instead of MiniLM's")

    convert = steps.add_parser("convert", help="a public training set as a task for `c2llm train`")
    convert.add_argument("name", help="the set: apps, cosqa, …; a wrong one names them all")
    convert.add_argument("source", help="a file, a benchmark's folder, or hub:NAME")
    convert.add_argument("--out", type=Path, required=True, help="the folder of tasks")

    derive = steps.add_parser("derive", help="pairs of another kind as a task for `c2llm train`")
    derive.add_argument("kind", help="names, halves, tests or commits")
    derive.add_argument("source", type=Path, help="mined pairs (.jsonl), a source tree or archive, a git repository")
    derive.add_argument("--out", type=Path, required=True, help="the folder of tasks")

    export = steps.add_parser("export", help="a trained model as ONNX with its tokenizer")
    export.add_argument("--model", type=Path, required=True, help="a stage's folder")
    export.add_argument("--tokenizer", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True)
    export.add_argument("--precision", choices=("fp32", "int8", "int8-weights"), default="int8-weights")

    options = parser.parse_args()
    run = {
        "fetch": _fetch,
        "mine": _mine,
        "prepare": _prepare,
        "train": _train,
        "convert": _convert,
        "derive": _derive,
        "export": _export,
    }
    try:
        run[options.step](options)
    except C2llmError as error:
        sys.exit(str(error))


def _fetch(options: argparse.Namespace) -> None:
    from retrieval.training.fetch import fetch

    missing = fetch(options.out)
    logging.getLogger(__name__).info("%d packages could not be had %s", len(missing), missing)


def _mine(options: argparse.Namespace) -> None:
    from retrieval.training.licences import licences_of
    from retrieval.training.mining import find_archives, known_code, merge, mine_archives

    archives = find_archives(options.archives)
    mine_archives(archives, options.out / "mined", processes=options.processes)
    licences = licences_of(archives, options.out / "licences.tsv", processes=options.processes)
    counts = merge(options.out / "mined", options.out, known_code(options.known, archives), licences)
    logging.getLogger(__name__).info("%s", {name: counts[name] for name in ("pairs", "dropped")})


def _prepare(options: argparse.Namespace) -> None:
    from retrieval.training.recipe import Recipe, prepare

    prepare(options.data, options.out, Recipe())


def _train(options: argparse.Namespace) -> None:
    import torch

    from retrieval.encoders.minilm import MiniLmEncoder
    from retrieval.training.recipe import FLAT, STACKED, Recipe, train_stages

    torch.set_num_threads(options.threads)
    teacher = None if options.no_teacher else MiniLmEncoder().encode_passages
    train_stages(options.out, Recipe(stages=STACKED if options.stacked else FLAT), teacher)


def _convert(options: argparse.Namespace) -> None:
    from retrieval.training.readers import convert

    count = convert(options.name, options.source, options.out / f"{options.name}.jsonl")
    logging.getLogger(__name__).info("%d examples", count)


def _derive(options: argparse.Namespace) -> None:
    from retrieval.training.kinds import derive
    from retrieval.training.tasks import usable, write_examples

    examples = usable(derive(options.kind, options.source), str(options.source))
    count = write_examples(examples, options.out / f"{options.kind}.jsonl")
    logging.getLogger(__name__).info("%d examples", count)


def _export(options: argparse.Namespace) -> None:
    from retrieval.model.c2llm import C2LLM
    from retrieval.model.export import export

    report = export(C2LLM.load(options.model), options.tokenizer, options.out, precision=options.precision)
    logging.getLogger(__name__).info("%s", report)


if __name__ == "__main__":
    main()
