"""The types of the server's own messages: what a client may send and what it gets."""

from c2llm_lsp.server.protocol.base import (
    Freshness,
    Kind,
    Position,
    ProtocolType,
    QueryParams,
    Range,
    State,
    TextDocument,
    to_lsp_range,
    to_protocol_range,
)
from c2llm_lsp.server.protocol.context import Citation, ContextAnswer, ContextParams, SavedContext
from c2llm_lsp.server.protocol.explain import (
    ExplainAnswer,
    ExplainParams,
    HeaderAttention,
    LineAttention,
    TokenAttention,
    WordMatch,
)
from c2llm_lsp.server.protocol.search import Answer, Copy, Hit, SearchParams, Signal, SimilarParams
from c2llm_lsp.server.protocol.status import (
    FolderState,
    FolderStatus,
    ReindexParams,
    StatusAnswer,
    StatusChanged,
    StatusParams,
    Work,
)

SEARCH, SIMILAR, CONTEXT = "c2llm/search", "c2llm/similar", "c2llm/context"
EXPLAIN, STATUS, STATUS_CHANGED = "c2llm/explain", "c2llm/status", "c2llm/statusChanged"

__all__ = [
    "CONTEXT",
    "EXPLAIN",
    "SEARCH",
    "SIMILAR",
    "STATUS",
    "STATUS_CHANGED",
    "Answer",
    "Citation",
    "ContextAnswer",
    "ContextParams",
    "Copy",
    "ExplainAnswer",
    "ExplainParams",
    "FolderState",
    "FolderStatus",
    "Freshness",
    "HeaderAttention",
    "Hit",
    "Kind",
    "LineAttention",
    "Position",
    "ProtocolType",
    "QueryParams",
    "Range",
    "ReindexParams",
    "SavedContext",
    "SearchParams",
    "Signal",
    "SimilarParams",
    "State",
    "StatusAnswer",
    "StatusChanged",
    "StatusParams",
    "TextDocument",
    "TokenAttention",
    "WordMatch",
    "Work",
    "to_lsp_range",
    "to_protocol_range",
]
