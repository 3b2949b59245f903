"""`c2llm references`: see relations.py."""

from __future__ import annotations

from c2llm_lsp.cli.relations import relation_command

HELP = """\
Show every place of SYMBOL: its definitions, calls, imports, and other mentions in the text.

"certain" is resolved by scope or an import, "likely" the only definition of that name, "by name" no more than the same name.
"""

app = relation_command("references", HELP)
