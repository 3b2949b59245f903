"""Downloads with the hub's own client from a server that speaks its endpoints, in processes of their own: the client reads its
settings when it is imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.extras import need

need("huggingface_hub", "torch")

from tests import fork_server  # noqa: E402
from tests.cli.program import Program  # noqa: E402
from tests.model.checkpoints import write_checkpoint  # noqa: E402
from tests.model.hub_server import NAME, Hub, serving  # noqa: E402
from tests.patience import PATIENCE  # noqa: E402

SHARD = "model-00002-of-00003.safetensors"
pytestmark = pytest.mark.slow  # each question is a process with the hub's client
# Seconds. The client asks again for what a busy machine sends late, and the server has counted those bytes as sent.
PATIENT = {"HF_HUB_DOWNLOAD_TIMEOUT": "300", "HF_HUB_ETAG_TIMEOUT": "300"}
NOBODY = "http://127.0.0.1:9"  # the port that discards; nothing listens there


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = write_checkpoint(tmp_path / "published", shards=3, vocab_size=4_000)
    (folder / "modeling_c2llm.py").write_text("raise SystemExit")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04pickle")
    with serving(folder) as served:
        yield served


class Machine:
    """Its cache of the hub's files, and what `fetch` or `cached` say there."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address

    def ask(self, call: str, *, address: str = "", **more: str) -> str:
        """The path, or the error as one line."""
        code = f"""
import json, time
import huggingface_hub.constants
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 100_000  # 10 MB: more than a whole file here
time.sleep = lambda seconds: None  # the client's pauses before it asks again, and ours
from retrieval.model import hub
from retrieval.errors import C2llmError
def progress_of(name):
    seen = []
    hub.fetch(name, progress=lambda *step: seen.append(step))
    return json.dumps(seen)
try:
    print({call})
except C2llmError as error:
    print(type(error).__name__, error)
"""
        (self.home / "ask.py").write_text(code)
        settings = {"HF_HOME": str(self.home / "hf"), "HF_ENDPOINT": address or self.address, **PATIENT, **more}
        done = fork_server.run(
            [sys.executable, str(self.home / "ask.py")],
            input=b"",
            env=Program(self.home).environment(**settings),
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def fetch(self, name: str = NAME, **more: str) -> str:
        return self.ask(f"hub.fetch({name!r})", **more)


@pytest.fixture
def machine(hub: Hub, tmp_path: Path) -> Machine:
    (tmp_path / "home").mkdir()
    return Machine(tmp_path / "home", hub.address)


def test_a_checkpoint_is_downloaded_whole_without_its_code_and_found_without_a_request(
    hub: Hub, machine: Machine
) -> None:
    folder = Path(machine.fetch())
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in hub.folder.iterdir()} - {"modeling_c2llm.py", "pytorch_model.bin"}
    assert all((folder / name).read_bytes() == (hub.folder / name).read_bytes() for name in names)
    hub.requests.clear()
    assert machine.ask(f"hub.cached({NAME!r})") == str(folder)
    assert hub.requests == []


def test_progress_counts_the_bytes_of_the_weights(hub: Hub, machine: Machine) -> None:
    seen: list[tuple[str, int, int]] = json.loads(machine.ask(f"progress_of({NAME!r})"))
    total = sum(path.stat().st_size for path in hub.folder.glob("*.safetensors"))
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts) and counts[-1] == total
    assert {all_ for _, _, all_ in seen} == {total}


def test_a_broken_connection_is_resumed_within_one_call(hub: Hub, machine: Machine) -> None:
    size = (hub.folder / SHARD).stat().st_size
    hub.cut = size // 2 + 1
    assert Path(machine.fetch()).is_dir()
    assert hub.bytes_sent(SHARD) < 1.2 * size  # nothing twice but the piece in which it broke


def test_a_connection_that_is_reset_is_resumed_within_one_call(hub: Hub, machine: Machine) -> None:
    hub.resets = 2
    folder = Path(machine.fetch())
    assert all(path.read_bytes() == (hub.folder / path.name).read_bytes() for path in folder.iterdir())
    assert hub.resets == 0


def test_a_connection_that_is_closed_in_place_of_an_answer_is_asked_again(hub: Hub, machine: Machine) -> None:
    """Servers close connections that were kept for another request, at times just when it comes."""
    hub.drops = True
    folder = Path(machine.fetch())
    assert all(path.read_bytes() == (hub.folder / path.name).read_bytes() for path in folder.iterdir())


def test_a_hub_that_resets_every_connection_is_given_up(hub: Hub, machine: Machine) -> None:
    hub.resets = 10**6
    assert machine.fetch().startswith("HubUnreachableError")


def test_a_download_that_died_goes_on_where_it_stopped(hub: Hub, machine: Machine) -> None:
    blobs = machine.home / "hf" / "hub" / "models--codefuse-ai--C2LLM-0.5B" / "blobs"
    blobs.mkdir(parents=True)
    content = (hub.folder / SHARD).read_bytes()
    (blobs / f"{hub.facts(SHARD)['lfs']['sha256']}.part").write_bytes(content[:10_000])
    folder = Path(machine.fetch())
    assert (folder / SHARD).read_bytes() == content
    assert hub.bytes_sent(SHARD) == len(content) - 10_000


def test_a_file_that_arrives_damaged_is_not_kept(hub: Hub, machine: Machine) -> None:
    hub.damaged = True
    assert "arrived damaged" in machine.fetch()
    hub.damaged = False
    assert Path(machine.fetch()).is_dir()


def test_an_unreachable_hub_is_reported_with_the_file_and_a_remedy(machine: Machine) -> None:
    said = machine.fetch(address=NOBODY)
    assert said.startswith("HubUnreachableError") and NAME in said and NOBODY in said
    assert "config.json, tokenizer.json and *.safetensors into a folder" in said
    assert "\n" not in said


def test_a_hub_that_goes_away_names_the_file(hub: Hub, machine: Machine) -> None:
    hub.cut = 1  # and no more is sent on any attempt than one byte
    hub.requests.clear()
    said = machine.fetch()
    assert said.startswith("HubUnreachableError") and "model-00001-of-00003.safetensors" in said


def test_a_half_downloaded_checkpoint_is_said_to_be_one(hub: Hub, machine: Machine) -> None:
    folder = Path(machine.fetch())
    (folder / SHARD).unlink()
    said = machine.ask(f"hub.cached({NAME!r})")
    assert "not downloaded completely" in said and f"c2llm model use {NAME}" in said
    assert Path(machine.fetch()) == folder and (folder / SHARD).is_file()


@pytest.mark.parametrize(
    ("name", "refused", "words"),
    [
        (f"{NAME}@v9", "", "no revision 'v9'"),
        ("codefuse-ai/C2LLM-9B", "", "no model codefuse-ai/C2LLM-9B"),
        (NAME, "GatedRepo", "accepted its terms"),
        (NAME, "Broken", "cannot be reached"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(hub: Hub, machine: Machine, name: str, refused: str, words: str) -> None:
    hub.refused = refused
    said = machine.fetch(name)
    assert words in said and "\n" not in said


def test_a_revision_is_downloaded_and_found_by_its_name(hub: Hub, machine: Machine) -> None:
    folder = machine.fetch(f"{NAME}@v1")
    assert machine.ask(f"hub.cached('{NAME}@v1')") == folder
    assert "not downloaded" in machine.ask(f"hub.cached({NAME!r})")  # the newest was never asked for


def test_another_architecture_is_refused_before_its_weights_are_fetched(hub: Hub, machine: Machine) -> None:
    (hub.folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    said = machine.fetch()
    assert "'bert' (BertModel)" in said
    assert hub.bytes_sent(SHARD) == 0


def test_what_was_never_downloaded_names_the_command(machine: Machine) -> None:
    said = machine.ask(f"hub.cached({NAME!r})", address=NOBODY)
    assert f"c2llm model use {NAME}" in said
