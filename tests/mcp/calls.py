"""What the tools are asked for, rightly and wrongly, over each transport."""

from __future__ import annotations

from typing import Any

QUESTION = "ignore rule excludes the path"
IN_IGNORE = {"path": "app/ignore.py", "start_line": 4, "end_line": 6}
# What one conversation asks, by name: a process that starts is the dear part of a test.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "search": ("search", {"query": QUESTION, "limit": 3}),
    "filtered": ("search", {"query": "queue retry rules", "languages": ["Go"], "paths": ["!web/"]}),
    "by pattern": ("search", {"query": "queue", "grep": "^func", "content": ["code"]}),
    "short": ("search", {"query": QUESTION, "snippet_lines": 1}),
    "similar": ("find_similar", {"path": "app/ignore.py", "line": 5}),
    "similar to a text": ("find_similar", {"code": "async function fetch(url) { retry(attempt) }"}),
    "context": ("context", {"query": QUESTION}),
    "context of lines": ("context", IN_IGNORE),
    "context of both": ("context", {"query": "queue of jobs", **IN_IGNORE}),
    "small context": ("context", {"query": QUESTION, "budget": 100}),
    "references": ("structure", {"show": "references", "of": "apply_ignore_rules"}),
    "callers": ("structure", {"show": "callers", "of": "app/ignore.py:5"}),
    "outline": ("structure", {"show": "outline"}),
    "outline of a file": ("structure", {"show": "outline", "of": "app/ignore.py", "budget": 100}),
    "status": ("index_status", {}),
}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("structure", {"show": "outline", "of": "/a\0/b"}, "A path has no zero characters."),
    ("search", {"query": "  "}, "The query is empty"),
    ("find_similar", {}, "either path and line, or code"),
    ("find_similar", {"path": "app/ignore.py", "code": "x = 1"}, "either path and line, or code"),
    ("find_similar", {"path": "app/ignore.py"}, "Give the line in app/ignore.py"),
    ("find_similar", {"path": "/etc/passwd", "line": 1}, "is not in the workspace"),
    ("find_similar", {"path": "../outside.py", "line": 1}, "outside.py"),
    ("context", {}, "The query is empty"),
    ("context", {"path": "app/ignore.py"}, "Give the lines of app/ignore.py"),
    ("search", {"query": "x", "limit": 0}, "Wrong arguments of search: limit: input should be greater than"),
    ("search", {"query": "x", "kinds": ["poem"]}, "kinds"),
    ("context", {"query": "x", "budget": 0}, "budget: input should be greater than or equal to 100."),
    ("context", {"query": "x", "budget": -5}, "budget"),
    ("find_similar", {"path": "gone.py", "line": 1}, "gone.py is not indexed"),
    ("context", {"path": "gone.py", "start_line": 1}, "gone.py is not indexed"),
    ("search", {"query": "x", "grep": "a(b"}, "is not valid at character 2"),
    ("search", {}, "query"),
    ("structure", {"show": "callers"}, "'' is not a symbol"),
    ("structure", {"show": "callers", "of": "app/none.py:3"}, "app/none.py is not indexed"),
    ("structure", {"show": "outline", "of": "/etc"}, "is not in the workspace"),
    ("structure", {"show": "outline", "of": "none"}, "Nothing is indexed at none"),
    ("structure", {"show": "poems"}, "show"),
]
