"""The one exception tree: what was found, what was expected, what to do next, in the message itself."""

from __future__ import annotations


class C2llmError(Exception):
    """Base of all errors that are shown to people as one plain sentence."""


class WorkspaceError(C2llmError):
    """The root cannot be used: missing, not a directory, no permission."""


class QueryError(C2llmError):
    """A query, filter or location that cannot be answered as given."""


class Cancelled(C2llmError):
    """Whoever asked does not want the answer any more."""


class SettingsError(C2llmError):
    """A setting that is unknown, or whose value cannot be used."""


class ModelError(C2llmError):
    """A model file that is missing, broken or of another kind than expected."""


class EncoderError(C2llmError):
    """An encoder that failed or gave vectors of the wrong shape."""


class StoreError(C2llmError):
    """The index or the vector store cannot be read or written."""


class DamagedStoreError(StoreError):
    """A database file is not what was written; the workspace sets it aside and builds it anew by itself."""


class NewerSchemaError(StoreError):
    """The index was written by a newer version of this program."""


class StorageFullError(StoreError):
    """No room on the disk, or the cache folder cannot be written."""


class Locked(StoreError):
    """Another process holds the writer's lock."""


class MissingExtra(C2llmError):
    """An optional dependency is not installed; the message holds the pip command."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'c2llm-lsp[{extra}]'")


class Unreachable(ModelError, EncoderError):
    """The encoder runs elsewhere and cannot be had now: words are searched, and it is asked again later."""


class HubUnreachable(ModelError):
    """The hub of models does not answer; what was downloaded before is kept."""

    def __init__(self, name: str, file: str, endpoint: str, reason: str) -> None:
        self.happened = f"The hub at {endpoint} cannot be reached for {file} of {name} ({reason})."
        super().__init__(
            f"{self.happened} What is downloaded already is kept: the same command goes on where it stopped. Or copy "
            "config.json, tokenizer.json and *.safetensors of the model into a folder by another way: c2llm model use FOLDER."
        )
