"""What assistants are told about this program: when to use it, and how."""

from __future__ import annotations

TEXT = """\
## Finding code: c2llm

This project has a semantic code index. To find where something is done or how it works, and whenever a name is not
known exactly, ask it before you list folders, grep or read whole files:

- tools of the MCP server `c2llm`: `search` for places, `context` for the code that a whole question needs within a
  budget of tokens, `find_similar` before you write a helper that may exist, `structure` for callers, callees, references
  and outlines.
- without the tools, in a shell: `c2llm search "how are failed requests retried"`, `c2llm context "..." --budget 3000`.

Ask in words what the code does; several short queries find more than a long one. For a name or text that you know
exactly, grep is as good. Answers name `path:first-last`: read these lines, not the whole file."""

SKILL = f"""\
---
name: c2llm
description: >-
  Semantic code search of this project. Use it to find where or how something is done when the exact name is not known,
  before listing folders, grepping or reading whole files.
---

{TEXT}
"""

AIDER = """\
# Finding code: c2llm

This project has a semantic code index, which a command asks. When you need code that is not in the chat, ask the user to
run one of these and to add its output to the chat:

- `/run c2llm search "how are failed requests retried"` lists places, best first.
- `/run c2llm context "how are failed requests retried" --budget 3000` prints the code that the question needs.
"""

TEXTS = {"text": TEXT, "skill": SKILL, "aider": AIDER}
