"""`c2llm adapt` as a person uses it: a real process, a repository, a model that gets better or does not."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.extras import need

need("torch", "transformers", "onnxscript")

from tests.cli.program import Program  # noqa: E402
from tests.finetune.models import checkpoint  # noqa: E402
from tests.finetune.repository import repository  # noqa: E402

pytestmark = pytest.mark.slow  # torch in another process
QUESTION = "gives the anchor of cedar"


@pytest.fixture
def documented(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", files=24)


def with_model(folder: Path) -> dict[str, str]:
    """The environment of a person whose encoder is the model in a folder."""
    return {"C2LLM_ENCODER": str(folder), "C2LLM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def encoder_of(c2llm: Program, project: Path, environ: dict[str, str]) -> str:
    found = c2llm("search", QUESTION, project, "--json", environ=environ)
    return str(json.loads(found.out)["encoder"])


def test_a_better_model_is_used_until_it_is_taken_back(c2llm: Program, documented: Path, tmp_path: Path) -> None:
    environ = with_model(checkpoint(tmp_path / "start"))  # weights by chance: there is something to gain
    done = c2llm("adapt", documented, "--way", "all", "--steps", "80", "--json", environ=environ)
    assert done.code == 0, done.out + done.err
    report = json.loads(done.out)
    assert report["kept"] and report["steps"] == 80 and report["gain"]["ranked"] > 0.005
    assert encoder_of(c2llm, documented, environ) == "start-adapted-1"
    status = c2llm("status", documented, environ=environ).out
    assert "start-adapted-1" in status and "c2llm adapt --undo goes back" in status and "pending      nothing" in status

    again = c2llm("adapt", documented, "--way", "all", "--steps", "4", environ=environ)
    assert again.code == 1 and "The old model is kept" in again.out
    assert encoder_of(c2llm, documented, environ) == "start-adapted-1"

    back = c2llm("adapt", "--undo", documented, environ=environ)
    assert back.code == 0 and "start-adapted-1 was taken back" in back.out
    assert encoder_of(c2llm, documented, environ) == "start"
    assert c2llm("adapt", "--undo", documented, environ=environ).code == 2


def test_ctrl_c_leaves_the_old_model_and_the_next_run_goes_on(c2llm: Program, documented: Path, tmp_path: Path) -> None:
    environ = with_model(checkpoint(tmp_path / "start"))
    command = ("adapt", str(documented), "--way", "all", "--steps", "2500")
    with c2llm.start(*command, **environ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Training"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait() == 130 and "the same command goes on from there" in rest
    assert encoder_of(c2llm, documented, environ) == "start"
    assert [path.parent.name for path in tmp_path.rglob("checkpoint.pt")] == ["work"]


def test_what_there_is_to_learn_from_is_told_and_nothing_changes(
    c2llm: Program, documented: Path, tmp_path: Path
) -> None:
    environ = with_model(checkpoint(tmp_path / "start"))
    done = c2llm("adapt", documented, "--dry-run", environ=environ)
    assert done.code == 0, done.err
    assert "documented functions" in done.out and "the model in use" in done.out
    assert not list(tmp_path.rglob("*adapted*"))


def test_a_repository_with_few_comments_is_told_in_one_sentence(c2llm: Program, project: Path, tmp_path: Path) -> None:
    done = c2llm("adapt", project, environ=with_model(checkpoint(tmp_path / "start")))
    assert done.code == 2
    assert "too few documented functions" in done.err and "The model stays as it is" in done.err


def test_an_encoder_that_is_no_c2llm_model_is_told_in_one_sentence(c2llm: Program, documented: Path) -> None:
    done = c2llm("adapt", documented)
    assert done.code == 2 and "'overlap' cannot be adapted" in done.err and "c2llm model use" in done.err
    assert c2llm("adapt", documented, "--way", "magic").code == 2


def test_without_the_extra_the_command_to_install_it_is_told(c2llm: Program, documented: Path, tmp_path: Path) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "torch.py").write_text("raise ImportError('not here')\n")
    path = f"{tmp_path / 'shadow'}:{c2llm.environment()['PYTHONPATH']}"
    done = c2llm("adapt", documented, "--way", "all", environ={"PYTHONPATH": path})
    assert done.code == 2 and "pip install 'c2llm-lsp[train]'" in done.err


def test_a_map_of_queries_embeds_nothing_again_and_needs_no_torch(
    c2llm: Program, documented: Path, tmp_path: Path
) -> None:
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "torch.py").write_text("raise ImportError('not here')\n")
    environ = {
        "C2LLM_ENCODER": "embedded",
        "C2LLM_THREADS": "1",
        "PYTHONPATH": f"{tmp_path / 'shadow'}:{c2llm.environment()['PYTHONPATH']}",
    }
    done = c2llm("adapt", documented, "--json", environ=environ)
    assert done.code in (0, 1), done.err
    report = json.loads(done.out)
    assert report["way"] == "query" and report["kept"] is (done.code == 0)
    expected = "embedded-adapted-1" if report["kept"] else "embedded"
    assert encoder_of(c2llm, documented, environ) == expected
    assert "pending      nothing" in c2llm("status", documented, environ=environ).out
