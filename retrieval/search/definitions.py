r"""Whether a chunk defines a name, and in which line, judged by its text.

A chunk keeps one symbol, but may hold several small definitions, or a class with its first method. Where a query is
nothing but a name, the text is matched against patterns: what precedes the name in its line and what follows it must be what
only a definition has in some language. Precision comes first: a use is never taken for a definition, a rare form of
definition may be missed.
"""

from __future__ import annotations

import re

from retrieval.store import ChunkText
from retrieval.types import Chunk, Hit

# The signal of a hit that defines a name of the query, and its least value where the query is nothing but that name.
DEFINITION = "definition"
NAME_ALONE = 0.8
# Characters of a line examined before a name, and after it: no definition needs more, and lines of a megabyte stay cheap.
MAX_BEFORE, MAX_AFTER = 300, 1_500

# Prose about code, and data.
_NO_CODE = frozenset("markdown rst text tex json yaml toml ini xml html css scss less csv diff".split())
_C = frozenset({"c", "cpp", "objc", "glsl"})
_PYTHON = frozenset({"cython", "python", "starlark"})
# Where `name(…) {` at the beginning of a statement defines; elsewhere it may be a call with a block.
_BRACED = _C | frozenset("csharp d dart java javascript svelte tsx typescript vue".split())
_CASELESS = frozenset("ada cmake fortran pascal powershell sql vb vhdl".split())
_SCHEMAS = frozenset({"graphql", "proto", "solidity", "thrift"})

# Brackets in brackets: `<.*>` would try each `>` of a line for each `<`, again for whatever follows, in exponential time.
_PARAMETERS = r"<(?:[^<>;{}()]|<(?:[^<>;{}()]|<(?:[^<>;{}()]|<[^<>;{}()]*>)*>)*>)*>"
_MODIFIERS = (
    r"export|default|declare|public|private|protected|internal|fileprivate|open|override|static|final|abstract|sealed"
    r"|async|virtual|inline|extern|unsafe|partial|readonly|data|case|suspend|operator|tailrec|inner|companion|implicit"
    r"|lazy|local|global|mutating|indirect|pub(?:\([^()]*\))?|const|constexpr|typedef|native|synchronized|cdef|cpdef"
    rf'|recursive|pure|elemental|template\s*{_PARAMETERS}|@[\w.]+(?:\([^()]*\))?|"C"'
)
_KEYWORDS = (
    r"def(?:p|n|module|macrop?|protocol|guardp?|delegate)?|class|fn|fun|func|function|sub|subroutine|proc|procedure"
    r"|method|type|alias|typealias|struct|interface|trait|enum|union|module|mod|object|record|protocol|mixin|actor"
    r"|macro|macro_rules|concept|newtype"
)
# All of what stands before the name in its line.
_KEYWORD = re.compile(
    rf"\s*(?:(?:{_MODIFIERS})\s+)*(?:(?:{_KEYWORDS})[*!]?\s+)+"
    r"(?:\([^()]*\)\s*)?(?:<[^()]*>\s*)?"  # a receiver, as in Go; type parameters
    r"(?:[\w$]+(?:<[^<>]*>)?(?:\.|::|:|\\))*[*&]*"
)
_VARIABLE = re.compile(r"(?:(?:export|pub|local|declare)\s+)*(?:const|let|var|val|static)\s+(?:(?:mut|rec|inline)\s+)?")
_MEMBER = re.compile(
    r"\s*(?:export|public|private|protected|internal|static|readonly|pub(?:\([^()]*\))?)\s+"
    r"(?!(?:default|use|using|import)\b)(?:[^=;:(){}]*[\s*&$])?"
)
_ASSIGNED = re.compile(
    r"\s*(?:(?:export|const|let|var|local|static|public|private|protected|readonly|pub)\s+)*(?:[\w$]+\.)*[#@\"']?"
)
_PROTOTYPE = re.compile(r"\s*(?:[\w$]+\.)+prototype\.")
_TYPEDEF = re.compile(r"\s*typedef\b[^;{}]*[\s*&]|\s*\}\s*\*?")
_USING = re.compile(r"\s*using\s+")
_DEFINE = re.compile(r"\s*#\s*define\s+")
_CREATE = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:\w+\s+){0,2}?"
    r"(?:table|view|function|procedure|trigger|index|type|sequence|schema|database)\s+(?:if\s+not\s+exists\s+)?"
    r"(?:[\"`\[]?\w+[\"`\]]?\.)?[\"`\[]?"
)
_LISP = re.compile(r"\s*\((?:cl-)?def[\w*-]*\s+\(?")
_CMAKE = re.compile(r"\s*(?:function|macro)\s*\(\s*")
_SHELL = re.compile(r"\s*(?:function\s+)?")
_SCHEMA = re.compile(r"\s*(?:message|service|rpc|input|scalar|contract|library|event|modifier)\s+")
# A method or function without a keyword: modifiers, types, and the class it belongs to.
_TYPED = re.compile(r"\s*(?:(?:[\w$:<>~\[\],.@]+\??)[\s*&]+)*(?:[\w$]+(?:<[^<>]*>)?::)*~?#?")
_STATEMENT = re.compile(
    r"\b(?:return|if|else|for|while|switch|match|new|await|case|throw|yield|do|try|catch|in|of|typeof|delete|goto)\b"
)

# What must, or must not, follow the name.
_PART_OF_LONGER = re.compile(r"(?:\.|::|\\)[\w$]")
_PROSE = re.compile(r"(?: +[a-z]+){3}\b|,|\.(?:\s|$)")  # in a comment or docstring: "type hints are for humans"
_HEAD = re.compile(r"\s*[(:\[=]")
_ONLY_NAMED = re.compile(r"\s*[;*&),=>]|\s+[*&]*\w+\s*[;,=(\[)]")  # `struct NAME *next;`, `template <class NAME>`
_VALUE = re.compile(r"\s*(?:\[[^\]]*\]\s*)?(?:=(?![=>])|;|:(?!:))")
_EQUALS = re.compile(r"\s*=(?!=)")
_CONSTANT = re.compile(r"\s*(?::[^=\n]+)?=(?!=)|\s*<-")
_ENDS = re.compile(r"\s*(?:;|\[|\)\s*\()")
_CALLABLE = re.compile(
    r"[\"']?\s*(?::\s*(?:[\w<>\[\].,|][\w<>\[\]., |]*)?)?(?:[:=]|<-)\s*(?:async\s+|packed\s+|extern\s+)?"
    r"(?:(?:function|class|struct|enum|union|fn)\b|\([^()]*\)\s*(?::[^=\n]*)?=>|[\w$]+\s*=>)"
)
_BODY = re.compile(
    r"\s*(?:<[^<>(){}]*>\s*)?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
    r"(?:[^;{}()=\n]*(?:\n\s*)?|\s*throws\b[^;{}()=]*|\s*:(?!:)[^;{}]*)\{"
)
# Forms of definitions: what precedes the name, and what follows it.
_FORMS = ((_ASSIGNED, _CALLABLE), (_MEMBER, _VALUE), (_PROTOTYPE, _EQUALS))
_FORMS_OF_C = ((_TYPEDEF, _ENDS), (_USING, _EQUALS))
_PARENTHESES = re.compile(r"\s*\(\s*\)")
_TYPE_OF = re.compile(r"\s+::?\s")
_GO_TYPE = re.compile(r"\s+(?:struct|interface)\b")


def definition(chunk: Chunk | ChunkText, name: str) -> tuple[int, str] | None:
    """The line of the file where a chunk defines a name, and the name as it is written there: in its own case where
    there is such a line, else in another. None where the text defines no such name.
    """
    text = chunk.text
    if chunk.language in _NO_CODE or not name or name.lower() not in text.lower():
        return None
    best: tuple[int, str] | None = None
    for match in re.finditer(rf"(?<!\w){re.escape(name)}(?![\w$])", text, re.IGNORECASE):
        exact = match[0] == name
        if (best is None or exact) and _defines(text, match.start(), match.end(), chunk.language, exact):
            best = (chunk.start_line + _line(text, match.start()), match[0])
            if exact:
                break
    return best


def definition_line(chunk: Chunk, name: str) -> int | None:
    """The line where a chunk defines a name; of its own symbol one that has it, where the form is not known."""
    if (match := definition(chunk, name)) is not None:
        return match[0]
    own = re.escape(chunk.symbol) if name and chunk.symbol.lower() == name.lower() else None
    use = re.search(rf"(?<!\w){own}(?!\w)", chunk.text) if own else None
    return chunk.start_line + _line(chunk.text, use.start()) if use else None


def queried_definition_line(hit: Hit) -> int | None:
    """The line of a hit that defines the query's name, where the query is nothing else: its first salient line."""
    sure = any(signal.name == DEFINITION and signal.value >= NAME_ALONE for signal in hit.signals)
    return hit.salient_lines[0] if sure and hit.salient_lines else None


def _line(text: str, at: int) -> int:
    """Which line, from 0, a character is in; lines end as in `lines_of`."""
    return text.count("\n", 0, at) + text.count("\r", 0, at) - text.count("\r\n", 0, at)


def _defines(text: str, start: int, end: int, language: str, exact: bool) -> bool:
    """Whether what stands at a place in a text is the name in its definition. In another case only a keyword tells:
    `private Logger $logger` defines no Logger.
    """
    least = max(0, start - MAX_BEFORE - 1)  # a line of a megabyte is not copied for each name in it
    before = text[max(text.rfind("\n", least, start), text.rfind("\r", least, start), least - 1) + 1 : start]
    after = text[end : end + MAX_AFTER]
    if len(before) > MAX_BEFORE:
        return False
    if language in _CASELESS:
        before = before.lower()
    return _by_keyword(before, after, language) or (exact and _by_form(before, after, text[start:end], language))


def _by_keyword(before: str, after: str, language: str) -> bool:
    if _KEYWORD.fullmatch(before):
        if _PART_OF_LONGER.match(after) or _PROSE.match(after) or (language in _C and _ONLY_NAMED.match(after)):
            return False
        return language not in _PYTHON or _HEAD.match(after) is not None
    if _DEFINE.fullmatch(before) or _VARIABLE.fullmatch(before) or _CREATE.fullmatch(before.lower()):
        return True
    match language:
        case "lisp" | "clojure":
            return _LISP.fullmatch(before) is not None
        case "cmake":
            return _CMAKE.fullmatch(before) is not None
        case _:
            return language in _SCHEMAS and _SCHEMA.fullmatch(before) is not None


def _by_form(before: str, after: str, name: str, language: str) -> bool:
    pairs = _FORMS + (_FORMS_OF_C if language in _C else ())
    if any(ahead.fullmatch(before) and following.match(after) for ahead, following in pairs):
        return True
    if language in _BRACED:
        return _has_body(before, after, name, language)
    match language:
        case "bash":
            return _SHELL.fullmatch(before) is not None and _PARENTHESES.match(after) is not None
        case "go":
            return not before.strip() and _GO_TYPE.match(after) is not None
        case "haskell" | "elm":
            return not before and _TYPE_OF.match(after) is not None
        case _:  # small names at the margin are variables of scripts: every example has its `app = `
            return not before and name != name.lower() and _CONSTANT.match(after) is not None


def _has_body(before: str, after: str, name: str, language: str) -> bool:
    if not _TYPED.fullmatch(before) or _STATEMENT.search(before):
        return False
    if language in _C and not before.strip() and (name.isupper() or (before and not name[0].isupper())):
        return False  # a macro with a block: `QUEUE_FOREACH(q, &queue) {`
    return _BODY.match(after) is not None
