"""Whether a query describes a change or a fault, or asks where something is; and whether it asks for documents.

"Fix the crash when the folder is empty" means lines, which may be several places of one file; "how are folders read" and "folder
reader" mean the file that is about it. The words are those of English commit messages and bug reports in general. Other
queries are told apart by their length alone.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019]*")
_QUESTION = frozenset("how what where which who".split())
# What the description of a change begins with.
_CHANGE = frozenset(
    """add allow avoid change check correct disable disallow do don't drop enable ensure expose fix handle ignore implement
    improve include keep make move prefer preserve prevent provide raise refactor reject remove rename replace report require
    reset resolve respect restore return revert set show simplify skip speed stop strip support throw treat try update use
    validate warn""".split()
)
# What goes wrong, what should be otherwise, and what was done about it.
_FAULT = frozenset(
    """should must cannot not never instead if unless only longer bug bugs crash crashes crashed crashing panic panics
    regression incorrect incorrectly wrong wrongly properly correctly missing fails failed fail failing broken breaks
    unexpected fixed fixes fixing added adds adding avoided allowed supported removed changed""".split()
)

_DOCUMENTS = frozenset(
    "docs documentation readme guide guides tutorial tutorials manual manuals handbook changelog".split()
)
# What programs do with documents: who asks for "documentation generation" looks for code.
_MADE = re.compile(
    r"buil[dt]|collect|compil|convert|creat|deploy|emit|export|extract|fetch|format|generat|host|import|load|mak(?:e|ing)|output"
    r"|pars(?:es?|ed|ing)$|print|produc|publish|read(?!me)|render|serv(?:e|ing)|show|stor(?:e|ing)|upload|writ"
)


def describes_change(text: str) -> bool:
    """Whether a query says what is to be changed, or what is wrong."""
    words = [word.lower().replace("\u2019", "'") for word in _WORD.findall(text)]
    if len(words) < 2 or words[0] in _QUESTION:
        return False
    return words[0] in _CHANGE or any(word in _FAULT or word.endswith("n't") for word in words)


def asks_for_documents(text: str) -> bool:
    """Whether a query names documents as what it looks for, not as what code works on."""
    words = [word.lower() for word in _WORD.findall(text)]
    return len(words) > 1 and not _DOCUMENTS.isdisjoint(words) and not any(map(_MADE.match, words))
