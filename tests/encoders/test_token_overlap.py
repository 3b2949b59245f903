from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.encoders import OverlapEncoder, load


def similarity(one: str, other: str) -> float:
    vectors = OverlapEncoder().encode_passages([one, other])
    return float(vectors[0] @ vectors[1])


def test_more_words_in_common_are_more_alike() -> None:
    assert similarity("open the file", "def open_file(path)") > similarity("open the file", "def close_socket(port)")


def test_identifiers_count_by_their_parts() -> None:
    assert similarity("openFile", "open_file") > 0.99


def test_queries_and_passages_share_one_space() -> None:
    encoder = OverlapEncoder()
    np.testing.assert_array_equal(encoder.encode_queries(["read header"]), encoder.encode_passages(["read header"]))


@given(st.lists(st.text(), max_size=5))
def test_every_text_has_a_unit_vector_that_is_always_the_same(texts: list[str]) -> None:
    vectors = OverlapEncoder(64).encode_passages(texts)
    assert vectors.shape == (len(texts), 64) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(vectors, OverlapEncoder(64).encode_passages(texts))


def test_it_is_loaded_by_its_name() -> None:
    assert load("overlap").name == "overlap"
