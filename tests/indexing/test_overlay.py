"""Unsaved buffers: what search finds equals what it would find if they were saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.chunking import chunk_file
from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import EncoderError
from retrieval.indexing import shared_worker
from retrieval.store.rows import NO_STRUCTURE, PackedStructure
from retrieval.types import Chunk, Filters, SearchRequest, SimilarRequest

FILES = {
    "stack.py": "def push(stack, item):\n    stack.append(item)\n    return stack\n",
    "redirect.py": "def follow_redirect(response):\n    location = response.headers['location']\n    return location\n",
    "lib/parse.js": "export function parseOptions(argv) {\n  return argv.map(split);\n}\n",
}


class CountingEncoder(OverlapEncoder):
    passages = 0

    def encode_passages(self, texts):  # type: ignore[no-untyped-def]
        type(self).passages += len(texts)
        return super().encode_passages(texts)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "root"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    CountingEncoder.passages = 0
    opened = Workspace.open(root, encoder=CountingEncoder(), cache_dir=tmp_path / "cache")
    opened.refresh()
    return opened


def first(workspace: Workspace, query: str, **how: object) -> tuple[str, str]:
    hit = workspace.search(SearchRequest(query, limit=1, **how)).hits[0]  # type: ignore[arg-type]
    return hit.chunk.path, hit.text


def test_unsaved_text_is_found_and_masks_the_file(workspace: Workspace) -> None:
    workspace.set_buffer("stack.py", "def rotate_matrix(matrix):\n    return list(zip(*matrix))\n")
    assert first(workspace, "rotate matrix")[0] == "stack.py"
    assert all("push" not in hit.text for hit in workspace.search("push item on stack").hits)


def test_a_buffer_closed_without_saving_leaves_no_trace(workspace: Workspace, tmp_path: Path) -> None:
    before = workspace.search("push item").hits
    workspace.set_buffer("stack.py", "def zebracrossing():\n    return 'zebracrossing'\n")
    workspace.close_buffer("stack.py")
    assert workspace.search("push item").hits == before
    workspace.close()
    assert not any(b"zebracrossing" in f.read_bytes() for f in (tmp_path / "cache").rglob("*") if f.is_file())


def test_only_chunks_that_are_new_are_embedded(workspace: Workspace) -> None:
    body = "    value = compute(value)\n" * 12
    text = "".join(f"def function_{n}(value):\n{body}    return value\n\n\n" for n in range(20))
    workspace.set_buffer("many.py", text)
    CountingEncoder.passages = 0
    assert workspace.set_buffer("many.py", text.replace("return value", "return changed", 1)) == 1
    assert workspace.set_buffer("many.py", text) == 0, "an undo embeds nothing"
    assert CountingEncoder.passages == 1


def test_a_text_that_was_expected_is_not_cut_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []

    def chunked_buffer(path: str, text: str, _: str) -> tuple[list[Chunk], PackedStructure]:
        cut.append(text)
        return chunk_file(path, text), NO_STRUCTURE

    monkeypatch.setattr(shared_worker, "chunked_buffer", chunked_buffer)
    expected, other = "def rotate_matrix(matrix):\n    return 1\n", "def transpose_grid(grid):\n    return 2\n"
    workspace.prefetch_buffer("stack.py", expected)
    assert first(workspace, "rotate matrix")[1] != expected, "nothing is seen of it before"
    workspace.set_buffer("stack.py", expected)
    assert (first(workspace, "rotate matrix")[1].strip(), cut) == (expected.strip(), [expected])
    workspace.prefetch_buffer("stack.py", expected)
    workspace.set_buffer("stack.py", other)
    assert first(workspace, "transpose grid")[1].strip() == other.strip(), "another one came instead"


def test_a_save_embeds_nothing_that_the_buffer_had_embedded(workspace: Workspace) -> None:
    text = "def rotate_matrix(matrix):\n    return list(zip(*matrix))\n"
    assert workspace.set_buffer("rotate.py", text) == 1
    (workspace.root / "rotate.py").write_text(text)
    workspace.close_buffer("rotate.py")
    assert workspace.changed(["rotate.py"]).chunks_embedded == 0
    assert first(workspace, "rotate matrix")[0] == "rotate.py"


def test_untitled_buffers_and_filters(workspace: Workspace) -> None:
    workspace.set_buffer(
        "untitled.go", "package main\n\nfunc FollowRedirect(response string) string {\n\treturn response\n}\n"
    )
    assert first(workspace, "follow redirect", filters=Filters(languages=("go",)))[0] == "untitled.go"
    assert first(workspace, "follow redirect", filters=Filters(paths=("!*.go",)))[0] == "redirect.py"


def test_chunks_of_a_file_are_those_of_its_buffer(workspace: Workspace) -> None:
    paths = ["stack.py", "redirect.py", "gone.py"]
    before = workspace.snapshot()[0].rows.chunks_of_files(paths)
    workspace.set_buffer(
        "stack.py", FILES["stack.py"] + "\n\ndef peek(stack):\n" + "    item = look_at(stack, stack, 1)\n" * 90
    )
    after = workspace.snapshot()[0].rows.chunks_of_files(paths)
    assert (before, after["redirect.py"]) == ({"stack.py": 1, "redirect.py": 1}, 1)
    assert after["stack.py"] > 1


def test_similar_code_is_found_from_and_in_buffers(workspace: Workspace) -> None:
    workspace.set_buffer("copy.py", "def follow_redirects(response):\n    location = response.headers['location']\n")
    assert workspace.similar(SimilarRequest("copy.py", 1, limit=1)).hits[0].chunk.path == "redirect.py"
    assert workspace.similar(SimilarRequest("redirect.py", 1, limit=1)).hits[0].chunk.path == "copy.py"


words = st.sampled_from("alpha beta gamma delta push stack redirect parse option".split())
bodies = st.lists(words, min_size=1, max_size=12).map(lambda names: "".join(f"{name} = 1\n" for name in names))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*FILES, "new.py"]), bodies, min_size=1), words)
def test_buffers_answer_like_saved_files(
    tmp_path_factory: pytest.TempPathFactory, buffers: dict[str, str], word: str
) -> None:
    shown, saved = tmp_path_factory.mktemp("shown"), tmp_path_factory.mktemp("saved")
    for path, text in FILES.items():
        for root in (shown, saved):
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
    for path, text in buffers.items():
        (saved / path).write_text(text)
    cache = tmp_path_factory.mktemp("cache")
    with (
        Workspace.open(shown, encoder=OverlapEncoder(), cache_dir=cache) as open_buffers,
        Workspace.open(saved, encoder=OverlapEncoder(), cache_dir=cache) as files,
    ):
        open_buffers.refresh()
        files.refresh()
        for path, text in buffers.items():
            open_buffers.set_buffer(path, text)
        found = {
            (h.chunk.path, h.start_line, h.end_line, h.text)
            for h in open_buffers.search(SearchRequest(word, limit=50)).hits
        }
        assert found == {
            (h.chunk.path, h.start_line, h.end_line, h.text) for h in files.search(SearchRequest(word, limit=50)).hits
        }


class Failing(OverlapEncoder):
    fails = True

    def encode_passages(self, texts):  # type: ignore[no-untyped-def]
        if self.fails:
            raise EncoderError("gone")
        return super().encode_passages(texts)


@pytest.mark.parametrize("text", ["def typed_on_heron():\n    return 2\n", None], ids=["typed on", "closed"])
def test_buffers_that_are_embedded_late_are_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    """The encoder is back, and its first buffer takes long: somebody goes on with the second."""
    (tmp_path / "root").mkdir()
    encoder = Failing()
    with Workspace.open(tmp_path / "root", encoder=encoder, cache_dir=tmp_path / "cache") as workspace:
        workspace.set_buffer("a.py", "def first_heron():\n    return 1\n")
        workspace.set_buffer("b.py", "def second_heron():\n    return 1\n")
        encoder.fails = False
        unembedded = workspace.context.overlay.unembedded

        def overtaken() -> list[tuple[str, str]]:
            found = unembedded()
            assert len(found) == 2
            if text is None:
                workspace.close_buffer("b.py")
            else:
                workspace.set_buffer("b.py", text)
            return found

        monkeypatch.setattr(workspace.context.overlay, "unembedded", overtaken)
        workspace.refresh()
        found = {hit.chunk.symbol for hit in workspace.search("heron").hits}
        assert found == {"first_heron", *(["typed_on_heron"] if text else [])}
