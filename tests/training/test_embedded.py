"""One command from packages to a model that search can load, at a size that takes seconds."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partialmethod
from pathlib import Path

import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers", "onnxscript")

from retrieval.encoders import load  # noqa: E402
from retrieval.encoders.token_overlap import OverlapEncoder  # noqa: E402
from retrieval.training import __main__ as command  # noqa: E402
from retrieval.training import recipe  # noqa: E402
from tests.training.test_mining import source, wheel  # noqa: E402
from tests.training.test_synonym_augmentation import package  # noqa: E402

THINGS = "anchor banner cable daemon engine filter gadget handle island jigsaw kernel ladder magnet needle".split()


class Teacher(OverlapEncoder):
    """In MiniLM's place: the package that carries it is not part of the tests' environment."""

    def __init__(self, **_: object) -> None:
        super().__init__()


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for i in range(80, 100):  # the names of two of them are such that they are held out
        own = 3 * chr(ord("a") + i - 80)  # no two bodies are the same but for digits
        files = {f"{thing}.py": source(f"open_{thing}_{own}", f"{thing} of the {own}") for thing in THINGS}
        wheel(
            folder, f"package{i}", files | {f"package{i}-1.0.dist-info/METADATA": f"Name: package{i}\nLicense: MIT\n"}
        )
    return folder


@pytest.mark.slow
def test_one_command_goes_from_packages_to_a_model(
    archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = tmp_path / "work", tmp_path / "model"
    monkeypatch.setattr("retrieval.training.fetch.read_sources", lambda _: [])  # nothing but the wheels at hand
    monkeypatch.setattr("retrieval.encoders.minilm.MiniLmEncoder", Teacher)
    short = tuple(replace(step, stage=replace(step.stage, steps=2, validate_every=2)) for step in recipe.STACKED)
    tower = replace(recipe.PASSAGE_STAGE, steps=2, validate_every=2)
    monkeypatch.setattr(
        recipe.Recipe, "__init__", partialmethod(recipe.Recipe.__init__, steps=short, batch=16, passage_stage=tower)
    )
    words = work / "sources" / "deb" / "wordnet-base"
    words.mkdir(parents=True)
    package(words)
    options = ["--work", work, "--archives", archives, "--out", out, "--threads", "1"]
    monkeypatch.setattr(sys, "argv", ["training", "embedded", *map(str, options)])
    command.main()

    vectors = load(str(out)).encode_queries(["open the anchor"])
    assert vectors.shape == (1, 256)
    assert (out / "passages.onnx").is_file() and load(str(out)).encode_passages(["def open"]).shape == (1, 256)
    assert "package80\t" in (out / "packages.tsv").read_text()
    stages = sorted(path.parent.name for path in (work / "run").glob("stage*/model.safetensors"))
    assert stages == [f"stage{number}" for number in range(len(short))]
