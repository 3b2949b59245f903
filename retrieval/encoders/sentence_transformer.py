"""Any of our encoders as a sentence-transformers model, for programs that are written for those.

    from retrieval.encoders.sentence_transformer import as_sentence_transformer
    model = as_sentence_transformer("embedded")
    scores = model.similarity(model.encode_query("where are rules applied"), model.encode_document(codes))

`encode_query` and `encode_document` read a text with the encoder's instruction for it; plain `encode` reads documents.
`EncoderModule` is the module in it, to be put before others; saved, it keeps the encoder's name and not its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrieval.encoders import Encoder, load
from retrieval.errors import MissingExtraError

try:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import InputModule
except ImportError as error:
    raise MissingExtraError("A sentence-transformers model", "sentence") from error


class EncoderModule(InputModule):
    """Text in, the encoder's vector out. The encoder itself decides where it runs; its vectors move to the model's device."""

    config_keys = ["encoder"]  # noqa: RUF012 - as its base has it

    def __init__(self, encoder: str | Encoder = "embedded") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.encoder = encoder if isinstance(encoder, str) else encoder.name
        self._encoder = load(encoder) if isinstance(encoder, str) else encoder
        self._device = torch.nn.Buffer(torch.empty(0), persistent=False)  # moved with the model: tells where it is

    def preprocess(
        self, inputs: Sequence[Any], prompt: str | None = None, task: str | None = None, **_: Any
    ) -> dict[str, Any]:
        """The texts as they are: the encoder has a tokenizer of its own, or is on another machine."""
        return {"texts": [(prompt or "") + str(text) for text in inputs], "task": task}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        query = features["task"] == "query"
        encode = self._encoder.encode_queries if query else self._encoder.encode_passages
        features["sentence_embedding"] = torch.from_numpy(encode(features["texts"])).to(self._device.device)
        return features

    def get_embedding_dimension(self) -> int:
        return self._encoder.dimension

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        self.save_config(output_path)


def as_sentence_transformer(encoder: str | Encoder = "embedded") -> SentenceTransformer:
    """A model of this encoder, or of the one of this name. Raises what `load` raises."""
    return SentenceTransformer(modules=[EncoderModule(encoder)], device="cpu")
