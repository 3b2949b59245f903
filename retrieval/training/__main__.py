"""The steps from packages to the embedded model, as commands."""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import C2llmError


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m retrieval.training", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for command in COMMANDS:
        command.add_options(steps.add_parser(command.name, help=command.help))
    options = parser.parse_args()
    run = next(command.run for command in COMMANDS if command.name == options.step)
    try:
        run(options)
    except C2llmError as error:
        sys.exit(str(error))


def _embedded(options: argparse.Namespace) -> None:
    """The steps below, one after the other, each with its folder in WORK."""
    work = options.work
    sources, data, run = work / "sources", work / "data", work / "run"
    _fetch(_with(options, out=sources))
    _mine(_with(options, archives=[*options.archives, sources], out=data, processes=options.threads))
    _prepare(_with(options, data=data, out=run))
    _english(_with(options, data=data, words=_words(sources), out=run))
    last = _train(_with(options, out=run, flat=False, no_teacher=False))
    tower = _passages(_with(options, model=last, out=run))
    exported = {"tokenizer": run / "tokenizer.json", "passages": tower, "precision": "int8-weights"}
    _export(_with(options, model=last, **exported))
    shutil.copyfile(data / "packages.tsv", options.out / "packages.tsv")


def _words(sources: Path) -> Path:
    from retrieval.training.tasks import DataError

    found = sorted((sources / "deb" / "wordnet-base").glob("*.deb"))
    if not found:
        raise DataError(
            f"The Debian package wordnet-base is not in {sources}: run `fetch` again, where apt has its lists."
        )
    return found[-1]


def _with(options: argparse.Namespace, **changed: object) -> argparse.Namespace:
    return argparse.Namespace(**(vars(options) | changed))


def _fetch(options: argparse.Namespace) -> None:
    from retrieval.training.fetch import fetch

    missing = fetch(options.out)
    logging.getLogger(__name__).info("%d packages are unavailable: %s", len(missing), missing)


def _mine(options: argparse.Namespace) -> None:
    from retrieval.training.licences import licences_of
    from retrieval.training.mining import find_archives, load_excluded_code, merge, mine_archives

    archives = find_archives(options.archives)
    mine_archives(archives, options.out / "mined", processes=options.processes)
    licences = licences_of(archives, options.out / "licences.tsv", processes=options.processes)
    counts = merge(options.out / "mined", options.out, load_excluded_code(options.known, archives), licences)
    logging.getLogger(__name__).info("%s", {name: counts[name] for name in ("pairs", "dropped")})


def _prepare(options: argparse.Namespace) -> None:
    from retrieval.training.recipe import Recipe, prepare

    prepare(options.data, options.out, Recipe())


def _english(options: argparse.Namespace) -> None:
    from retrieval.encoders.minilm import MiniLmEncoder
    from retrieval.training.recipe import prepare_english

    teacher = MiniLmEncoder(threads=options.threads, max_tokens=128).encode_passages
    prepare_english(options.data, options.words, options.out, teacher)


def _train(options: argparse.Namespace) -> Path:
    import torch

    from retrieval.encoders.minilm import MiniLmEncoder
    from retrieval.training.recipe import FLAT, Recipe, train_stages

    torch.set_num_threads(options.threads)
    teacher = None if options.no_teacher else MiniLmEncoder().encode_passages
    return train_stages(options.out, Recipe(steps=FLAT, averaged=()) if options.flat else Recipe(), teacher)


def _passages(options: argparse.Namespace) -> Path:
    import torch

    from retrieval.model.c2llm import C2LLM
    from retrieval.model.checkpoint import is_checkpoint
    from retrieval.model.import_onnx import load_from_onnx
    from retrieval.training.recipe import Recipe, train_passage_tower

    torch.set_num_threads(options.threads)
    load = C2LLM.load if is_checkpoint(options.model) else load_from_onnx
    return train_passage_tower(load(options.model), options.out, Recipe())


def _shapes(options: argparse.Namespace) -> None:
    import torch

    from retrieval.encoders import load
    from retrieval.encoders.minilm import MiniLmEncoder
    from retrieval.training.model_sizes import Folders, TrainingBudget, compare, table

    torch.set_num_threads(options.threads)
    teacher = MiniLmEncoder().encode_passages
    results = compare(
        Folders(options.data, options.run, options.out),
        teacher,
        lambda folder: load(str(folder), threads=options.threads).encode_passages,
        budget=TrainingBudget(seconds=options.seconds),
    )
    print("\n".join(table(results)))


def _convert(options: argparse.Namespace) -> None:
    from retrieval.training.public_datasets import convert

    count = convert(options.name, options.source, options.out / f"{options.name}.jsonl")
    logging.getLogger(__name__).info("%d examples", count)


def _derive(options: argparse.Namespace) -> None:
    from retrieval.training.pair_sources import derive
    from retrieval.training.tasks import usable, write_examples

    examples = usable(derive(options.kind, options.source), str(options.source))
    count = write_examples(examples, options.out / f"{options.kind}.jsonl")
    logging.getLogger(__name__).info("%d examples", count)


def _changes(options: argparse.Namespace) -> None:
    from retrieval.training.changes import find_repositories, mine_changes
    from retrieval.training.mining import load_excluded_code

    mine_changes(find_repositories(options.repositories), options.out, load_excluded_code(options.known, []))


def _export(options: argparse.Namespace) -> None:
    from retrieval.model.c2llm import C2LLM
    from retrieval.model.export import export, export_passage_tower

    report = export(C2LLM.load(options.model), options.tokenizer, options.out, precision=options.precision)
    logging.getLogger(__name__).info("%s", report)
    if options.passages is not None:
        report = export_passage_tower(C2LLM.load(options.passages), options.out, precision=options.precision)
        logging.getLogger(__name__).info("passages: %s", report)


def _embedded_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", type=Path, required=True, help="folder for packages, pairs and stages: some 5 GB")
    parser.add_argument(
        "--archives", type=Path, nargs="*", default=[], help="folders with more packages, such as wheels"
    )
    parser.add_argument(
        "--known", type=Path, nargs="*", default=[], help="folders whose code is excluded from training"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model")
    parser.add_argument("--threads", type=int, default=2)


def _fetch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True)


def _mine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--archives", type=Path, nargs="+", required=True, help="folders with wheels, .deb, .tgz, .tar.*"
    )
    parser.add_argument(
        "--known", type=Path, nargs="*", default=[], help="folders whose code is excluded from training"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)


def _prepare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that `mine` wrote")
    parser.add_argument("--out", type=Path, required=True)


def _english_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that `mine` wrote")
    parser.add_argument("--words", type=Path, required=True, help="the Debian package wordnet-base, as `fetch` gets it")
    parser.add_argument("--out", type=Path, required=True, help="the folder that `prepare` wrote")
    parser.add_argument("--threads", type=int, default=2)


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the folder that `prepare` wrote")
    parser.add_argument("--flat", action="store_true", help="stop before the layers: worse, and fifteen times as fast")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-teacher", action="store_true", help="random token embeddings instead of MiniLM's")


def _passages_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="the model that goes on reading queries")
    parser.add_argument("--out", type=Path, required=True, help="the folder that `prepare` wrote")
    parser.add_argument("--threads", type=int, default=2)


def _shapes_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that `mine` wrote")
    parser.add_argument("--run", type=Path, required=True, help="the folder that `prepare` wrote")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the models and what was measured")
    parser.add_argument("--seconds", type=float, default=200.0, help="of training, each")
    parser.add_argument("--threads", type=int, default=2)


def _convert_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the set: apps, cosqa, …; a wrong one names them all")
    parser.add_argument("source", help="a file, a benchmark's folder, or hub:NAME")
    parser.add_argument("--out", type=Path, required=True, help="the folder of tasks")


def _derive_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", help="names, halves, tests or commits")
    parser.add_argument("source", type=Path, help="mined pairs (.jsonl), a source tree or archive, a git repository")
    parser.add_argument("--out", type=Path, required=True, help="the folder of tasks")


def _changes_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repositories", type=Path, help="a folder that holds git repositories, bare ones too")
    parser.add_argument(
        "--known", type=Path, nargs="*", default=[], help="folders whose code is excluded from training"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder of the pairs, a file for each repository")


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="a stage's folder")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--passages", type=Path, help="the folder of a passage tower, for an asymmetric model")
    parser.add_argument("--precision", choices=("fp32", "int8", "int8-weights"), default="int8-weights")


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    help: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], object]


# The steps in their order; the last six are beside the embedded model's own way: tasks for `c2llm train`, a graph of any stage.
COMMANDS = (
    Command(
        "embedded",
        "all steps, from nothing to the embedded model; resumes where it was stopped",
        _embedded_options,
        _embedded,
    ),
    Command("fetch", "download the packages of sources.txt", _fetch_options, _fetch),
    Command("mine", "doc comment -> code pairs out of package archives", _mine_options, _mine),
    Command("prepare", "the tokenizer and the token arrays", _prepare_options, _prepare),
    Command("english", "synonyms, and the teacher's vectors of docs and prose", _english_options, _english),
    Command("train", "the stages of the embedded model; resumes where it was stopped", _train_options, _train),
    Command(
        "passages", "a passage tower without layers, for a model that indexes faster", _passages_options, _passages
    ),
    Command("shapes", "compare depths, widths and vocabularies at equal training time", _shapes_options, _shapes),
    Command("convert", "a public training set as a task for `c2llm train`", _convert_options, _convert),
    Command("derive", "pairs of another kind as a task for `c2llm train`", _derive_options, _derive),
    Command("changes", "commit message -> code before the change out of git repositories", _changes_options, _changes),
    Command("export", "a trained model as ONNX with its tokenizer", _export_options, _export),
)


if __name__ == "__main__":
    main()
