"""What a definition looks like in languages without a grammar, as patterns that match a line behind its indentation.

A pattern gives the name as its last group. `containers` are types and modules with members further in, or, where `flat`
matches, below them at the same column. `members` define only directly within a container.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_NAME = rb"([^\W\d][\w.:$-]*)"
_BARE = rb"([^\W\d]\w*)"
_TYPED = (
    rb"(?!(?:return|if|else|for|foreach|while|do|switch|case|throw|new|try|catch|finally|await|yield|assert|delete|using|import|"
    rb"package|from|goto|with|synchronized|in|out|super|this|lock|on|emit)\b)"
    rb"(?:@\w+\s+)*(?:[\w$<>\[\],.?:]+[\s*&]+)+(?:this\.)?" + _BARE + rb"\s*\("
)
_CLASSES = (
    rb"(?:(?:public|private|protected|internal|static|abstract|final|sealed|virtual|global|with|without|inherited|sharing|export|"
    rb"data|open|partial|shared|package|extern|pub|local)\s+)*"
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Patterns of one language; b"" for those that it does not need."""

    functions: bytes = b""
    containers: bytes = b""
    members: bytes = b""
    variables: bytes = b""
    flat: bytes = b""
    flat_end: bytes = b""  # of what `flat` began
    leading: bytes = b"@"  # annotations on lines of their own
    anywhere: bool = True  # at any column, not at the first one only
    clauses: bool = False  # a function is several definitions of one name
    qualified: bytes = b""  # what separates scope and name


# ruff: noqa: E501 - one row a pattern
RULES: dict[str, Rules] = {
    "abap": Rules(
        rb"(?i)(?:form|method|function|module)\s+([\w~/]+)", containers=rb"(?i)(?:class|interface)\s+([\w/]+)", flat=b"", leading=b"",
    ),
    "agda": Rules(rb"([^\s(){}.;:]+)\s+:(?!:)\s", containers=rb"(?:data|record|module)\s+([^\s(){};]+)", leading=rb"\{-#", anywhere=False, clauses=True),
    "apex": Rules(
        containers=_CLASSES + rb"(?:class|interface|enum)\s+" + _BARE,
        members=_TYPED,
        functions=rb"trigger\s+" + _BARE,
    ),
    "applescript": Rules(rb"(?:on|to)\s+(?!error\b)(\w+)", containers=rb"script\s+(\w+)", leading=b""),
    "assembly": Rules(rb"([A-Za-z_.$?@][\w.$?@]*)\s*:(?!:)", leading=b"\\.(?:globl?|type|align|p2align|section|text|data)\\b", anywhere=False),
    "awk": Rules(rb"func(?:tion)?\s+" + _BARE),
    "batch": Rules(rb":([\w.-]+)", anywhere=False),
    "bitbake": Rules(rb"(?:python\s+|fakeroot\s+)*" + _NAME + rb"\s*\(\)\s*\{|def\s+" + _BARE),
    "bicep": Rules(rb"(?:resource|module|param|var|output|func|type)\s+" + _BARE),
    "clojure": Rules(
        rb"\((?:def\w*-?)\s+(?:\^\S+\s+)*([^\s()\[\]]+)", containers=rb"\((?:defprotocol|definterface|defrecord|deftype|ns)\s+([^\s()\[\]]+)",
        members=rb"\((?!:)([^\s()\[\]]+)\s+\[", anywhere=False,
    ),
    "cmake": Rules(rb"(?i)(?:function|macro)\s*\(\s*([\w${}-]+)"),
    "coffeescript": Rules(
        rb"(?:(?:module\.)?exports\.|@)?([\w$]+(?:(?:\.|::)[\w$]+)*)\s*[=:]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)\s*)?[-=]>",
        containers=rb"(?:(?:module\.)?exports(?:\.\w+)?\s*=\s*)?class\s+(?:@?[\w$]+\.)*([\w$]+)", leading=b"",
    ),
    "cobol": Rules(rb"(?i)([\w-]+)\s+section\s*\.|([a-z0-9][\w-]*)\s*\.\s*$", containers=rb"(?i)(?:program-id|class-id|method-id)\s*\.\s*([\w-]+)", leading=b""),
    "crystal": Rules(
        rb"(?:(?:private|protected|abstract)\s+)*(?:def|macro|fun)\s+(?:self\.)?([\w.:]+[?!=]?|[^\w\s(]+)",
        containers=rb"(?:(?:private|abstract)\s+)*(?:class|module|struct|lib|enum|annotation|union)\s+([\w:]+)",
    ),
    "cython": Rules(
        rb"(?:c?p?def|cdef\s+inline)\s+(?:[\w*.\[\]]+\s+)*?([^\W\d]\w*)\s*\(", containers=rb"(?:cdef\s+)?(?:class|struct|enum|cppclass)\s+" + _BARE
    ),
    "d": Rules(
        _TYPED, containers=_CLASSES + rb"(?:class|struct|interface|union|enum|template)\s+" + _BARE,
        members=_TYPED + rb"|(?:~?(this))\s*\(", leading=b"@",
    ),
    "dart": Rules(_TYPED, containers=_CLASSES + rb"(?:base\s+|mixin\s+)*(?:class|mixin|enum|extension)\s+" + _BARE, members=_TYPED),
    "dockerfile": Rules(rb"(?i)FROM\s+(?:\S+\s+AS\s+)?(\S+)", anywhere=False),
    "elm": Rules(
        rb"(?:port\s+)?([a-z]\w*)\s+:\s|([a-z]\w*)(?:\s+[\w()]+)*\s+=", containers=rb"type\s+(?:alias\s+)?" + _BARE,
        anywhere=False, clauses=True,
    ),
    "erlang": Rules(
        rb"(?:-(?:spec|callback)\s*\(?\s*)?([a-z]\w*|'[^']+')\s*\(", variables=rb"-(?:record|type|opaque|define)\s*\(?\s*" + _BARE,
        leading=b"-(?:doc|deprecated|dialyzer)\\b", anywhere=False, clauses=True,
    ),
    "fennel": Rules(rb"\((?:fn|lambda|\xce\xbb|macro|local|global|var)\s+([^\s()\[\]{}]+)", anywhere=False, leading=b""),
    "fish": Rules(rb"function\s+(\S+)"),
    "flatbuffers": Rules(containers=rb"(?:table|struct|enum|union|rpc_service)\s+" + _BARE, leading=b""),
    "forth": Rules(rb":\s+(\S+)", variables=rb"(?i)(?:variable|constant|value|create)\s+(\S+)"),
    "fortran": Rules(
        rb"(?i)(?!end\b)(?:[\w()*=]+\s+)*(?:subroutine|function|program)\s+(\w+)",
        containers=rb"(?i)(?:module(?!\s+procedure)|submodule|type(?:\s*,[^:]*)?(?:\s*::)?|interface)\s+(\w+)",
    ),
    "fsharp": Rules(
        rb"let\s+(?:(?:rec|inline|private|mutable)\s+)*" + _BARE + rb"|and\s+(?:inline\s+)?" + _BARE + rb"\s+[\w(]",
        containers=rb"(?:type|module|and)\s+(?:(?:rec|private|internal|public)\s+)*" + _BARE + rb"[^\n]*=",
        members=rb"(?:static\s+)?(?:member|override|default|abstract)\s+(?:(?:inline|private|val)\s+)*(?:[\w_]+\.)?" + _BARE,
        flat=rb"(?:module|namespace)\s+(?:rec\s+)?([\w.]+)\s*$", leading=b"\\[<",
    ),
    "gherkin": Rules(
        rb"(?:Scenario(?: Outline| Template)?|Example|Background)\s*:\s*(\S[^\r\n]*?)\s*$", containers=rb"(?:Feature|Rule)\s*:\s*(\S[^\r\n]*?)\s*$",
    ),
    "gleam": Rules(rb"(?:pub\s+)?(?:fn|const)\s+" + _BARE, containers=rb"(?:pub\s+)?(?:opaque\s+)?type\s+" + _BARE),
    "glsl": Rules(_TYPED, containers=rb"struct\s+" + _BARE, anywhere=False),
    "graphql": Rules(
        rb"(?:query|mutation|subscription|fragment|directive)\s+@?(\w+)",
        containers=rb"(?:extend\s+)?(?:type|interface|input|enum|union|scalar)\s+(\w+)|(schema)\b",
        members=rb"(\w+)\s*(?:\([^)]*\)?|:)",
    ),
    "groovy": Rules(
        rb"(?:(?:public|private|protected|static|final|abstract|synchronized)\s+)*def\s+(?:<[^<>]*>\s*)?" + _BARE + rb"\s*\(|task\s+" + _BARE
        + rb"|" + _TYPED + rb"[^()]*(?:\([^()]*\)[^()]*)*\)[^;]*\{",
        containers=_CLASSES + rb"(?:class|interface|trait|enum|@interface)\s+" + _BARE, members=_TYPED,
    ),
    "hcl": Rules(containers=rb'(?:resource|data|module|variable|output|provider|locals|terraform)\b\s*(?:"[^"]*"\s*)?"?([\w-]*)'),
    "hylang": Rules(rb"\((?:defn|defn/a|defmacro|setv)\s+(?:\[[^\]]*\]\s+)?([^\s()\[\]]+)", containers=rb"\(defclass\s+(?:\[[^\]]*\]\s+)?([^\s()\[\]]+)", leading=b""),
    "idris": Rules(
        rb"([a-z]\w*'?|\([^\w\s()]+\))\s+:(?!:)\s|([a-z]\w*)(?:\s+[\w(){}\[\]:,_@]+)*\s+=(?!=)", containers=rb"(?:data|record|interface|namespace)\s+" + _BARE,
        leading=rb"%|(?:(?:public\s+)?export|private|total|partial|covering)\s*$", anywhere=False, clauses=True,
    ),
    "ini": Rules(rb"\[([^\]]+)\]", leading=b"", anywhere=False),
    "janet": Rules(rb"\((?:defn-?|defmacro-?|def-?|var|varfn)\s+([^\s()\[\]]+)", anywhere=False, leading=b""),
    "jsonnet": Rules(rb"local\s+(\w+)\s*\(|(\w+)\s*\([^()]*\)\s*:|local\s+(\w+)\s*=\s*function\b", leading=b""),
    "julia": Rules(
        rb"(?:@\w+\s+)*(?:function|macro)\s+(?:\w+\.)*([\w!]+)", containers=rb"(?:(?:base)?module|(?:mutable\s+)?struct|abstract\s+type)\s+" + _BARE,
        leading=b"@",
    ),
    "just": Rules(rb"@?([A-Za-z_][\w-]*)(?:\s[^:\n]*)?:(?!=)", leading=rb"\[", anywhere=False),
    "lean": Rules(
        rb"(?:(?:private|protected|noncomputable|partial|unsafe|scoped|local|@\[[^\]]*\])\s+)*(?:def|theorem|lemma|abbrev|instance|opaque|axiom|macro|syntax|elab)\s+([^\W\d][\w.'?!\xc2-\xf4\x80-\xbf]*)",
        containers=rb"(?:(?:private|protected|@\[[^\]]*\])\s+)*(?:structure|inductive|class(?:\s+inductive)?)\s+([\w.']+)",
        leading=rb"@\[", anywhere=False,
    ),
    "less": Rules(rb"([.#][\w-]+)\s*\([^;{}]*\{"),
    "lisp": Rules(
        rb"\((?:cl-)?def[\w*-]*\s+\(?([^\s()]+)",
        containers=rb"\((?:def(?:class|struct|type|package|generic)|define-(?:condition|record-type|class)|cl-defstruct)\s+\(?[#:]*([^\s()]+)",
        anywhere=False, leading=rb"\((?:declaim|proclaim|declare-)\b",
    ),
    "make": Rules(rb"(?!\.)([A-Za-z0-9_./%$(){}-]+)\s*::?(?!=)|(?:override\s+)?define\s+([\w.-]+)", leading=b"\\.PHONY\\b", anywhere=False),
    "mathematica": Rules(rb"([A-Za-z$]\w*)\[[^\]]*\]\s*:?=", anywhere=False, clauses=True),
    "nim": Rules(
        rb"(?:proc|func|method|iterator|template|macro|converter)\s+`?([^\W\d]\w*|[^\w\s`(]+)",
        containers=rb"(?:type\s+)?([A-Z]\w*)\*?\s*(?:\[[^\]]*\]\s*)?(?:\{\.[^}]*\.\}\s*)?=\s*(?:ref\s+|ptr\s+)?(?:object|enum|tuple|concept|distinct)\b",
        leading=b"\\{\\.",
    ),
    "nushell": Rules(rb"(?:export\s+)?(?:def(?:-env)?|alias|extern)\s+(?:--\w+\s+)*[\"']?([\w-]+(?: [\w-]+)*)", containers=rb"(?:export\s+)?module\s+([\w-]+)"),
    "objc": Rules(
        rb"[-+]\s*\([^)]*\)\s*(\w+)", flat=rb"@(?:interface|implementation|protocol)\s+(\w+)", flat_end=b"@end\\b", leading=b"__attribute__"
    ),
    "ocaml": Rules(
        rb"(?:let|and)\s+(?:rec\s+|inline\s+)*" + _BARE + rb"|(?:val|external|method)\s+(?:private\s+|virtual\s+)*" + _BARE,
        containers=rb"(?:type|module(?:\s+type)?|class(?:\s+type)?|and)\s+(?:nonrec\s+|virtual\s+)?" + _BARE, leading=b"\\[@",
    ),
    "opencl": Rules(_TYPED, containers=rb"(?:typedef\s+)?struct\s+" + _BARE, anywhere=False),
    "pascal": Rules(
        rb"(?i)(?:class\s+)?(?:procedure|function|constructor|destructor|operator)\s+([\w.]+)",
        containers=rb"(?i)(\w+)(?:<[^<>]*>)?\s*=\s*(?:packed\s+)?(?:class|record|object|interface|dispinterface)\b(?!\s*of\b|\s*;)",
        leading=b"\\[", qualified=b".",
    ),
    "perl6": Rules(
        rb"(?:(?:my|our|multi|proto|only)\s+)*(?:sub|method|submethod|token|rule|regex|macro)\s+!?([\w:'-]+)",
        containers=rb"(?:(?:my|our|unit)\s+)*(?:class|role|grammar|module|package|enum)\s+([\w:-]+)(?!\s*;)",
        flat=rb"unit\s+(?:class|role|grammar|module|package)\s+([\w:-]+)[^;{]*;", leading=b"",
    ),
    "perl": Rules(
        rb"(?:async\s+)?(?:sub|method|fun)\s+([\w:']+)", flat=rb"(?:package|class|role)\s+([\w:]+)\s*(?:v?[\d._]+\s*)?;",
        containers=rb"(?:package|class|role)\s+([\w:]+)\s*(?:v?[\d._]+\s*)?(?:\{|$)", qualified=b"::", leading=b"",
    ),
    "powershell": Rules(
        rb"(?i)(?:function|filter|workflow|configuration)\s+(?:\w+:)?([\w-]+)", containers=rb"(?i)(?:class|enum)\s+(\w+)",
        members=rb"(?i)(?:(?:static|hidden)\s+)*(?:\[[^\]]*\]+\s*)?(?!(?:if|for|foreach|while|switch|return)\b)(\w+)\s*\([^()]*\)\s*\{", leading=b"\\[",
    ),
    "prolog": Rules(rb"([a-z]\w*|'[^']+')\s*(?:\(|:-|-->)", anywhere=False, clauses=True),
    "proto": Rules(rb"rpc\s+(\w+)", containers=rb"(?:message|service|enum|extend|oneof)\s+([\w.]+)\s*\{?"),
    "puppet": Rules(rb"function\s+([\w:]+)", containers=rb"(?:class|define|node|type|plan)\s+'?([\w:.-]+)"),
    "purescript": Rules(
        rb"(?:foreign\s+import\s+)?([a-z_][\w']*)\s+::\s|([a-z_][\w']*)(?:\s+[\w(){}\[\]:,_@.]+)*\s+(?:=(?!=)|\|)",
        containers=rb"(?:data|newtype|type|class|foreign\s+import\s+data)\s+(?:[^=\n]*<=\s*)?" + _BARE, anywhere=False, clauses=True, leading=b"",
    ),
    "r": Rules(
        rb"['\"`]?([^\W\d_][\w.]*|\.[\w.]+)['\"`]?\s*(?:<<?-|=)\s*function\b|set(?:Generic|Method|Validity)\(\s*['\"](\w+)",
        containers=rb"(?:" + _BARE + rb"\s*(?:<-|=)\s*)?(?:setRefClass|R6Class|R6::R6Class|setClass)\(\s*['\"]?(\w+)",
        members=rb"([\w.]+)\s*=\s*function\b", leading=b"",
    ),
    "reasonml": Rules(rb"(?:let|and|external)\s+(?:rec\s+)?" + _BARE, containers=rb"(?:type|module(?:\s+type)?|class)\s+(?:rec\s+)?" + _BARE, leading=rb"\[@"),
    "rego": Rules(rb"(?:default\s+)?([a-z_]\w*)(?:\s*\([^()]*\)|\s*\[[^\]]*\]|\s+contains\s+\w+)?\s*(?::=|=|if\b|\{)", anywhere=False, clauses=True, leading=b""),
    "rescript": Rules(rb"(?:let|and|external)\s+(?:rec\s+)?" + _BARE, containers=rb"(?:type|module(?:\s+type)?)\s+(?:rec\s+)?" + _BARE, leading=b"@"),
    "robotframework": Rules(rb"(?!\*|\s|\#|\[|\$|\||Library\b|Resource\b|Documentation\b|Suite\b|Test\b)([^\s].*?)\s*$", containers=rb"\*{3}\s*([^*]+?)\s*\*{0,3}\s*$", flat=rb"\*{3}\s*([^*]+?)\s*\*{0,3}\s*$", anywhere=False, leading=b""),
    "sas": Rules(rb"(?i)%macro\s+(\w+)|proc\s+(\w+)|data\s+([\w.]+)", leading=b""),
    "scss": Rules(rb"@(?:mixin|function)\s+([\w-]+)|%([\w-]+)\s*\{", leading=b""),
    "sml": Rules(rb"(?:fun|val)\s+(?:rec\s+)?" + _BARE, containers=rb"(?:structure|signature|functor|datatype|type)\s+(?:'\w+\s+)?" + _BARE),
    "solidity": Rules(
        rb"(?:function|modifier|event|error)\s+(\w+)|(constructor|receive|fallback)\s*\(",
        containers=rb"(?:abstract\s+)?(?:contract|library|interface|struct|enum)\s+(\w+)",
    ),
    "sql": Rules(
        rb"(?i)create\s+(?:or\s+(?:replace|alter)\s+)?(?:(?:editionable|noneditionable|aggregate|definer\s*=\s*\S+)\s+)*"
        rb"(?:function|procedure|proc|trigger|aggregate)\s+(?:if\s+not\s+exists\s+)?([\w.\"`\[\]]+)",
        containers=rb"(?i)(?:create|alter)\s+(?:or\s+(?:replace|alter)\s+)?(?:(?:global|local|temp|temporary|unique|unlogged|editionable|"
        rb"materialized|external|recursive|clustered|definer\s*=\s*\S+)\s+)*(?:package(?:\s+body)?|table|view|index|type(?:\s+body)?|schema|database|"
        rb"sequence|extension|policy|role|domain)\s+(?:if\s+not\s+exists\s+|concurrently\s+|only\s+)*([\w.\"`\[\]]+)",
        members=rb"(?i)(?:(?:member|static|constructor|map|order)\s+)?(?:procedure|function)\s+(\w+)", leading=b"",
    ),
    "stata": Rules(rb"(?i)program\s+(?:define\s+)?(?!drop\b|list\b|dir\b)(\w+)|mata\s*:\s*(?:\w+\s+)*(\w+)\s*\(", leading=b""),
    "starlark": Rules(rb"(?:def\s+)?([a-z_]\w*)\s*\(", anywhere=False),
    "supercollider": Rules(rb"(?:\*)?([a-z]\w*)\s*\{\s*\||(?:SynthDef|Pdef|Ndef|Tdef)\(\s*\\(\w+)|~(\w+)\s*=\s*\{", containers=rb"\+?\s*([A-Z]\w*)\s*(?::\s*\w+\s*)?\{"),
    "tcl": Rules(
        rb"(?:proc|method|typemethod)\s+(?:::)?(\S+)|(constructor|destructor)\b", containers=rb"(?:namespace\s+eval|(?:oo|itcl|snit)::(?:class\s+create|class|type))\s+(?:::)?(\S+)"
    ),
    "thrift": Rules(containers=rb"(?:struct|service|enum|union|exception)\s+(\w+)", members=_TYPED, variables=rb"(?:typedef\s+\S+|const\s+\S+)\s+(\w+)"),
    "v": Rules(
        rb"(?:pub\s+)?fn\s+(?:\([^)]*\)\s*)?(?:\w+\.)?" + _BARE, containers=rb"(?:pub\s+)?(?:struct|enum|interface|union|type)\s+" + _BARE,
        leading=b"@\\[|\\[",
    ),
    "vala": Rules(
        containers=_CLASSES + rb"(?:class|struct|interface|enum|namespace|errordomain)\s+([\w.]+)", functions=_TYPED + rb"[^;]*\{",
        members=_TYPED, leading=rb"\[",
    ),
    "vb": Rules(
        rb"(?i)(?:(?:public|private|protected|friend|shared|overrides|overridable|overloads|async|static|default|readonly|mustoverride|notoverridable|shadows)\s+)*"
        rb"(?:sub|function|property(?:\s+(?:get|let|set))?|operator)\s+(\w+)",
        containers=rb"(?i)(?:(?:public|private|friend|partial|mustinherit|notinheritable|shared)\s+)*(?:class|module|structure|enum|interface|namespace|type)\s+([\w.]+)",
        leading=b"<",
    ),
    "verilog": Rules(
        rb"(?:virtual\s+|static\s+)*(?:function|task)\s+(?:automatic\s+)?(?:[\w:\[\]$]+\s+)*?(\w+)\s*[(;]",
        containers=rb"(?:virtual\s+)?(?:module|class|interface|package|program)\s+(?:automatic\s+)?(\w+)", leading=b"\\(\\*",
    ),
    "vhdl": Rules(
        rb"(?i)(?:pure\s+|impure\s+)?(?:function|procedure)\s+(\w+)|(\w+)\s*:\s*process\b",
        containers=rb"(?i)(?:entity|architecture|package(?:\s+body)?|component|configuration)\s+(\w+)",
    ),
    "ada": Rules(rb"(?i)(?:overriding\s+)?(?:procedure|function|entry)\s+(\w+)", containers=rb"(?i)(?:package(?:\s+body)?|type|task|protected)\s+([\w.]+)"),
    "vim": Rules(rb"(?:export\s+)?(?:fu(?:nction)?!?\s+|def!?\s+|command!?\s+(?:-\S+\s+)*|augroup\s+)([\w:#]+)", leading=b""),
}  # fmt: skip
# For code in any other language: the keywords that most of them have.
ANY = Rules(
    _CLASSES + rb"(?:async\s+)?(?:function|func|fun|fn|def|defn|sub|proc|procedure|method|macro|task|rule|subroutine)\s+" + _BARE + rb"\s*(?:[(<:={\[]|$)",
    containers=_CLASSES + rb"(?:class|struct|interface|trait|module|namespace|enum(?:\s+(?:class|struct))?|record|protocol|object|type|union|contract|actor|mixin)\s+" + _BARE,
    leading=b"@|#\\[|\\[|<<\\w",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of one language, compiled; None for a pattern that it does not have."""

    functions: re.Pattern[bytes] | None
    containers: re.Pattern[bytes] | None
    members: re.Pattern[bytes] | None
    variables: re.Pattern[bytes] | None
    flat: re.Pattern[bytes] | None
    flat_end: re.Pattern[bytes] | None
    leading: re.Pattern[bytes] | None
    rules: Rules


@cache
def compiled(language: str) -> Compiled:
    """The rules of a language without a grammar."""
    rules = RULES.get(language, ANY)
    functions, containers, members, variables, flat, flat_end, leading = (
        re.compile(pattern) if pattern else None
        for pattern in (
            rules.functions, rules.containers, rules.members, rules.variables, rules.flat, rules.flat_end, rules.leading,
        )
    )  # fmt: skip
    return Compiled(functions, containers, members, variables, flat, flat_end, leading, rules)
