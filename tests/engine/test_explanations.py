"""Where the model looks and what a query finds: positions in the file, shares that sum to one, effects that are measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.chunking import chunk_file, passage
from retrieval.encoders import OverlapEncoder
from retrieval.encoders.onnx import OnnxEncoder, embedded_folder
from retrieval.engine import Workspace
from retrieval.engine.explain import explain
from retrieval.errors import EncoderError, QueryError
from retrieval.search import Snapshot
from retrieval.types import Chunk, Explanation

MAIL = '''"""Mail."""


class Mailer:
    def send_mail(self, address):
        """Send a letter 🎉 to an address."""
        letter = self.compose(address)
\tself.deliver(letter)
        return None
'''


class Files:
    """Rows of a store that knows nothing but the chunks of one file."""

    def __init__(self, text: str) -> None:
        self._chunks = list(enumerate(chunk_file("any.py", text)))

    def file_chunks(self, path: str, first_line: int = 1, last_line: int = 0) -> list[tuple[int, Chunk]]:
        return self._chunks

    def chunk_count(self) -> int:
        return len(self._chunks)

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        return {}


class LookingEncoder(OverlapEncoder):
    """Looks at each word alike, and reads so many characters of a text only."""

    reads = 10_000

    def attention(self, texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        out = []
        for text in texts:
            spans, at = [], 0
            for word in text[: self.reads].split():
                at = text.index(word, at)
                spans.append((at, at + len(word)))
                at += len(word)
            out.append([(a, b, 1 / len(spans)) for a, b in spans])
        return out


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "mail.py").write_text(MAIL, encoding="utf-8")
    return folder


@pytest.fixture
def workspace(root: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(root, encoder=LookingEncoder(), cache_dir=tmp_path / "cache") as opened:
        opened.refresh()
        yield opened


@pytest.fixture(scope="module")
def embedded() -> OnnxEncoder:
    return OnnxEncoder(embedded_folder(), name="embedded", threads=1)


def with_encoder(root: Path, cache: Path, encoder: OverlapEncoder | OnnxEncoder) -> Workspace:
    opened = Workspace.open(root, encoder=encoder, cache_dir=cache)
    opened.refresh()
    return opened


def seen(explanation: Explanation, text: str) -> list[str]:
    """What each look points at in the file's text."""
    lines = text.split("\n")
    assert all(look.line == look.end_line for look in explanation.tokens)
    return [lines[look.line - 1][look.character : look.end_character] for look in explanation.tokens]


def test_looks_point_at_the_files_lines_and_characters(workspace: Workspace) -> None:
    words = seen(workspace.explain("mail.py", 6), MAIL)
    assert {"send_mail(self,", "🎉", "self.deliver(letter)"} <= set(words)


def test_shares_sum_to_one_with_the_header_apart(workspace: Workspace) -> None:
    found = workspace.explain("mail.py", 6)
    header = sum(look.weight for look in found.header)
    assert [look.text for look in found.header] == passage(found.chunk).removesuffix(found.chunk.text).split()
    assert header > 0
    assert header + sum(look.weight for look in found.tokens) == pytest.approx(1)
    assert header + sum(line.attention for line in found.lines) == pytest.approx(1)
    assert found.entropy == pytest.approx(found.uniform)


def test_without_a_query_nothing_is_said_of_one(workspace: Workspace) -> None:
    found = workspace.explain("mail.py", 6, "  ")
    assert (found.similarity, found.header_effect, found.words, found.query) == (None, None, (), "")
    assert {line.effect for line in found.lines} == {None}


def test_an_effect_is_the_similarity_without_the_line(workspace: Workspace) -> None:
    found = workspace.explain("mail.py", 6, "deliver a letter")
    encoder, whole = workspace.encoder, passage(found.chunk)
    question = encoder.encode_queries(["deliver a letter"])[0]
    assert found.similarity == pytest.approx(float(encoder.encode_passages([whole])[0] @ question))
    effects = {line.line: line.effect for line in found.lines}
    without = whole.replace("\tself.deliver(letter)\n", "")
    assert without != whole
    assert effects[8] == pytest.approx(found.similarity - float(encoder.encode_passages([without])[0] @ question))
    assert max(effects, key=lambda line: effects[line] or 0.0) == 8
    assert found.header_effect == pytest.approx(
        found.similarity - float(encoder.encode_passages([found.chunk.text])[0] @ question)
    )


def test_words_say_where_they_are_the_rarest_first(workspace: Workspace) -> None:
    words = {match.word: match for match in workspace.explain("mail.py", 6, "deliver mails by pigeon").words}
    assert words["mails"].in_path and words["mails"].in_name and words["mails"].lines
    assert words["deliver"].lines == (8,) and not words["deliver"].in_name
    assert words["pigeon"].lines == () and next(iter(words)) == "pigeon"


def test_the_line_decides_which_chunk_and_blank_lines_take_the_next(workspace: Workspace) -> None:
    assert workspace.explain("mail.py", 999).chunk == workspace.explain("mail.py", 9).chunk
    assert workspace.explain("mail.py", 2).chunk.start_line <= 4


def test_a_buffer_that_is_not_saved_counts(workspace: Workspace) -> None:
    workspace.set_buffer("mail.py", "# new\n\n" + MAIL)
    found = workspace.explain("mail.py", 8)
    assert "send_mail(self," in seen(found, "# new\n\n" + MAIL)
    assert found.freshness.files == 1


def test_what_is_not_read_any_more_is_said_and_not_judged(root: Path, tmp_path: Path) -> None:
    encoder = LookingEncoder()
    with with_encoder(root, tmp_path / "cache", encoder) as workspace:
        encoder.reads = passage(workspace.explain("mail.py", 6).chunk).index("letter = ")
        found = workspace.explain("mail.py", 6, "letter")
    assert found.unread_from == 7
    assert [line.line for line in found.lines if line.effect is None] == [7, 8, 9]
    assert all(line.attention == 0 for line in found.lines if line.line >= 7)


def test_an_encoder_that_cannot_say_where_it_looks_is_still_measured(root: Path, tmp_path: Path) -> None:
    with with_encoder(root, tmp_path / "cache", OverlapEncoder()) as workspace:
        found = workspace.explain("mail.py", 6, "deliver")
    assert (found.tokens, found.header, found.uniform, found.unread_from) == ((), (), 0.0, 0)
    assert "does not expose attention" in found.notes[0]
    assert max(found.lines, key=lambda line: line.effect or 0.0).line == 8


def test_line_ends_of_windows_and_old_macs_count_as_the_editor_counts(root: Path, tmp_path: Path) -> None:
    (root / "dos.py").write_bytes(b"def a():\r\n    return first\r\n")
    (root / "mac.py").write_bytes(b"def b():\r    return second\r")
    with with_encoder(root, tmp_path / "cache", LookingEncoder()) as workspace:
        for path, word in (("dos.py", "first"), ("mac.py", "second")):
            found = workspace.explain(path, 2, word)
            last = found.tokens[-1]
            assert (last.line, last.character, last.end_character) == (2, 11, 11 + len(word))
            assert found.words[0].lines == (2,)


def test_the_parts_of_an_endless_line_keep_their_columns(root: Path, tmp_path: Path) -> None:
    line = "x = " + " ".join(f"word{n:05}" for n in range(2000))
    (root / "endless.txt").write_text("first line\n" + line + "\n")
    with with_encoder(root, tmp_path / "cache", LookingEncoder()) as workspace:
        chunks = [chunk for _, chunk in workspace.store.chunks.in_file("endless.txt")]
        assert len(chunks) > 2
        from retrieval.engine.explain import first_column

        for chunk in chunks:
            column = first_column(chunk, chunks)
            row = ["first line", line][chunk.start_line - 1]
            first = chunk.text.split("\n")[0]
            assert row[column : column + len(first)] == first


def test_a_notebooks_cell_stays_within_its_lines(root: Path, tmp_path: Path) -> None:
    cell = '{"cells": [{"cell_type": "code", "source": "a = 1\\nb = 2\\nc = 3"}], "metadata": {}}'
    (root / "book.ipynb").write_text(cell)
    with with_encoder(root, tmp_path / "cache", LookingEncoder()) as workspace:
        found = workspace.explain("book.ipynb", 1, "b")
    assert {line.line for line in found.lines} == {1}
    assert len(found.lines) == 3


def test_what_cannot_be_explained_is_said(workspace: Workspace) -> None:
    with pytest.raises(QueryError, match=r"gone\.py is not indexed"):
        workspace.explain("gone.py", 1)


def test_a_failing_encoder_is_an_error_of_one_sentence(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(texts: Sequence[str]) -> list[list[tuple[int, int, float]]]:
        raise EncoderError("The model failed.")

    monkeypatch.setattr(workspace.encoder, "attention", fail)
    with pytest.raises(EncoderError, match="The model failed"):
        workspace.explain("mail.py", 6)


def test_the_embedded_model_is_explained_as_it_computes(root: Path, tmp_path: Path, embedded: OnnxEncoder) -> None:
    with with_encoder(root, tmp_path / "cache", embedded) as workspace:
        found = workspace.explain("mail.py", 6, "deliver a letter")
        question = embedded.encode_queries(["deliver a letter"])[0]
        assert found.similarity == pytest.approx(
            float(embedded.encode_passages([passage(found.chunk)])[0] @ question), abs=1e-5
        )
    assert {"send", "🎉", "deliver"} <= set(seen(found, MAIL))
    assert sum(look.weight for look in (*found.tokens, *found.header)) == pytest.approx(1, abs=1e-4)
    assert 0 < found.entropy < found.uniform
    assert max(found.lines, key=lambda line: line.effect or 0.0).line in (7, 8)


def test_a_line_without_words_behind_the_last_one_is_read_too(
    root: Path, tmp_path: Path, embedded: OnnxEncoder
) -> None:
    (root / "brace.go").write_text("package a\n\nfunc send() {\n\tpost()\n}\n")
    with with_encoder(root, tmp_path / "cache", embedded) as workspace:
        found = workspace.explain("brace.go", 5, "post")
    assert [line.line for line in found.lines] == [1, 3, 4, 5]
    assert found.lines[-1].effect == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("text", ["x", "()\n", "{}\n" * 40, "\ud83c", "日本語 = 1\n" * 200, "a" * 900])
def test_odd_files_are_explained_too(text: str, root: Path, tmp_path: Path, embedded: OnnxEncoder) -> None:
    with Workspace.open(root, encoder=embedded, cache_dir=tmp_path / "cache") as workspace:
        workspace.set_buffer("odd.py", text)
        found = workspace.explain("odd.py", 1, "what is this")
    assert found.similarity is not None
    assert all(line.line >= 1 for line in found.lines)


pieces = st.sampled_from(
    ["def a(b):", "    return 1", "x = '🎉é' + y", "\t}", "", "   ", "# 日本 語", "word", "\x0c", "\u2028 z", "()"]
)
ends = st.sampled_from(["\n", "\r\n", "\r"])


@settings(max_examples=200)
@given(st.lists(st.tuples(pieces, ends), min_size=1, max_size=30), st.integers(1, 40), st.sampled_from(["", "word a"]))
def test_any_text_is_explained_at_the_places_where_an_editor_shows_it(
    rows: list[tuple[str, str]], line: int, query: str
) -> None:
    text = "".join(row + end for row, end in rows)
    files = Files(text)
    if not files.chunk_count():
        return
    found = explain(Snapshot(files), LookingEncoder(), "any.py", line, query)  # type: ignore[arg-type]
    lines = re.split(r"\r\n|\r|\n", text)
    for look in found.tokens:
        if look.line == look.end_line:
            shown = lines[look.line - 1][look.character : look.end_character]
            assert shown == found.chunk.text[look.start : look.end]
    assert {one.line for one in found.lines} == {
        n for n in range(found.chunk.start_line, found.chunk.end_line + 1) if lines[n - 1].strip()
    }
    header = sum(look.weight for look in found.header)
    assert header + sum(one.attention for one in found.lines) == pytest.approx(1)
    assert all((one.effect is not None) == bool(query) for one in found.lines)
