"""Locations that clients name: the folder and path of a document, and its text, whether it is open or not."""

from __future__ import annotations

from pygls.uris import to_fs_path

from c2llm_lsp.server import protocol
from c2llm_lsp.server.folders import Folder
from c2llm_lsp.server.services import Services
from c2llm_lsp.server.text.document import Document
from retrieval.errors import QueryError
from retrieval.files import SourceFile, read_file

OUTSIDE = "{} is in none of the open folders."
UNREADABLE = "{} is not open, and cannot be read: {}."


def location_of(server: Services, uri: str) -> tuple[Folder, str]:
    """The innermost folder that a document belongs to, and its path there. Raises QueryError."""
    location = server.state.location(uri)
    if location is None:
        raise QueryError(OUTSIDE.format(uri))
    return location


async def document_at(server: Services, uri: str) -> Document:
    """The open document, or one with the text of the file. Raises QueryError."""
    if (document := server.state.documents.get(uri)) is not None:
        return document
    folder, path = location_of(server, uri)
    file = await server.queries.run(lambda: read_file(folder.path, path))
    if not isinstance(file, SourceFile):
        raise QueryError(UNREADABLE.format(to_fs_path(uri) or uri, file.reason))
    return Document(uri, "", 0, file.text, server.state.encoding)


async def selected_text(server: Services, params: protocol.SimilarParams | protocol.ContextParams) -> str:
    """The text of the range of the parameters; empty where there is none, or nothing is in it. Raises QueryError."""
    if params.range is None or params.text_document is None or params.range.start == params.range.end:
        return ""
    document = await document_at(server, params.text_document.uri)
    return document.between(protocol.to_lsp_range(params.range)).strip()


def engine_lines(span: protocol.Range) -> tuple[int, int]:
    """The engine's first and last line of a range; one that ends where a line begins has nothing of that line."""
    start, end = sorted((span.start, span.end), key=lambda at: (at.line, at.character))
    last = end.line if end.character or end.line == start.line else end.line - 1
    return start.line + 1, last + 1
