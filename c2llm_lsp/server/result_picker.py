"""Results for editors without a plugin of ours: a list to pick from, a file that opens, else a message.

The user may take a day to pick, or never answer: only a background task waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pygls.uris import from_fs_path, to_fs_path

from c2llm_lsp.render.escape import escape_line
from c2llm_lsp.server import protocol
from c2llm_lsp.server.client import ClientError
from c2llm_lsp.server.context_files import save_context
from c2llm_lsp.server.services import Services
from retrieval.errors import StoreError

MAX_CHOICES = 5  # editors show them as buttons
NOTHING_FOUND = "Nothing was found."

logger = logging.getLogger(__name__)


async def offer_results(server: Services, heading: str, answer: protocol.Answer) -> None:
    """Let the user pick one of the best results and show it."""
    choices = dict(zip(_titles(server, answer.hits[:MAX_CHOICES]), answer.hits, strict=False))
    if not choices:
        server.client.show_message(next(iter(answer.notes), NOTHING_FOUND))
        return
    if server.state.client.show_document:
        try:
            picked = await server.client.choose(heading, list(choices))
        except ClientError as error:
            logger.info("The client offers no choice: %s", error)
            if await _open_list(server, heading, answer.hits):
                return
        else:
            if (hit := choices.get(picked)) is not None:
                start = hit.selection_range.start
                await open_document(server, hit.uri, protocol.Range(start=start, end=start))
            return
    server.client.show_message("\n".join([heading, *map(escape_line, choices)]))


async def open_document(server: Services, uri: str, selection: protocol.Range | None = None) -> bool:
    """Whether the client has shown it."""
    span = None if selection is None else protocol.to_lsp_range(selection)
    try:
        return await server.client.show_document(uri, span)
    except ClientError as error:
        logger.info("The client does not show %s: %s", uri, error)
        return False


async def _open_list(server: Services, heading: str, hits: Sequence[protocol.Hit]) -> bool:
    """Open a file with a result on each line, from which editors jump there: whether the client has shown it."""
    rows = [(to_fs_path(hit.uri) or hit.path, hit.selection_range.start, hit.label) for hit in hits]
    lines = [f"{path}:{at.line + 1}:{at.character + 1} {name}".rstrip() for path, at, name in rows]
    text = "\n".join([heading, "", *lines, ""])
    try:
        file = await server.queries.run(lambda: save_context(text, server.state.settings.merged.cache))
    except StoreError as error:
        logger.warning("%s", error)
        return False
    return await open_document(server, from_fs_path(str(file)) or "")


def _titles(server: Services, hits: Sequence[protocol.Hit]) -> list[str]:
    """`path:line name`, each once: clients answer with the title alone."""
    folders = server.state.folders
    prefixes = {folder.uri: f"{folder.name}/" for folder in folders} if len(folders) > 1 else {}
    titles: list[str] = []
    for hit in hits:
        location = f"{prefixes.get(hit.folder, '')}{hit.path}:{hit.selection_range.start.line + 1}"
        title = f"{location} {hit.label}".strip()
        titles.append(title if title not in titles else f"{title} ({len(titles) + 1})")
    return titles
