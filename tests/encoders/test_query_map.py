"""The map of queries beside a model: what it does to vectors, and what a damaged one does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders.model_folder import load_folder
from retrieval.encoders.onnx import embedded_folder
from retrieval.encoders.query_map import MAX_BYTES, QUERY_MAP_NAME, QueryMap, load_query_map
from retrieval.errors import ModelError

DIMENSION = 256
TEXTS = ["where are redirects followed", "def follow(response): ..."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(embedded_folder(), tmp_path / "model"))


def turned() -> QueryMap:
    random = np.random.default_rng(3)
    return QueryMap(
        random.normal(size=(DIMENSION, DIMENSION)).astype(np.float32), random.normal(size=DIMENSION).astype(np.float32)
    )


def test_queries_are_mapped_and_passages_keep_vectors_and_fingerprint(folder: Path) -> None:
    plain = load_folder(folder, threads=1)
    turned().save(folder)
    mapped = load_folder(folder, threads=1)
    before, after = plain.encode_queries(TEXTS), mapped.encode_queries(TEXTS)
    expected = before @ turned().matrix + turned().offset
    assert np.allclose(after, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    assert np.array_equal(plain.encode_passages(TEXTS), mapped.encode_passages(TEXTS))
    assert plain.fingerprint == mapped.fingerprint
    assert mapped.encode_queries([]).shape == (0, DIMENSION)


def test_a_query_that_is_mapped_to_nothing_stays_as_it_is() -> None:
    vectors = np.eye(2, dtype=np.float32)
    projection = QueryMap(np.diag([1, 0]).astype(np.float32), np.zeros(2, np.float32))
    assert np.array_equal(projection.apply(vectors), vectors)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive", "not a readable map"),
        (b"", "not a readable map"),
        (QueryMap(np.eye(3, dtype=np.float32), np.zeros(3, np.float32)), "does not fit"),
        (QueryMap(np.full((DIMENSION, DIMENSION), np.nan, np.float32), np.zeros(DIMENSION, np.float32)), "not finite"),
    ],
)
def test_a_map_that_is_none_is_told_in_words(tmp_path: Path, content: bytes | QueryMap, reason: str) -> None:
    if isinstance(content, QueryMap):
        content.save(tmp_path)
    else:
        (tmp_path / QUERY_MAP_NAME).write_bytes(content)
    with pytest.raises(ModelError, match=f"{reason}.*run c2llm adapt again"):
        load_query_map(tmp_path, DIMENSION)


def test_a_map_that_unpacks_to_gigabytes_is_not_read(tmp_path: Path) -> None:
    zeros = np.zeros(MAX_BYTES // 4 + 1, np.float32)
    np.savez_compressed(tmp_path / QUERY_MAP_NAME, matrix=zeros, offset=zeros[:DIMENSION])
    with pytest.raises(ModelError, match="more than 268,435,456 bytes"):
        load_query_map(tmp_path, DIMENSION)


def test_a_model_without_has_none(tmp_path: Path) -> None:
    assert load_query_map(tmp_path, DIMENSION) is None
