"""`c2llm callers`: see relations.py."""

from __future__ import annotations

from c2llm_lsp.cli.relations import relation_command

HELP = """\
Show what calls SYMBOL: path:line, how certain that is, and the function around the call.

"certain" is resolved by scope or an import, "likely" the only definition of that name, "by name" no more than the same name.
"""

app = relation_command("callers", HELP)
