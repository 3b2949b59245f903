from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")

from retrieval.chunking import passage  # noqa: E402
from retrieval.evaluation.pooling.attention import AttentionSample, analyzed  # noqa: E402
from retrieval.evaluation.pooling.report import beyond_noise, compared, markdown  # noqa: E402
from retrieval.evaluation.pooling.runs import EvaluationError  # noqa: E402
from retrieval.evaluation.pooling.text_retrieval import read_texts, tasks_of  # noqa: E402
from retrieval.evaluation.pooling.token_kinds import KINDS, marked_chunks  # noqa: E402
from retrieval.evaluation.pooling.variants import END, VARIANTS, VariantSource, new_model  # noqa: E402
from retrieval.training.batches import TrainingBatch  # noqa: E402
from tests.cli.program import lay_out  # noqa: E402
from tests.training.test_trainer import TINY, Toy  # noqa: E402

SMALL = replace(TINY, num_hidden_layers=1)
IDS, MASK = torch.tensor([[5, 9, 7, 3]]), torch.ones(1, 4, dtype=torch.long)
SENTENCE = "The heron waits at the river."
REST = " ".join(["It is a patient bird that eats fish and frogs."] * 6)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_the_backbone_starts_the_same_whatever_the_pooling(name: str) -> None:
    table = torch.full((60, 16), 0.5)
    first, other = (new_model(VARIANTS[n], SMALL, table, seed=3) for n in ("pma", name))
    for key, tensor in first.plm_model.state_dict().items():
        assert torch.equal(tensor, other.plm_model.state_dict()[key]), key
    assert torch.equal(other.plm_model.model.embed_tokens.weight, table)
    different = new_model(VARIANTS[name], SMALL, table, seed=4).plm_model.model.layers[0].mlp.up_proj.weight
    assert not torch.equal(different, first.plm_model.model.layers[0].mlp.up_proj.weight)


def test_even_weights_stay_even_while_the_rest_learns() -> None:
    model = new_model(VARIANTS["even"], SMALL, None, seed=1)
    vectors, _ = model(IDS, MASK)
    vectors[0, 0].backward()
    torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0).step()
    after, attention = model(IDS, MASK)
    assert torch.allclose(attention, torch.full((1, 4), 0.25)) and not torch.allclose(vectors, after)


def test_an_end_stands_behind_each_text_and_before_the_padding() -> None:
    batch = TrainingBatch(*(np.array(rows) for rows in ([[5, 6], [7, 0]], [[1, 1], [1, 0]], [[8], [9]], [[1], [1]])))

    class Source:
        def batch(self, step: int) -> TrainingBatch:
            return batch

    read = VariantSource(Source(), VARIANTS["eos"]).batch(0)
    assert read.query_ids.tolist() == [[5, 6, END], [7, END, 0]]
    assert read.query_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert read.passage_ids.tolist() == [[8, END], [9, END]]
    assert VariantSource(Toy(), VARIANTS["last"]).batch(3).query_ids.tolist() == Toy().batch(3).query_ids.tolist()


def test_a_sentence_has_to_find_the_rest_of_its_paragraph() -> None:
    assert list(tasks_of(f"# Birds\n\n{SENTENCE} {REST}\n")) == [(SENTENCE, REST)]


def test_short_paragraphs_of_a_section_go_together_and_sections_do_not() -> None:
    half = REST[: len(REST) // 2].rsplit(" ", 1)[0] + "."
    assert len(list(tasks_of(f"# A\n\n{SENTENCE} {half}\n\n{half}\n"))) == 1
    assert not list(tasks_of(f"# A\n\n{SENTENCE} {half}\n\nB\n===\n\n{half}\n"))


@pytest.mark.parametrize(
    "block",
    [
        "```\n{}\n```",
        "    {}",
        "| {}",
        "- {}",
        "* {}",
        "1. {}",
        "$ {}",
        ".. note:: {}",
        "a = {{b: [1], c: ({})}} / 2 ^ (x[0] + y[1]);",
    ],
)
def test_what_is_no_prose_is_left_out(block: str) -> None:
    text = f"{SENTENCE} {REST}" if not block.startswith("a =") else "x(); " * 90
    assert not list(tasks_of(f"# Title\n\n{block.format(text)}\n"))


def test_links_and_addresses_are_left_out_of_prose() -> None:
    linked = (
        f"The [heron](https://birds.example/heron) waits at the :ref:`river <water>`. {REST} See https://birds.example."
    )
    query, rest = next(tasks_of(linked))
    assert query == "The heron waits at the river ." or query == "The heron waits at the river."
    assert "example" not in rest


def test_the_same_folder_gives_the_same_tasks_spread_over_its_files(tmp_path: Path) -> None:
    def book(name: str, count: int) -> str:
        return "\n\n".join(f"The {name} number {n} is described here. {REST}" for n in range(count))

    lay_out(
        tmp_path, {"long.md": book("long one", 60), "b/short.txt": book("short one", 2), "code.py": book("code", 5)}
    )
    tasks = read_texts(tmp_path)
    assert tasks == read_texts(tmp_path) and len(tasks) == 22
    assert {task.source for task in tasks} == {"long.md", "b/short.txt"}
    assert read_texts(tmp_path, most=5) == tasks[:5]


def test_a_folder_without_prose_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="holds no prose"):
        read_texts(tmp_path)
    with pytest.raises(EvaluationError, match="There is no folder"):
        read_texts(tmp_path / "nothing")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab. \n#`=-|A😀", max_size=200))
def test_any_text_can_be_looked_through(text: str) -> None:
    for query, rest in tasks_of(text):
        assert query and rest


PYTHON = '''class Heron:
    """Waits for fish."""

    def catch(self, count):
        # spear them
        return "fish" * 12
'''


def kinds_of(path: str, text: str, *words: str) -> list[str]:
    chunk, marks = next(iter(marked_chunks(path, text)))
    shown = passage(chunk)
    assert len(marks) == len(shown)
    return [
        KINDS[marks[shown.index(word, len(shown) - len(chunk.text) if word in chunk.text else 0)]] for word in words
    ]


def test_each_character_is_of_a_kind() -> None:
    words = ("bird", "class", "catch", "Waits", "spear", 'fish"', "12", "return")
    found = kinds_of("bird.py", PYTHON, *words)
    assert found == ["path", "keyword", "name", "comment", "comment", "string", "number", "keyword"]


def test_kinds_keep_their_places_behind_letters_of_several_bytes() -> None:
    assert kinds_of(
        "a.go", "package a\n\n// 😀 wait — here\nfunc Catch() int { return 7 }\n", "here", "Catch", "7"
    ) == [
        "comment",
        "name",
        "number",
    ]


def test_data_and_prose_have_no_kinds() -> None:
    assert not list(marked_chunks("a.json", '{"a": 1}')) and not list(marked_chunks("a.txt", "words"))


def test_even_weights_have_all_the_entropy_and_lifts_of_one() -> None:
    kinds = np.array([0, 2] * 10)
    figures = analyzed([AttentionSample("go", np.full(20, 1 / 20), kinds)])
    assert figures["all"]["entropy"] == pytest.approx(1) and figures["all"]["last, lift"] == pytest.approx(1)
    assert figures["by kind"]["path"]["lift"] == pytest.approx(1) and figures["by place"] == pytest.approx([1] * 10)
    assert list(figures["by length"]) == ["8 to 31"] and list(figures["by language"]) == ["go"]


def test_weight_on_the_last_token_is_seen() -> None:
    weights = np.full(20, 0.1 / 19)
    weights[-1] = 0.9
    figures = analyzed([AttentionSample("go", weights, np.zeros(20, dtype=np.int64))])
    assert figures["all"]["last"] == pytest.approx(0.9) and figures["all"]["entropy"] < 0.4
    assert figures["by place"][-1] == pytest.approx((0.9 + 0.1 / 19) / 2 * 20)


def test_noise_is_called_noise() -> None:
    assert beyond_noise([0.02, 0.021, 0.022]) and beyond_noise([-0.1, -0.12])
    assert not beyond_noise([0.02, -0.001, 0.03]) and not beyond_noise([0.001, 0.08, 0.01]) and not beyond_noise([0.5])


def test_the_table_shows_means_spreads_and_what_differs() -> None:
    scores = {"pma": {1: {"m": 0.5}, 2: {"m": 0.6}}, "mean": {1: {"m": 0.4}, 2: {"m": 0.5}}, "eos": {1: {"m": 0.55}}}
    table = compared(scores, ["m", "absent"])
    assert table["absent"] == {} and table["m"]["pma"]["mean"] == pytest.approx(0.55)
    assert table["m"]["mean"]["against pma"]["mean"] == pytest.approx(-0.1)
    assert math.isclose(table["m"]["pma"]["spread"], 0.1 / 2**0.5)
    page = markdown({"plan": {"steps": 3}, "scores": table, "attention": {}})
    assert "| m | 0.550 ± 0.071 | 0.450 ± 0.071 * | 0.550 ± 0.000 |" in page
