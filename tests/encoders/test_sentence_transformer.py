"""An encoder in the clothes of a sentence-transformers model gives its own vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoders import OverlapEncoder, load
from tests.embeddings_server.serving import ours
from tests.extras import need

need("sentence_transformers")
pytestmark = pytest.mark.slow  # it takes seconds to import

CODES = ["def apply_rules(path): ...", "class Invoice: ...", "", "a\ud800b"]


def test_queries_and_documents_are_those_of_the_encoder() -> None:
    from retrieval.encoders.sentence_transformer import as_sentence_transformer

    own, model = load("embedded"), as_sentence_transformer("embedded")
    np.testing.assert_allclose(model.encode_document(CODES), own.encode_passages(CODES), atol=1e-3)
    np.testing.assert_allclose(model.encode(CODES), own.encode_passages(CODES), atol=1e-3)
    query = "where are rules applied"
    np.testing.assert_allclose(model.encode_query(query), own.encode_queries([query])[0], atol=1e-3)
    assert model.similarity(model.encode_query(query), model.encode_document(CODES)).argmax() == 0
    assert model.get_embedding_dimension() == own.dimension


def test_it_is_saved_by_name_and_loaded_again(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from retrieval.encoders.sentence_transformer import EncoderModule, as_sentence_transformer

    as_sentence_transformer("overlap").save(str(tmp_path))
    again = SentenceTransformer(str(tmp_path), device="cpu", trust_remote_code=True)  # the library asks for that
    assert isinstance(again[0], EncoderModule)
    np.testing.assert_allclose(again.encode(CODES), OverlapEncoder().encode_passages(CODES), atol=1e-6)


def test_an_encoder_elsewhere_serves_as_well() -> None:
    from retrieval.encoders.sentence_transformer import as_sentence_transformer

    with ours() as server:
        found = as_sentence_transformer(load(server.url)).encode(CODES[:2])
    np.testing.assert_allclose(found, OverlapEncoder().encode_passages(CODES[:2]), atol=1e-6)
