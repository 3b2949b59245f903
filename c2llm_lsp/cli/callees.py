"""`c2llm callees`: see relations.py."""

from __future__ import annotations

from c2llm_lsp.cli.relations import relation_command

HELP = """\
Show what SYMBOL calls, and where that is defined in this workspace.

Names that are called and not defined here, as those of libraries, are listed at the end.
"""

app = relation_command("callees", HELP)
