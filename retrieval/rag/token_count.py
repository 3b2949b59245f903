"""How many tokens a text has for a language model: by its tokenizer where that is on this machine, else by an estimate.

Nothing is downloaded for it. A `tokenizer.json` is read by tokenizers; the vocabularies of tiktoken are found in
TIKTOKEN_CACHE_DIR, in tiktoken's own cache, or in llama-index, which brings two along.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from retrieval.errors import QueryError
from retrieval.rag.token_estimate import estimate_tokens

ESTIMATE = "estimate"
_VOCABULARIES = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"  # whose hash names the cached file
_FOLDER = "TIKTOKEN_CACHE_DIR"


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A counter, and whose tokens it counts: "estimate" where it is one."""

    count: Callable[[str], int] = estimate_tokens
    name: str = ESTIMATE


def token_count(tokenizer: str) -> TokenCount:
    """By the name of a model or vocabulary that tiktoken knows, or by the path of a tokenizer.json. Raises QueryError."""
    if tokenizer == ESTIMATE:
        return TokenCount()
    path = Path(tokenizer).expanduser()
    if path.is_dir():
        path /= "tokenizer.json"
    if path.suffix == ".json":
        return TokenCount(_from_file(path), str(path))
    return _from_tiktoken(tokenizer)


def _from_file(path: Path) -> Callable[[str], int]:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise QueryError(f"There is no tokenizer {path}.") from None
    except Exception as error:  # tokenizers raises Exception itself
        raise QueryError(f"{path} cannot be read as a tokenizer: {error}.") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _from_tiktoken(name: str) -> TokenCount:
    if find_spec("tiktoken") is None:
        raise QueryError(
            f"Counting the tokens of {name} needs tiktoken: pip install tiktoken. Without it they are estimated."
        )
    import tiktoken

    try:
        vocabulary = name if name in tiktoken.list_encoding_names() else tiktoken.encoding_name_for_model(name)
    except KeyError:
        raise QueryError(
            f"There is no tokenizer for '{name}': give a model that tiktoken knows (gpt-4o), a vocabulary (cl100k_base), "
            f"the path of a tokenizer.json, or {ESTIMATE}."
        ) from None
    folder = _folder_with(vocabulary)
    if folder is None:
        raise QueryError(
            f"The vocabulary {vocabulary} of {name} is not on this machine, and nothing is downloaded without you: run "
            f"python -c \"import tiktoken; tiktoken.get_encoding('{vocabulary}')\", or use --tokenizer {ESTIMATE}."
        )
    before = os.environ.get(_FOLDER)
    os.environ[_FOLDER] = str(folder)
    try:
        encoding = tiktoken.get_encoding(vocabulary)
    finally:
        if before is None:
            del os.environ[_FOLDER]
        else:
            os.environ[_FOLDER] = before
    return TokenCount(lambda text: len(encoding.encode(text, disallowed_special=())), vocabulary)


def _folder_with(vocabulary: str) -> Path | None:
    """The folder that has the vocabulary's file."""
    folders = [os.environ.get(_FOLDER), os.environ.get("DATA_GYM_CACHE_DIR")]
    folders.append(str(Path(tempfile.gettempdir()) / "data-gym-cache"))
    llama_index = find_spec("llama_index")
    for place in (llama_index.submodule_search_locations or ()) if llama_index else ():
        folders.append(str(Path(place) / "core" / "_static" / "tiktoken_cache"))
    name = hashlib.sha1(_VOCABULARIES.format(vocabulary).encode(), usedforsecurity=False).hexdigest()
    return next((Path(folder) for folder in folders if folder and (Path(folder) / name).is_file()), None)
