"""How long tests wait for what another thread or process does. A test that passes does not wait for it."""

from __future__ import annotations

import sys

# Seconds. A process may be stopped for half a minute at any point on a busy machine, several of them one after the other.
PATIENCE = 300.0

# What the product waits for at most, which a busy machine exceeds: module, constant.
_LIMITS = (
    ("c2llm_lsp.server.folders.folder", "OPEN_SECONDS"),
    ("c2llm_lsp.server.folder_manager", "OPEN_SECONDS"),
    ("c2llm_lsp.server.transport.admission", "TOKEN_SECONDS"),
    ("c2llm_lsp.embeddings_server.run_server", "STOP_SECONDS"),
    ("c2llm_lsp.http_connections", "HEAD_SECONDS"),
    ("retrieval.encoders.remote.encoder", "FIRST_CONTACT_SECONDS"),
    ("retrieval.encoders.remote.encoder", "QUERY_TIMEOUT_SECONDS"),
    ("retrieval.encoders.remote.encoder", "BATCH_TIMEOUT_SECONDS"),
    ("retrieval.store.database", "BUSY_SECONDS"),
)
# After what time it tries again what another process or the disk did not let it do: module, constant.
_PAUSES = (("c2llm_lsp.server.folders.folder", "REOPEN_SECONDS"),)
_SHORT = 0.1  # seconds


def apply_to_product() -> None:
    """Have the product wait as long as tests do, and try again soon, as far as it is imported. A test of such a time sets its
    own.
    """
    for times, seconds in ((_LIMITS, PATIENCE), (_PAUSES, _SHORT)):
        for module, name in times:
            if module in sys.modules:
                setattr(sys.modules[module], name, seconds)
