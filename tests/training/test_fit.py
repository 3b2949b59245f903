from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import need

torch = pytest.importorskip("torch")
need("transformers")
tokenizers = pytest.importorskip("tokenizers")

from retrieval.errors import EncoderError, ModelError  # noqa: E402
from retrieval.model.c2llm import C2LLM  # noqa: E402
from retrieval.model.config import C2LLMConfig  # noqa: E402
from retrieval.training.adapters import add_adapters, merge_adapters  # noqa: E402
from retrieval.training.fit import TrainSettings, fit  # noqa: E402
from retrieval.training.mixture import Mixture  # noqa: E402
from retrieval.training.tasks import DataError, Example, Task, instruction_of  # noqa: E402
from retrieval.training.tokenizer import blank_tokenizer  # noqa: E402
from retrieval.training.trainer import Stage  # noqa: E402
from tests import fork_server  # noqa: E402
from tests.cli.program import Program  # noqa: E402
from tests.patience import PATIENCE  # noqa: E402

WORDS = [f"w{chr(97 + i)}{chr(97 + j)}" for i in range(8) for j in range(8)]
SETTINGS = TrainSettings(
    Stage(steps=40, rate=3e-3, embedding_rate=1e-2, warm_up=4, validate_every=20, checkpoint_seconds=0), batch=8
)


@pytest.fixture(scope="module")
def tokenizer() -> tokenizers.Tokenizer:
    from tokenizers.models import WordPiece

    blank = blank_tokenizer()
    words = ["[PAD]", "[UNK]", "retrieve", "answer", *WORDS]
    blank.model = WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    return blank


@pytest.fixture
def start(tmp_path: Path, tokenizer: tokenizers.Tokenizer) -> Path:
    torch.manual_seed(3)
    C2LLM(CONFIG).save(tmp_path / "start")
    tokenizer.save(str(tmp_path / "start" / "tokenizer.json"))
    return tmp_path / "start"


CONFIG = C2LLMConfig(
    hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, intermediate_size=24, vocab_size=80,
    max_position_embeddings=64, compressed_dim=16, pma_num_heads=2, padding_side="right",
    max_query_tokens=24, max_passage_tokens=24,
)  # fmt: skip


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """Queries and answers share no word: which belongs to which has to be learnt."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    for name, shift in (("codesearchnet", 1), ("similar", 5)):
        rows = [{"query": WORDS[i % 30], "positive": WORDS[30 + (i * shift) % 30]} for i in range(40)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def curve(folder: Path) -> list[list[str]]:
    """Without the seconds."""
    return [[*line.split(",")[:1], *line.split(",")[2:]] for line in (folder / "curve.csv").read_text().splitlines()]


def test_a_run_gives_a_model_that_learnt(tmp_path: Path, tasks: Path, start: Path) -> None:
    out = fit(tasks, start, tmp_path / "out", SETTINGS)
    assert C2LLM.load(out).config == CONFIG and (out / "tokenizer.json").exists()
    rows = curve(out)
    assert rows[0][1:] == ["loss", "mrr", "entropy", "last", "mrr codesearchnet", "mrr similar"]
    assert float(rows[2][1]) < float(rows[1][1])


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_like_one_that_was_not(
    tmp_path: Path, tasks: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, hard_negatives=2)
    whole = C2LLM.load(fit(tasks, start, tmp_path / "whole", settings))
    real, calls = Mixture.batch, 0

    def stopped(self: Mixture, step: int) -> object:
        nonlocal calls
        calls += 1
        if calls == 23:
            raise KeyboardInterrupt
        return real(self, step)

    monkeypatch.setattr(Mixture, "batch", stopped)
    with pytest.raises(KeyboardInterrupt):
        fit(tasks, start, tmp_path / "cut", settings)
    resumed = C2LLM.load(fit(tasks, start, tmp_path / "cut", settings))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")


def test_a_folder_with_another_run_is_refused(tmp_path: Path, tasks: Path, start: Path) -> None:
    fit(tasks, start, tmp_path / "out", replace(SETTINGS, stage=replace(SETTINGS.stage, steps=3)))
    with pytest.raises(DataError, match="another batch"):
        fit(tasks, start, tmp_path / "out", replace(SETTINGS, batch=4))


def test_what_is_missing_is_told_in_words(tmp_path: Path, tasks: Path, start: Path) -> None:
    with pytest.raises(EncoderError, match="teacher 'nobody' cannot be loaded"):
        fit(tasks, start, tmp_path / "out", replace(SETTINGS, teacher="nobody"))
    (start / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        fit(tasks, start, tmp_path / "other", SETTINGS)


@pytest.mark.slow
def test_adapters_learn_beside_a_backbone_that_stays(tmp_path: Path, tasks: Path, start: Path) -> None:
    pytest.importorskip("peft")
    before = C2LLM.load(start)
    after = C2LLM.load(fit(tasks, start, tmp_path / "out", replace(SETTINGS, lora_rank=4)))
    assert before.state_dict().keys() == after.state_dict().keys()
    changed = {
        name for name, tensor in before.state_dict().items() if not torch.equal(tensor, after.state_dict()[name])
    }
    assert "plm_model.model.embed_tokens.weight" not in changed
    assert {"plm_model.model.layers.0.self_attn.q_proj.weight", "mha_pma.mab.fc_v.weight"} <= changed


def test_new_adapters_and_their_merging_change_no_vector(start: Path) -> None:
    pytest.importorskip("peft")
    ids, mask = torch.tensor([[3, 9, 27, 4]]), torch.ones(1, 4, dtype=torch.long)
    plain = C2LLM.load(start)(ids, mask)[0]
    adapted = add_adapters(C2LLM.load(start), 4).eval()
    torch.testing.assert_close(adapted(ids, mask)[0], plain)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    moved = adapted(ids, mask)[0]
    assert not torch.allclose(moved, plain)
    torch.testing.assert_close(merge_adapters(adapted)(ids, mask)[0], moved)


def example(query: str, positive: str, *negatives: str) -> Example:
    return Example(query, positive, negatives)


def mixture(tokenizer: tokenizers.Tokenizer, *tasks: Task, size: int = 4) -> Mixture:
    return Mixture(tasks, tokenizer, CONFIG, size=size, seed=1)


def pairs(count: int) -> list[Example]:
    return [example(WORDS[i], WORDS[30 + i]) for i in range(count)]


def test_a_batch_is_of_one_task_under_its_instruction(tokenizer: tokenizers.Tokenizer) -> None:
    source = mixture(tokenizer, Task("one", pairs(20), "retrieve "), Task("two", pairs(20), "answer "))
    seen = set()
    for step in range(source.per_epoch):
        batch = source.batch(step)
        seen.add((batch.task, *{int(ids[0]) for ids in batch.query_ids}))
    assert seen == {("one", 2), ("two", 3)}


def test_weights_say_how_often_a_task_is_seen(tokenizer: tokenizers.Tokenizer) -> None:
    source = mixture(
        tokenizer, Task("one", pairs(16)), Task("two", pairs(16), weight=2.5), Task("none", pairs(16), weight=0)
    )
    names = [source.batch(step).task for step in range(source.per_epoch)]
    assert (names.count("one"), names.count("two"), names.count("none")) == (4, 10, 0)


def test_a_batch_depends_on_its_step_alone(tokenizer: tokenizers.Tokenizer) -> None:
    task = Task("one", [example(WORDS[i], WORDS[30 + i], WORDS[60], WORDS[61]) for i in range(20)])
    forth, back = mixture(tokenizer, task), mixture(tokenizer, task)
    last = 2 * forth.per_epoch
    later = {step: back.batch(step) for step in range(last, -1, -1)}
    for step in range(last + 1):
        np.testing.assert_array_equal(forth.batch(step).passage_ids, later[step].passage_ids)


def test_hard_negatives_follow_the_positives(tokenizer: tokenizers.Tokenizer) -> None:
    examples = [example("waa", "wba", "wca"), example("wab", "wbb"), example("wac", "wbc", "wcb")]
    batch = mixture(tokenizer, Task("one", examples, "", "")).batch(0)
    assert batch.passage_ids.shape == (5, 1) and batch.ignored is not None and not batch.ignored.any()


def test_what_answers_a_query_as_well_is_no_negative(tokenizer: tokenizers.Tokenizer) -> None:
    examples = [example("waa", "wba"), example("waa", "wbb"), example("wab", "wbc", "wba"), example("wac", "wbd")]
    batch = mixture(tokenizer, Task("one", examples)).batch(0)
    assert batch.ignored is not None
    asked = [int(row[mask > 0][-1]) for row, mask in zip(batch.query_ids, batch.query_mask, strict=True)]
    first = tokenizer.token_to_id("waa")
    for row, query in enumerate(asked):
        assert batch.ignored[row].sum() == (2 if query == first else 0)


def test_an_empty_mixture_is_told_in_words(tokenizer: tokenizers.Tokenizer) -> None:
    with pytest.raises(DataError, match="No task"):
        mixture(tokenizer, Task("one", []))


def test_every_public_task_has_an_instruction() -> None:
    assert instruction_of("synthetic-text2sql").startswith("Given a natural language question")


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path, tasks: Path, start: Path) -> None:
    pytest.importorskip("accelerate")

    def started(out: Path, rank: int, count: int) -> subprocess.Popen[bytes]:
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
        environment = Program(tmp_path).environment(**{name: str(value) for name, value in place.items()})
        arguments = map(str, (tasks, start, out, tmp_path / "meeting"))
        command = [sys.executable, "-m", "tests.training.fit_program", *arguments]
        return fork_server.popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, uses_torch=True)

    running = [started(tmp_path / "two", rank, 2) for rank in (0, 1)] + [started(tmp_path / "one", 0, 1)]
    for process in running:
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told.decode()
    one, two = (C2LLM.load(tmp_path / name).state_dict() for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=1e-4, rtol=1e-3)
    assert len(curve(tmp_path / "two")) == len(curve(tmp_path / "one")) == 2
