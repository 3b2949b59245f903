"""The embedded model's tokenizer: WordPiece over the words inside identifiers.

`getHTTPResponse_code` reads as `get http response code`: identifiers are split where the case changes, lower-cased, and punctuation
is dropped, so that prose and code meet in the same tokens (code averages 80 of them). All of it is in tokenizer.json itself,
and offsets still point into the original text. WordPiece rather than BPE: its file needs no merges, half the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.training.mining import read_pairs

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNKNOWN = "[PAD]", "[UNK]"
_CASE_BOUNDARY = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
_WORDS = r"[a-z]+|[0-9]+|[^\x00-\x7f\s]+"
_MAX_ALPHABET = 300
_MIN_COUNT = 8


def blank_tokenizer() -> Tokenizer:
    """The rules without a vocabulary."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import Lowercase, Replace, Sequence
    from tokenizers.pre_tokenizers import Split

    tokenizer = Tokenizer(WordPiece({PAD: 0, UNKNOWN: 1}, unk_token=UNKNOWN, max_input_chars_per_word=60))
    tokenizer.normalizer = Sequence([Replace(Regex(_CASE_BOUNDARY), " "), Lowercase()])
    tokenizer.pre_tokenizer = Split(Regex(_WORDS), behavior="removed", invert=True)
    return tokenizer


def train_tokenizer(data: Path, target: Path, *, vocabulary: int) -> None:
    """Learns the vocabulary from DATA/train.jsonl (docs, names, paths and bodies) and writes `target`."""
    from tokenizers.trainers import WordPieceTrainer

    tokenizer = blank_tokenizer()
    trainer = WordPieceTrainer(
        vocab_size=vocabulary,
        min_frequency=_MIN_COUNT,
        limit_alphabet=_MAX_ALPHABET,
        special_tokens=[PAD, UNKNOWN],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(data), trainer)
    target.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(target), pretty=False)


def _texts(data: Path) -> Iterator[str]:
    for pair in read_pairs(data / "train.jsonl"):
        yield pair.doc
        yield f"{pair.path} {pair.qualified} {pair.body}"
