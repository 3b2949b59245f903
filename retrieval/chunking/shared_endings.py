"""Which of the languages that share a file ending a text is written in, and whether a text is prose.

Choices: rules in the manner of GitHub's linguist, the first that matches decides. Libraries were tried: Pygments knows the
endings and guesses among them by weights that three lines of comment turn round; magika (38 MB installed) knows neither Apex
nor OpenCL, GLSL or Forth, and needs more text than small files have; identify and whats-that-code do not read the content, or
have no rule for these endings. Only the first 32,000 characters are read, by patterns without nested repetition; comments in
the manner of C are taken out first, where words of prose would mislead.
"""

from __future__ import annotations

import re

from retrieval.chunking.neighbors import Neighbors, by_neighbors

SAMPLE_CHARS = 32_000
LINE_CHARS = 300  # of a line: some of the patterns take the square of its length
_PROSE_CHARS = 4_000  # of the beginning, read to tell prose from code
_FLAGS = re.MULTILINE

_COBJ = (
    r"^[ \t]*(?:@(?:interface|implementation|protocol|property|class|end|import|synthesize)\b|#\s*import\b)|^[-+]\s*\("
)
_CPP = (
    r"^[ \t]*(?:template[ \t]*<|(?:inline[ \t]+)?namespace\b|using[ \t]+(?:namespace\b|\w+[ \t]*=|\w+::)|"
    r"(?:public|private|protected)(?:[ \t]+Q_SLOTS|[ \t]+slots)?[ \t]*:|enum[ \t]+(?:class|struct)\b|"
    r"(?:export[ \t]+)?class[ \t]+(?:[A-Z_0-9]+[ \t]+)?\w+(?:[ \t]+final)?[ \t]*(?:$|[:{;])|friend[ \t]|"
    r"#[ \t]*include[ \t]*<(?:\w+|\w[\w/]*\.h(?:pp|xx|h))>)|"
    r"\b(?:static|dynamic|const|reinterpret)_cast[ \t]*<|\b(?:constexpr|nullptr|noexcept|typename|decltype|virtual|mutable|"
    r"explicit|override|static_assert\()\b|\bstd::|\b\w+::\w+|\boperator[ \t]*[-+*/=<>!\[(&|]|=[ \t]*(?:default|delete)[ \t]*;"
)
_GLSL = r"^[ \t]*#version\b|\bgl_\w+|^[ \t]*(?:precision|varying|attribute|uniform|layout\s*\()\b"

# Ending -> languages with what gives them away, in the order in which they are tried; the last one, without a pattern, is
# the one to take if nothing matches ("" where that is unknown).
RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "as": (("angelscript", r"^[ \t]*(?:#include|funcdef|namespace\b)|@\s*\w+\s*="), ("actionscript", "")),
    "bb": (("blitzbasic", r"^[ \t]*(?:;|Function\b|End Function|Graphics\b|Global\b)"), ("bitbake", "")),
    "cl": (
        ("opencl", r"__kernel\b|\bkernel\s+void\b|__global\b|\bget_global_id\b|^[ \t]*#\s*(?:include|define|pragma|ifdef|ifndef)\b|"
         r"^(?:typedef|inline|static|void|float|int)\b.*[({;]"),
        ("lisp", r"^[ \t]*[(;]"), ("cool", r"^[ \t]*class\s+\w+"), ("lisp", ""),
    ),
    "cls": (
        ("tex", r"\\(?:NeedsTeXFormat|ProvidesClass|LoadClass|RequirePackage|DeclareOption|newcommand|def)\b"),
        ("vb", r"^VERSION \d|^[ \t]*Attribute VB_|^[ \t]*Option Explicit|^End (?:Sub|Function|Property)\b"),
        ("objectscript", r"^Class [\w.%]+ Extends\b"),
        ("apex", r"\b(?:with|without|inherited) sharing\b|^[ \t]*(?:@\w+\s*)?(?:public|private|global|virtual|abstract)\b"
         r".*\b(?:class|interface|enum)\b|^[ \t]*(?:trigger|class|interface|enum)\s+\w+.*\{"),
        ("openedge", r"(?i)^[ \t]*(?:class|routine-level|using|define)\b.*[.:]\s*$"),
        ("tex", ""),
    ),
    "d": (
        ("dtrace", r"^#!.*dtrace|^[ \t]*#pragma D |^\w*:\w*:\w*:\w*\s*$"),
        ("make", r"^[^\s:=]+\.o\s*:"),
        ("d", ""),
    ),
    "ex": (("eiffel", r"^[ \t]*(?:note|class\s+[A-Z_]+\s*$|feature\b.*--)"), ("elixir", "")),
    "f": (("forth", r"^:\s+\S+(?:\s|$)|^[ \t]*(?:VARIABLE|CONSTANT)\s"), ("fortran", "")),
    "for": (("forth", r"^:\s+\S+(?:\s|$)"), ("fortran", "")),
    "frag": (("javascript", r"^[ \t]*(?:\(function|function\b|var\s)"), ("glsl", "")),
    "fs": (
        ("glsl", _GLSL + r"|\bvoid\s+main\s*\("),
        ("forth", r"^:\s+\S+(?:\s|$)|^[ \t]*\\\s|\b(?:VARIABLE|CONSTANT|CREATE)\b"),
        ("fsharp", ""),
    ),
    "gd": (("gap", r"^[ \t]*(?:Declare(?:Operation|Attribute|GlobalFunction|Category|Property)|#!?\s*@)\b"), ("gdscript", "")),
    "h": (("objc", _COBJ), ("cpp", _CPP), ("c", "")),
    "hh": (("hack", r"^[ \t]*<\?hh\b"), ("cpp", "")),
    "inc": (
        ("php", r"<\?(?:php|=)"),
        ("bitbake", r"^(?:SRC_URI|DEPENDS|RDEPENDS|LICENSE|SUMMARY|PV|inherit|require|do_\w+)\b"),
        ("pascal", r"(?i)^[ \t]*(?:\{\$|procedure\s|function\s.*:\s*\w+;|unit\s|type\s*$|begin\s*$)"),
        ("sql", r"(?i)^[ \t]*(?:create\s+(?:table|view|function|procedure)|insert\s+into|select\s)"),
        ("assembly", r"(?i)^[ \t]*(?:%macro|%define|\.macro|\.globl|section\s+\.|mov[a-z]?\s|\w+\s+(?:equ|db|dw|macro)\b)"),
        ("cpp", _CPP),
        ("c", r"^[ \t]*#\s*(?:include|define|if|ifdef|ifndef|pragma)\b|^[ \t]*(?:static|extern|void|int|char|struct|typedef|const|"
         r"forward|native|stock|public)\b.*[;{(]"),
        ("make", r"^[\w.-]+\s*[:?+]?=|^[\w./-]+:(?:\s|$)"),
        ("html", r"^[ \t]*<[A-Za-z!]"),
        ("", ""),
    ),
    "l": (("lisp", r"^[ \t]*\("), ("lex", r"^%%|^%\{"), ("", "")),
    "ll": (("llvm", r"^(?:target |define |declare |source_filename|; ModuleID|@\w|%\w)"), ("lex", "")),
    "m": (
        ("objc", _COBJ + r"|^[ \t]*#\s*(?:include|define|pragma)\b"),
        ("mercury", r"^:-\s*(?:module|interface|implementation|pred|func|import_module)\b"),
        ("mathematica", r"^[ \t]*\(\*|^[ \t]*(?:Begin|BeginPackage|Needs)\[|\b\w+\[\w+_.*:=|\bModule\[\{"),
        ("matlab", r"^[ \t]*(?:function\b|classdef\b|%|end\s*;?\s*$|(?:clear|clc|close all|figure|hold on|disp|fprintf)\b)|"
         r"^[ \t]*(?:\[[\w, ~]*\]|\w+)[ \t]*=[^=]"),
        ("objc", ""),
    ),
    "ml": (("sml", r"^[ \t]*(?:structure|signature|functor)\s+\w+.*=|^[ \t]*fun\s+\w+.*=|^[ \t]*val\s+\w+\s*="), ("ocaml", "")),
    "mod": (("modula2", r"(?i)^[ \t]*(?:(?:definition|implementation)\s+)?module\s+\w+\s*;"), ("", "")),
    "p": (
        ("gnuplot", r"^[ \t]*(?:plot|set\s+(?:title|xlabel|ylabel|term))\b"),
        ("pascal", r"(?i)^[ \t]*(?:program\s+\w+|procedure\s|begin\s*$)"), ("openedge", ""),
    ),
    "php": (("hack", r"^[ \t]*<\?hh\b"), ("php", "")),
    "pl": (
        ("perl", r"^#!.*\bperl|^[ \t]*(?:use\s+[\w:]+|no\s+strict|package\s+[\w:]+\s*[;{]|sub\s+\w+|my\s+[$@%(]|our\s+[$@%])|"
         r"^=(?:head\d|pod|cut|encoding)\b"),
        ("prolog", r"^[ \t]*:-|^[a-z]\w*(?:\([^()]*\))?\s*(?::-|-->)|^[a-z]\w*\([^()]*\)\.\s*(?:%.*)?$"),
        ("perl", ""),
    ),
    "pm": (("xpm", r"^/\* XPM \*/"), ("perl", "")),
    "pp": (
        ("pascal", r"(?i)^[ \t]*(?:unit|program|library)\s+\w+\s*;|^[ \t]*(?:interface|implementation|begin)\s*$|^[ \t]*\{\$"),
        ("puppet", ""),
    ),
    "pro": (
        ("prolog", r"^[ \t]*:-|^[a-z]\w*(?:\([^()]*\))?\s*:-"),
        ("qmake", r"^[ \t]*(?:QT|CONFIG|TEMPLATE|SOURCES|HEADERS|TARGET|INCLUDEPATH|DEFINES|LIBS|SUBDIRS|RESOURCES|FORMS|[\w.]+)\s*"
         r"[+*~-]?=|^[ \t]*(?:include|load)\s*\("),
        ("proguard", r"^[ \t]*-(?:keep|dont|assume|repackage)\w*"),
        ("idl", r"(?i)^[ \t]*(?:pro|function)\s+[\w:]+|^[ \t]*end\s*$|^[ \t]*;"),
        ("prolog", ""),
    ),
    "r": (("rebol", r"(?i)^[ \t]*rebol\s*\["), ("r", "")),
    "res": (("xml", r"^[ \t]*<\?xml"), ("rescript", "")),
    "rs": (("xml", r"^[ \t]*<\?xml"), ("c", r"^[ \t]*#\s*pragma\s+(?:version|rs)\b|\brs_allocation\b"), ("rust", "")),
    "sc": (
        ("supercollider", r"\bSynthDef\b|\{\s*\||^[ \t]*[A-Z]\w*\s*:\s*[A-Z]\w*\s*\{|^[ \t]*\+\s*[A-Z]\w*\s*\{|"
         r"\.(?:play|ar|kr)\b\s*[;(]"),
        ("scala", ""),
    ),
    "st": (
        ("iecst", r"(?i)^[ \t]*(?:function_block|program|end_var|var_input|var_output|type)\b"),
        ("html", r"^[ \t]*<[A-Za-z!]"), ("stringtemplate", r"^[ \t]*\w+\(.*\)\s*::=|^delimiters|^group\s"), ("smalltalk", ""),
    ),
    "t": (
        ("raku", r"^[ \t]*use\s+v6\b|^[ \t]*(?:my\s+)?(?:class|role|grammar)\s+[\w:]+"),
        ("turing", r"^[ \t]*(?:var\s+\w+\s*:\s*\w+|put\s)"), ("perl", ""),
    ),
    "ts": (("xml", r"\A\s{0,99}(?:<\?xml|<!DOCTYPE TS|<TS\b)"), ("typescript", "")),
    "tsx": (("xml", r"\A\s{0,99}(?:<\?xml|<tileset\b)"), ("tsx", "")),
    "v": (
        ("coq", r"^[ \t]*(?:Require\b|From\s+\w+|Theorem|Lemma|Definition|Fixpoint|Inductive|CoInductive|Corollary|Proof\b|Qed\.|"
         r"Notation|Ltac|Section\s+\w+\.|Module\s+\w+\.|Set\s+\w+\s+\w+.*\.)"),
        ("verilog", r"^[ \t]*(?:endmodule|endfunction|`\w+|always\b|assign\s|initial\s|(?:input|output|inout)\s|wire\b|reg\b|"
         r"module\s+\w+\s*[#(;])"),
        ("v", r"^[ \t]*(?:pub\s+)?(?:fn\s+|(?:mut\s+)?struct\s+\w+\s*\{|interface\s+\w+\s*\{|enum\s+\w+\s*\{)|^module\s+\w+\s*$|"
         r"^import\s+[\w.]+\s*$"),
        ("verilog", ""),
    ),
    "x": (("logos", r"^%(?:hook|orig|ctor|group)\b"), ("c", r"^[ \t]*(?:struct|program|version|typedef|const)\b"), ("", "")),
}  # fmt: skip
_COMPILED = {
    ending: tuple((language, re.compile(pattern, _FLAGS) if pattern else None) for language, pattern in rules)
    for ending, rules in RULES.items()
}
_WITH_C_COMMENTS = frozenset({"as", "cl", "h", "hh", "rs", "x"})


def shared_language(ending: str, text: str, neighbors: Neighbors | None = None) -> str | None:
    """The language of a text whose ending several languages share; None for other endings, "" where nothing gives it away,
    neither its content nor the files beside it.
    """
    rules = _COMPILED.get(ending)
    if rules is None:
        return None
    sample = text[:SAMPLE_CHARS]
    if ending in _WITH_C_COMMENTS:
        sample = without_comments(sample)
    lines = [line[:LINE_CHARS] for line in sample.split("\n")]
    for language, pattern in rules:
        if pattern is None:
            continue
        searched = [sample[:LINE_CHARS]] if pattern.pattern.startswith(r"\A") else lines
        if any(map(pattern.search, searched)):
            return language
    return (by_neighbors(ending, neighbors()) if neighbors is not None else "") or rules[-1][0]


def told_languages() -> set[str]:
    """All languages that the rules tell apart."""
    return {language for rules in RULES.values() for language, _ in rules if language}


def without_comments(text: str) -> str:
    """The text without `/* */` and `//`, in one pass."""
    parts: list[str] = []
    at = 0
    while True:
        start = text.find("/", at)
        if start < 0 or start + 1 >= len(text):
            break
        follows = text[start + 1]
        if follows not in "/*":
            parts.append(text[at : start + 1])
            at = start + 1
            continue
        parts.append(text[at:start])
        end = text.find("\n" if follows == "/" else "*/", start + 2)
        if end < 0:
            return "".join(parts)
        at = end if follows == "/" else end + 2
    parts.append(text[at:])
    return "".join(parts)


_MARKS = "{}()[];=<>$|\\&*+#@^~_"


def is_prose(text: str) -> bool:
    """Whether a text reads as prose: mostly letters and blanks, few of the marks that code is full of, sentences."""
    sample = text[:_PROSE_CHARS]
    lines = [line for line in sample.splitlines() if line.strip()]
    if not lines:
        return True
    size = sum(map(len, lines))
    marks = sum(map(sample.count, _MARKS))
    words = len(sample.split())
    code_ends = sum(line.rstrip().endswith((";", "{", "}", ")", "(", ":=")) for line in lines)
    return marks * 25 <= size and code_ends * 5 <= len(lines) and words >= 1.5 * len(lines)
