"""The comparison of poolings as a person runs it, on a backbone of a few numbers and a corpus of a few words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "matplotlib")

from retrieval.model.config import EMBEDDED  # noqa: E402
from retrieval.training.dataset import tokenize  # noqa: E402
from retrieval.training.tokenizer import train_tokenizer  # noqa: E402
from tests.cli.program import Program, lay_out  # noqa: E402
from tests.training.test_dataset import NOUNS, VERBS, write_pairs  # noqa: E402

tokenizers = pytest.importorskip("tokenizers")

QUICK = (
    "--steps",
    "3",
    "--batch",
    "8",
    "--layers",
    "1",
    "--hidden",
    "16",
    "--seeds",
    "2",
    "--no-teacher",
    "--threads",
    "1",
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    for split in ("train", "valid"):
        write_pairs(folder / f"{split}.jsonl")
    train_tokenizer(folder, folder / "tokenizer.json", vocabulary=200)
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    for split in ("train", "valid"):
        tokenize(folder / f"{split}.jsonl", tokenizer).save(folder / f"{split}.npz")
    return folder


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark of one repository, and a folder of prose."""
    folder = tmp_path_factory.mktemp("material")
    code = "".join(
        f"def {verb}_{noun}(self):\n    # {verb} it\n    return {n}\n\n\n"
        for n, (verb, noun) in enumerate(zip(VERBS, NOUNS[:6], strict=True))
    )
    lay_out(folder / "repos" / "tool", {"core.py": code})
    annotation = {"query": "sort the header", "relevant": ["core.py"], "secondary": [], "category": "semantic"}
    lay_out(
        folder / "bench",
        {
            "repos.json": json.dumps([{"name": "tool", "language": "python", "root": ""}]),
            "annotations/tool.json": json.dumps([annotation]),
        },
    )
    rest = " ".join(NOUNS * 12)
    prose = "\n\n".join(f"To {verb} a thing one needs patience. Then {verb} {rest}." for verb in VERBS)
    lay_out(folder / "prose", {"book.md": f"# Things\n\n{prose}\n"})
    return folder


@pytest.fixture
def c2llm(tmp_path: Path) -> Program:
    return Program(tmp_path)


def arguments(prepared: Path, material: Path, out: Path) -> tuple[str | Path, ...]:
    bench = ("--repos", material / "repos", "--bench", material / "bench", "--texts", material / "prose")
    two = ("--pooling", "pma", "--pooling", "eos")
    return ("evaluate", "pooling", prepared, "--out", out, *QUICK, *bench, *two)


@pytest.mark.slow
def test_poolings_are_compared_and_what_is_done_is_not_done_again(
    c2llm: Program, prepared: Path, material: Path, tmp_path: Path
) -> None:
    command = arguments(prepared, material, tmp_path / "out")
    first = c2llm(*command, "--json")
    assert first.code == 0, first.err
    report = json.loads(first.out)
    assert set(report["scores"]) == {"held-out packages", "text: prose", "bench", "bench, one a file"}
    for row in report["scores"].values():
        assert list(row) == ["pma", "eos"]
        assert all(len(found["seeds"]) == 2 and 0 < found["mean"] <= 1 for found in row.values())
    assert set(report["attention"]) == {"pma-1", "pma-2"}
    looks = report["attention"]["pma-1"]
    assert 0 < looks["all"]["entropy"] <= 1 and len(looks["heads"]) == EMBEDDED.pma_num_heads
    assert sum(row["weight"] for row in looks["by kind"].values()) == pytest.approx(1)
    assert {"path", "name", "keyword", "comment", "number"} <= set(looks["by kind"])
    assert {path.name for path in (tmp_path / "out" / "plots").iterdir()} == {
        "scores.png",
        "curves.png",
        "kinds.png",
        "looks.png",
    }

    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*-*/*.safetensors")}
    assert len(written) == 4 and not list((tmp_path / "out").glob("*-*/checkpoint.pt"))
    again = c2llm(*command)
    assert again.code == 0 and "| held-out packages |" in again.out
    assert {path: path.stat().st_mtime_ns for path in written} == written

    other = c2llm(*command, "--steps", "4")
    assert other.code == 2 and "another steps (3 instead of 4)" in other.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--pooling", "max"), "There is no pooling 'max'; poolings are pma, mean, eos"),
        (("--repos", "here"), "--repos and --bench go together"),
        (("--hidden", "20"), "a multiple of 8"),
        ((), "make it with `python -m retrieval.training prepare"),
    ],
)
def test_what_is_wrong_is_one_sentence(c2llm: Program, tmp_path: Path, more: tuple[str, ...], told: str) -> None:
    result = c2llm("evaluate", "pooling", tmp_path, "--out", tmp_path / "out", *more)
    assert result.code == 2 and told in " ".join(result.err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_benchmark_is_a_command(c2llm: Program, material: Path, tmp_path: Path) -> None:
    where = ("evaluate", "bench", material / "repos", material / "bench", "--cache-dir", tmp_path / "cache")
    result = c2llm(*where, "--encoder", "overlap", "--ranking", "words", "--json")
    assert json.loads(result.out)["overlap words"]["by_category"] == {"semantic": 1.0}
    assert c2llm(*where, "--only", "nothing").code == 2
    assert "There is no ranking 'best'" in c2llm(*where, "--ranking", "best").err
