"""`c2llm model`: from a name on the hub to a search with that checkpoint, and what is said where it does not come so far."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extras import need

need("torch", "huggingface_hub")

from c2llm_lsp.cli.runtime_checks import in_use, mixed, relatives  # noqa: E402
from retrieval.errors import MissingExtraError  # noqa: E402
from tests.cli.program import Program  # noqa: E402
from tests.model.checkpoints import write_checkpoint  # noqa: E402
from tests.model.hub_server import NAME, Hub, serving  # noqa: E402

NOBODY = "http://127.0.0.1:9"  # the port that discards; nothing listens there


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with serving(write_checkpoint(tmp_path / "published", shards=2)) as served:
        yield served


def there(hub: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a person whose settings come from a file of their own."""
    return {
        "HF_ENDPOINT": hub,
        "HF_HOME": str(tmp_path / "hf"),
        "C2LLM_CONFIG": str(tmp_path / "config.toml"),
        "C2LLM_ENCODER": "",
        "C2LLM_THREADS": "1",
    }


@pytest.mark.slow
def test_one_line_downloads_a_checkpoint_and_search_uses_it_offline(
    c2llm: Program, project: Path, hub: Hub, tmp_path: Path
) -> None:
    done = c2llm("model", "use", NAME, "--dtype", "fp32", "--device", "cpu", environ=there(hub.address, tmp_path))
    assert done.code == 0, done.err
    assert f"{NAME} (48 dimensions) on cpu, fp32" in done.out
    config = (tmp_path / "config.toml").read_text()
    assert f'encoder = "{NAME}"' in config and 'dtype = "fp32"' in config and 'device = "cpu"' in config
    hub.requests.clear()
    found = c2llm("search", "retry failed requests", project, "--json", environ=there(hub.address, tmp_path))
    assert found.code == 0, found.err
    assert f'"encoder": "{NAME}"' in found.out
    assert hub.requests == []


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_leaves_search_as_it_was(c2llm: Program, project: Path, tmp_path: Path) -> None:
    done = c2llm("model", "use", NAME, environ=there(NOBODY, tmp_path))
    assert done.code == 2
    assert "cannot be reached" in done.err and "c2llm model use FOLDER" in done.err
    assert "Search goes on with 'embedded'" in done.err
    assert not (tmp_path / "config.toml").exists()
    assert c2llm("search", "retry failed requests", project, environ=there(NOBODY, tmp_path)).code == 0


@pytest.mark.slow
def test_a_wrong_revision_is_told_and_not_set(c2llm: Program, hub: Hub, tmp_path: Path) -> None:
    done = c2llm("model", "use", NAME, "--revision", "v9", environ=there(hub.address, tmp_path))
    assert done.code == 2 and "no revision 'v9'" in done.err
    assert not (tmp_path / "config.toml").exists()


@pytest.mark.slow
def test_a_folder_with_another_architecture_is_told_and_not_set(c2llm: Program, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "other", model_type="bert", architectures=["BertModel"])
    done = c2llm("model", "use", tmp_path / "other", environ=there(NOBODY, tmp_path))
    assert done.code == 2 and "'bert' (BertModel)" in done.err
    assert not (tmp_path / "config.toml").exists()


@pytest.mark.slow
def test_a_checkpoint_that_was_never_downloaded_names_the_command(c2llm: Program, project: Path) -> None:
    done = c2llm("search", "x", project, "--encoder", NAME)
    assert done.code == 2 and f"c2llm model use {NAME}" in done.err


@pytest.mark.slow
def test_an_export_is_compared_and_then_searched_with(c2llm: Program, project: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=0)
    done = c2llm("model", "export", tmp_path / "checkpoint", "--out", tmp_path / "exported", "--precision", "fp32")
    assert done.code == 0, done.err
    assert "lowest cosine with torch 1.0" in done.out or "lowest cosine with torch 0.9999" in done.out
    found = c2llm("search", "retry failed requests", project, "--encoder", tmp_path / "exported")
    assert found.code == 0, found.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--precision", "int4"], "no precision 'int4'"),
        ([], "no config.json"),
    ],
)
def test_an_export_that_cannot_be_made_says_why(
    c2llm: Program, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = c2llm("model", "export", tmp_path / "empty", "--out", tmp_path / "out", *arguments)
    assert done.code == 2 and words in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_doctor_sees_two_onnxruntimes_in_one_folder(c2llm: Program, project: Path, tmp_path: Path) -> None:
    """The real onnxruntime, and beside it what pip leaves of an onnxruntime-gpu."""
    extra = tmp_path / "site" / "onnxruntime_gpu-1.22.0.dist-info"
    extra.mkdir(parents=True)
    (extra / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.22.0\n")
    both = f"{c2llm.environment()['PYTHONPATH']}:{tmp_path / 'site'}"
    done = c2llm("doctor", project, environ={"PYTHONPATH": both})
    assert (
        "onnxruntime and onnxruntime-gpu are installed into one folder; the files of onnxruntime are in use" in done.out
    )
    assert "→ pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu" in done.out


def test_only_distributions_of_the_package_itself_count(tmp_path: Path) -> None:
    for name in ("onnxruntime_gpu", "onnxruntime", "onnxruntime-extensions", "onnxruntime-directml", "numpy"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    found = importlib.metadata.distributions(path=[str(tmp_path)])
    assert relatives(found) == ("onnxruntime", "onnxruntime-directml", "onnxruntime-gpu")


@pytest.mark.parametrize(("used", "state"), [("onnxruntime", "note"), ("onnxruntime-gpu", "ok"), ("", "note")])
def test_what_is_in_use_decides_whether_something_is_to_do(tmp_path: Path, used: str, state: str) -> None:
    (tmp_path / "capi").mkdir()
    if used:
        (tmp_path / "capi" / "build_and_package_info.py").write_text(
            f"package_name = '{used}'\n__version__ = '1.22.0'\n"
        )
    assert in_use(tmp_path) == used
    finding = mixed(("onnxruntime", "onnxruntime-gpu"), used)
    assert finding.state == state and bool(finding.todo) == (state == "note")


def test_without_torch_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from c2llm_lsp.cli import model

    monkeypatch.setattr(model, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'c2llm-lsp\[torch\]'"):
        model.download(NAME, "embedded", quiet=True)
