"""How long tests wait for what another thread or process does. A test that passes does not wait for it."""

from __future__ import annotations

import sys

# Seconds. A process may be stopped for half a minute at any point on a busy machine, several of them one after the other.
PATIENCE = 300.0

# What the product waits for at most, which a busy machine exceeds: module, constant.
_PRODUCT = (
    ("c2llm_lsp.server.folders.folder", "OPEN_SECONDS"),
    ("c2llm_lsp.server.folder_manager", "OPEN_SECONDS"),
    ("c2llm_lsp.server.transport.admission", "TOKEN_SECONDS"),
    ("retrieval.encoders.remote.encoder", "FIRST_CONTACT_SECONDS"),
    ("retrieval.encoders.remote.encoder", "QUERY_TIMEOUT_SECONDS"),
    ("retrieval.encoders.remote.encoder", "BATCH_TIMEOUT_SECONDS"),
    ("retrieval.store.database", "_BUSY_SECONDS"),
)


def lengthen() -> None:
    """Have the product wait as long as tests do, as far as it is imported. A test of such a time-out sets its own."""
    for module, name in _PRODUCT:
        if module in sys.modules:
            setattr(sys.modules[module], name, PATIENCE)
