"""Places that clients name: which folder and path a document is, and its text, whether it is open or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygls.uris import to_fs_path

from c2llm_lsp.server import protocol_types
from c2llm_lsp.server.document import Document
from retrieval.errors import QueryError
from retrieval.files import SourceFile, read_file

if TYPE_CHECKING:
    from c2llm_lsp.server.app import Server
    from c2llm_lsp.server.folder import Folder

NOWHERE = "{} is in none of the open folders."
UNREAD = "{} is not open, and cannot be read: {}."


def home(server: Server, uri: str) -> tuple[Folder, str]:
    """The innermost folder that a document belongs to, and its path there. Raises QueryError."""
    found = server.place_of(uri)
    if found is None:
        raise QueryError(NOWHERE.format(uri))
    return found


async def document(server: Server, uri: str) -> Document:
    """The document as it is shown, or as its file is on disk. Raises QueryError."""
    if (known := server.documents.get(uri)) is not None:
        return known
    folder, path = home(server, uri)
    found = await server.loop.run_in_executor(server.asking, read_file, folder.path, path)
    if not isinstance(found, SourceFile):
        raise QueryError(UNREAD.format(to_fs_path(uri) or uri, found.reason))
    return Document(uri, "", 0, found.text, server.encoding)


async def selected(server: Server, asked: protocol_types.SimilarParams | protocol_types.ContextParams) -> str:
    """The text of the range that is asked about; empty where there is none, or nothing is in it. Raises QueryError."""
    if asked.range is None or asked.text_document is None or asked.range.start == asked.range.end:
        return ""
    found = await document(server, asked.text_document.uri)
    return found.between(protocol_types.lsp_range(asked.range)).strip()


def lines(span: protocol_types.Range) -> tuple[int, int]:
    """The engine's first and last line of a range; one that ends where a line begins has nothing of that line."""
    start, end = sorted((span.start, span.end), key=lambda at: (at.line, at.character))
    last = end.line if end.character or end.line == start.line else end.line - 1
    return start.line + 1, last + 1
