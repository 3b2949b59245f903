"""The exception hierarchy. Each message says what was found, what was expected and what to do next."""

from __future__ import annotations


class C2llmError(Exception):
    """Base class of all errors shown to users as one sentence."""


class WorkspaceError(C2llmError):
    """The root is unusable: missing, not a directory, no permission."""


class QueryError(C2llmError):
    """An invalid query, filter or location."""


class CancelledError(C2llmError):
    """The caller cancelled the request."""


class SettingsError(C2llmError):
    """An unknown setting or an invalid value."""


class ModelError(C2llmError):
    """A model file is missing, corrupt or of an unexpected kind."""


class EncoderError(C2llmError):
    """The encoder failed or returned vectors of the wrong shape."""


class StoreError(C2llmError):
    """The index or the vector store cannot be read or written."""


class DamagedStoreError(StoreError):
    """A database file is corrupt; the workspace sets it aside and rebuilds it."""


class StoreIOError(StoreError):
    """The files of the index could not be read or written just now; nothing is known to be wrong with them."""


class NewerSchemaError(StoreError):
    """The index was written by a newer version of this program."""


class StorageFullError(StoreError):
    """The disk is full, or the cache folder cannot be written or locked."""


class IndexLockedError(StoreError):
    """Another process holds the writer lock."""


class MissingExtraError(C2llmError):
    """An optional dependency is not installed; the message contains the pip command."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'c2llm-lsp[{extra}]'")


class EncoderUnreachableError(ModelError, EncoderError):
    """A remote encoder is unavailable: search falls back to keywords and retries later."""


class TeamVectorsError(C2llmError):
    """A team's database is unreachable, refuses, or answers with something wrong: what is missing is embedded here."""


class LanguageModelError(C2llmError):
    """A language model is not set, unreachable, refuses, or gives no complete answer."""


class HubUnreachableError(ModelError):
    """The model hub is unreachable; files downloaded earlier are kept."""

    def __init__(self, name: str, file: str, endpoint: str, reason: str) -> None:
        self.cause = f"The hub at {endpoint} cannot be reached for {file} of {name} ({reason})."
        super().__init__(
            f"{self.cause} Files downloaded so far are kept: run the same command again to resume. Or copy "
            "the model's config.json, tokenizer.json and *.safetensors into a folder yourself and run: c2llm model use FOLDER."
        )
