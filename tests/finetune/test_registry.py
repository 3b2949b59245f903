from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from c2llm_lsp.settings import EDITOR, load
from retrieval.finetune.registry import RECORD, Adapted, AdaptError, in_use, keep, place_of, read, undo

FACTS = Adapted("", "base", "new", 1.0, 40, {"ranked": 0.5}, {"ranked": 0.6})


def model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_what_is_kept_is_used_in_its_workspace_alone(tmp_path: Path) -> None:
    record = keep(tmp_path / "a", "embedded", model(tmp_path / "made"), FACTS)
    assert in_use(tmp_path / "a", "embedded") == record.path
    assert record.path is not None and record.path.name == "embedded-adapted-1"
    assert in_use(tmp_path / "b", "embedded") is None
    assert in_use(tmp_path / "a", "minilm") is None


def test_undo_goes_back_step_by_step_and_then_says_that_there_is_nothing(tmp_path: Path) -> None:
    first = keep(tmp_path, "embedded", model(tmp_path / "one"), FACTS)
    second = keep(tmp_path, "embedded", model(tmp_path / "two"), replace(FACTS, fingerprint="newer"))
    gone, record = undo(tmp_path, "embedded")
    assert gone.fingerprint == "newer" and record.path == first.path
    assert second.path is not None and not second.path.exists()
    assert undo(tmp_path, "embedded")[1].path is None
    with pytest.raises(AdaptError, match="nothing to undo"):
        undo(tmp_path, "embedded")


def test_only_the_model_in_use_and_the_one_before_it_take_room(tmp_path: Path) -> None:
    for name in "abc":
        keep(tmp_path, "embedded", model(tmp_path / name), FACTS)
    folders = sorted(path.name for path in place_of(tmp_path, "embedded").iterdir() if path.is_dir())
    assert folders == ["embedded-adapted-2", "embedded-adapted-3"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / RECORD).write_text("{"),
        lambda place: (place / RECORD).write_text('{"version": 9, "models": []}'),
        lambda place: (place / RECORD).write_text('{"version": 1, "models": [{"folder": "../../x"}]}'),
        lambda place: (place / "embedded-adapted-1" / "config.json").unlink(),
    ],
)
def test_a_damaged_record_means_the_encoder_itself(tmp_path: Path, damage: object) -> None:
    place = keep(tmp_path, "embedded", model(tmp_path / "made"), FACTS).place
    damage(place)  # type: ignore[operator]
    assert read(tmp_path, "embedded").path is None


def test_the_settings_put_it_in_the_place_of_its_encoder_but_not_against_the_command_line(tmp_path: Path) -> None:
    path = keep(tmp_path, "embedded", model(tmp_path / "made"), FACTS).path
    found = load(tmp_path, environ={})
    assert (found.settings.encoder, found.base) == (str(path), "embedded")
    assert found.sources["encoder"] == "c2llm adapt, in place of embedded"
    assert load(tmp_path, environ={}, overrides={"encoder": "embedded"}).settings.encoder == "embedded"
    assert load(
        tmp_path, environ={}, overrides={"encoder": "embedded"}, override_source=EDITOR
    ).settings.encoder == str(path)
    assert load(tmp_path, environ={"C2LLM_ENCODER": "overlap"}).settings.encoder == "overlap"
    assert load(None, environ={}).settings.encoder == "embedded"
