"""Which buffers the index shows in place of their files.

A buffer is set when its text differs from the indexed file, marked as saved when the file has the same text, and removed
when the index has that file, or when the editor closes it. All of it belongs to one thread, that of the document sync:
reports of the index are handled there too, so none comes in the middle of a change.
"""

from __future__ import annotations

from c2llm_lsp.server.folders import Folder


class Buffers:
    """The buffers that are set, by folder and path; of a saved one the digest that the index is to have first."""

    def __init__(self) -> None:
        self._shown: dict[Folder, dict[str, bytes | None]] = {}

    def set(self, folder: Folder, path: str, uri: str, text: str) -> None:
        """An open buffer has this text. Where the indexed file has it too there is nothing to set."""
        if folder.workspace is None or folder.closing:
            return
        folder.files.remember(path, uri)
        digest = folder.saved_digest(path, text)
        shown = self._shown.setdefault(folder, {})
        if digest is not None and path not in shown and folder.indexed_digest(path) == digest:
            return
        shown[path] = digest
        folder.set_buffer(path, text)
        if digest is not None:
            folder.file_changed(path)

    def close(self, folder: Folder, path: str) -> None:
        """The editor has closed a buffer: its file counts again."""
        folder.files.forget(path)
        shown = self._shown.get(folder, {})
        if path in shown:
            del shown[path]
            folder.close_buffer(path)
            folder.file_changed(path)

    def index_updated(self, folder: Folder) -> None:
        """Saved buffers whose file is indexed now are not needed any more."""
        shown = self._shown.get(folder, {})
        indexed = [path for path, digest in shown.items() if digest and folder.indexed_digest(path) == digest]
        for path in indexed:
            del shown[path]
            folder.close_buffer(path)

    def drop_folder(self, folder: Folder) -> None:
        """A folder was closed, with all that its index showed."""
        self._shown.pop(folder, None)
