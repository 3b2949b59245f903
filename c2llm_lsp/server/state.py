"""What the server knows of one client: its open documents and folders, the settings, what the client can do.

Plain data with a few look-ups; belongs to the thread that reads messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.text.document import Document
from c2llm_lsp.server.text.positions import Encoding
from c2llm_lsp.settings import Settings, Value
from retrieval.chunking import extension_of

UNTITLED = "untitled"  # scheme of buffers that have no file yet


@dataclass(frozen=True, slots=True)
class ClientFeatures:
    """What the client said of itself in `initialize`."""

    name: str = ""
    encoding: Encoding = field(default_factory=Encoding)  # of positions
    progress: bool = False
    file_events: bool = False  # for whole trees, so that folders need no watcher of their own
    show_document: bool = False
    code_action_literals: bool = False
    disabled_code_actions: bool = False
    related_information: bool = False
    configuration: bool = False  # can be asked for settings
    configuration_events: bool = False  # tells of changed settings if asked to


@dataclass(slots=True)
class EditorSettings:
    """The settings of the editor, from lowest precedence to what they come to with files and environment."""

    options: dict[str, Value] = field(default_factory=dict)  # of `initialize`: hold where nothing else is said
    chosen: dict[str, Value] = field(default_factory=dict)  # options and what the editor said later
    merged: Settings = field(default_factory=Settings)


@dataclass(slots=True)
class State:
    """One client's documents, folders and settings."""

    documents: dict[str, Document] = field(default_factory=dict)  # open ones, by URI
    folders: list[Folder] = field(default_factory=list)
    settings: EditorSettings = field(default_factory=EditorSettings)
    client: ClientFeatures = field(default_factory=ClientFeatures)

    @property
    def encoding(self) -> Encoding:
        return self.client.encoding

    def locations(self, document: Document) -> list[tuple[Folder, str]]:
        """The folders that a document belongs to, and its path in each; one without a file belongs to the first."""
        if document.scheme == UNTITLED:
            return [(folder, untitled_path(document)) for folder in self.folders[:1]]
        return self._locations_of_file(document.uri) if document.scheme == "file" else []

    def _locations_of_file(self, uri: str) -> list[tuple[Folder, str]]:
        found = ((folder, folder.files.relative(uri)) for folder in self.folders)
        return [(folder, path) for folder, path in found if path is not None]

    def location(self, uri: str) -> tuple[Folder, str] | None:
        """The innermost folder that a URI belongs to, and its path in it."""
        document = self.documents.get(uri)
        locations = self.locations(document) if document is not None else self._locations_of_file(uri)
        return min(locations, key=lambda location: len(location[1]), default=None)

    def documents_in(self, folder: Folder) -> list[Document]:
        return [one for one in self.documents.values() if any(f is folder for f, _ in self.locations(one))]

    def folder_at(self, uri: str) -> Folder | None:
        return next((folder for folder in self.folders if folder.uri == uri.rstrip("/")), None)


def untitled_path(document: Document) -> str:
    """The path of a buffer without a file in the index; no file can have it by accident."""
    name = unquote(urlsplit(document.uri).path).strip("/") or "buffer"
    return f"untitled:{name}" if "." in name.rpartition("/")[2] else f"untitled:{name}{extension_of(document.language)}"
