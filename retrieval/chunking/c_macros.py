"""Rewrites macros of C, C++ and Objective-C that their grammars cannot see through, byte for byte.

A parser sees `class SHOP_API Carrier : public Thing {` as a function called Thing, because nothing tells it that SHOP_API is
replaced before compilation. Such words are overwritten by blanks, annotations on lines of their own (`UCLASS(Blueprintable)`,
`Q_OBJECT`) by comments, so that they go with the definition below them. All offsets stay. The names of tests and system calls
(`TEST(Group, Name) {`, `SYSCALL_DEFINE3(read, …) {`) are read by c_symbols.py.

Only lines with a word in capitals or a type are looked at, and only short ones: some patterns take the square of a line's
length.
"""

from __future__ import annotations

import re

LINE_BYTES = 400  # longer lines are data, or made by programs
NEXT_BYTES = 80  # of the line below
_MAX_LINES = 12  # of the arguments of a macro
_MAX_ARGUMENT_BYTES = 1_500

_ARGUMENTS = rb"\((?:[^()\n]|\([^()\n]*\))*\)"
_UPPER = rb"_{0,2}[A-Z][A-Z0-9_]+"
_MACRO = _UPPER + rb"\b(?:[ \t]?" + _ARGUMENTS + rb")?"

# Where a line may need a change: not `return UV_EINVAL;`, no comments and directives. One scan for each pattern, and none
# for what is not in the file, takes a third of the time of one pattern for all.
_BEGINNING = re.compile(
    rb"^[ \t]*(?:_{0,2}[A-Z][A-Za-z0-9]*[A-Z_]|(?:extern|static|inline|virtual|constexpr|explicit|friend|template|class|struct|"
    rb"union|enum|typedef|namespace|export|module|import|signals|public|private|protected|asmlinkage|noinline|notrace)\b)",
    re.MULTILINE,
)
_WITHIN = (
    (re.compile(rb"\)[ \t]*(?:(?:const|noexcept)[ \t]+)?[A-Z][A-Z0-9_]{2}"), (b")",)),
    (re.compile(rb"\bU(?:META|PARAM)\b"), (b"UMETA", b"UPARAM")),
    (re.compile(rb"\b__[a-z]"), (b"__",)),
)
# Without capitals only these do.
_CAPITALS = re.compile(rb"[A-Z][A-Z0-9_]{2}")
_SMALL = re.compile(rb"\b(?:class|struct|union|export|module|import|slots|signals|asmlinkage|noinline|notrace|__[a-z])")
# `class FOO_API Bar : …`, `struct PACKED(4) Bar {`, `enum class FOO_API Kind`: not `struct STAT st;`
_TYPE = re.compile(
    rb"\b(?:class|struct|union|enum)[ \t]+(?:(?:class|struct)[ \t]+)?((?:" + _MACRO + rb"[ \t]+)+)"
    rb"(?=[A-Za-z_][\w:]*(?:[ \t]*<[^;{}]*>)?(?:[ \t]+(?:final|sealed|[A-Z_]{3,})\b)?[ \t]*(?:\r?\n[ \t]*)?[:{])"
)
# The same with a macro in any case, where what follows can be nothing else: `class mylib_api Bar : public …`
_MIXED_TYPE = re.compile(
    rb"[ \t]*(?:template\b[^;{}\n]*>[ \t]*)?(?:class|struct|union)[ \t]+(?!alignas\b|final\b)([A-Za-z_]\w*(?:" + _ARGUMENTS
    + rb")?[ \t]+)(?=(?!final\b)[A-Za-z_]\w*(?:[ \t]+final)?[ \t]*(?::[ \t]*(?:public|protected|private|virtual)\b|\{?[ \t]*\r?\n))"
)  # fmt: skip
_FORWARD = re.compile(
    rb"\b(?:class|struct)[ \t]+(" + _UPPER + rb"(?:API|EXPORTS?|PUBLIC|VISIBLE|DLL|VIS)[ \t]+)(?=\w+[ \t]*;)"
)
# `FOO_API int ns::f(…)`, `extern "C" FOO_API void f(…)`, `static FOO_INLINE int f(…)`: a type and a name follow
_LEADING = re.compile(
    rb'[ \t]*(?:(?:extern(?:[ \t]+"C(?:\+\+)?")?|static|inline|virtual|constexpr|explicit|friend|'
    rb"template[ \t]*<[^<>\n;{}]*>)[ \t]+)*"
    rb"((?:" + _MACRO + rb"[ \t]+)+)"
)
_TYPED_NAME = re.compile(rb"[A-Za-z_:][\w:<>,*& \t~]*[\w*&> \t]~?\w[\w:~]*(?:<[^()]*>)?(?:operator[^\w(]*)?[ \t]*\(")
_NAME_IN_BRACKETS = re.compile(rb"\w+[ \t]*\*{0,2}\(\w+\)[ \t]?\(")  # `LUA_API int (lua_gettop) (…)`
# A macro that makes a type: `PyAPI_FUNC(int) f(void);`
_RESULT = re.compile(
    rb"(?:(?:static|extern|inline)[ \t]+)*([A-Z][A-Za-z0-9]*_\w+[ \t]?"
    + _ARGUMENTS
    + rb")(?=[ \t]*\*{0,2}[A-Za-z_]\w*[ \t]*\()"
)
# `void f() const FOO_NOEXCEPT {`, `int f() REQUIRES(mutex) override;`
_SPECIFIERS = rb"(?:const|noexcept|override|final|volatile|&&?)"
_TRAILING = re.compile(
    rb"\)(?:[ \t]*" + _SPECIFIERS + rb"\b)?[ \t]*((?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{3,}(?=\())(?:\([^()\n]*\))?"
    rb"(?:[ \t]+(?:" + _UPPER + rb"(?:\([^()\n]*\))?|" + _SPECIFIERS + rb"))*[ \t]*)"
    rb"(?=\{|\r?\n[ \t]*\{|(?:const|noexcept|override|final)\b|=[ \t]*(?:0|default|delete)\b)"
)  # fmt: skip
_NAMESPACE = re.compile(rb"\bnamespace[ \t]+\w[\w:]*[ \t]+(" + _MACRO + rb")(?=\s*\{)")
_SLOTS = re.compile(rb"[ \t]*(?:public|private|protected)([ \t]+(?:slots|Q_SLOTS))[ \t]*:")
_SIGNALS = re.compile(rb"([ \t]*)(signals|Q_SIGNALS)(?=[ \t]*:)")
_PARAMETER = re.compile(rb"\b(U(?:META|PARAM)[ \t]?" + _ARGUMENTS + rb")")
# Words of the Linux kernel between a type and a name: they are in lower case.
_KERNEL = re.compile(
    rb"\b(asmlinkage|notrace|noinline(?:_for_stack)?|__(?:visible|init|exit|initdata|initconst|sched|kprobes|cold|ref|user|"
    rb"iomem|must_check|percpu|rcu|force|read_mostly|maybe_unused|cacheline_aligned|meminit|net_init|net_exit|bpf_kfunc))\b"
    rb"(?=[ \t\n*;=)])"
)
# On a line of its own: `Q_OBJECT`, `FMT_BEGIN_NAMESPACE`, `UPROPERTY(EditAnywhere, Category="x")`
_ALONE = re.compile(rb"[ \t]*(_{0,2}[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]\w*[A-Z_]\w*[ \t]?" + _ARGUMENTS + rb")[ \t]*\r?\n?")
_OPENED = re.compile(rb"[ \t]*([A-Z]\w*[A-Z_]\w*)[ \t]?\([^;{}]*\r?$")  # its arguments go on below
# What opens or closes something, and says nothing about the definition below.
_BORDER = re.compile(
    rb"BEGIN|END\b|END_|_DECLS|NAMESPACE|PUSH|POP|WARN|DIAGNOSTIC|^Q_(?!INVOKABLE|SLOT|SIGNAL)|GENERATED|DECLARE|DISALLOW|DISABLE|REGISTER"
)
_GOES_ON = b",(&|=+-<?!~^%["  # a line after such a character is in the middle of an expression
_NAME_AT_MARGIN = re.compile(rb"[*&]{0,2}(?![A-Z0-9_]+[ \t]?\()[A-Za-z_][\w:~]*[ \t]?\(")
# Tests that are named by a text: `TEST_CASE("a basket is empty", "[basket]") {`
_TEXT_TEST = re.compile(
    rb'[ \t]*((?:[A-Z]\w*_)?(?:TEST|SCENARIO|BENCHMARK|SUITE|SPEC)(?:_\w+)?)[ \t]*\(([^(){};\n"]*"[^\n{};]*)\)(?=\s*\{)'
)
_TEXT = re.compile(rb'"(?:[^"\\\n]|\\.)*"')
_NO_BREAK = re.compile(rb"[^\n\r]")
_NO_NAME = re.compile(rb"[^A-Za-z0-9_,]")
# `SYSCALL_DEFINE3(read, …) {` in C, which has no functions without a type
_FUNCTION_MACRO = re.compile(
    rb"([A-Z][A-Z0-9_]{2,})(?=[ \t]?\([ \t]*\w+[ \t]*(?:,(?:[^(){};\n]|\([^(){};\n]*\))*)?\)\s*\{)"
)
GROUPED = re.compile(r"(?:^|_)TEST(?:_[A-Z])?$|BENCHMARK_\w|METHOD$")  # a group, then the name
PLAIN_TYPE, GROUPED_TYPE = "_", "$"  # stand before a macro that defines a function: its name is read from the arguments
# `typedef NS_ENUM(NSInteger, Kind) {`, `NS_AVAILABLE(10_0) @interface A`
_OBJC_ENUM = re.compile(
    rb"(?:typedef[ \t]+)?(?:NS|CF)_(?:\w*ENUM|OPTIONS)[ \t]?\((?:[^(),\n]*,)?[ \t]*(\w+)[ \t]*\)(?=\s*\{)"
)
_OBJC_TYPE = re.compile(rb"((?:" + _MACRO + rb"[ \t]+)+)(?=@(?:interface|protocol|implementation)\b)")
# `export` of modules, which the grammar does not know; `export module shop;`, `import std;`
_EXPORT = re.compile(rb"[ \t]*(export)\b(?=[ \t]+\w)")
_MODULE = re.compile(rb"[ \t]*((?:export[ \t]+)?(?:module|import)\b[^;\n(){}=]*;)")


def without_macros(language: str, data: bytes) -> bytes:
    """The source with macros blanked that hide a definition from the grammar. As long as before."""
    parts: list[bytes] = []
    done = at = 0
    for candidate in _candidates(data):
        if candidate <= at:
            continue  # its line was looked at
        start = data.rfind(b"\n", 0, candidate) + 1
        at = end = _end_of_line(data, candidate)
        if end - start > LINE_BYTES:
            continue
        line = data[start:end]
        if _CAPITALS.search(line) is None and _SMALL.search(line) is None:
            continue
        if _OPENED.match(line):
            at = end = _end_of_arguments(data, start, end)
        rewritten = _rewritten(language, data, start, end)
        if rewritten is not None:
            parts += (data[done:start], rewritten)
            done = end
    return b"".join((*parts, data[done:])) if parts else data


def _candidates(data: bytes) -> list[int]:
    """Places in the lines that may need a change, in order."""
    ends = [match.end() for match in _BEGINNING.finditer(data)]
    for pattern, words in _WITHIN:
        if any(word in data for word in words):
            ends += [match.end() for match in pattern.finditer(data)]
    return sorted(ends)


def _end_of_line(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _end_of_arguments(data: bytes, start: int, end: int) -> int:
    """The end of the line on which the parentheses opened from `start` on are closed, with nothing behind them; else `end`."""
    last = end
    for _ in range(_MAX_LINES):
        text = data[start:last]
        if len(text) > _MAX_ARGUMENT_BYTES or last >= len(data):
            break
        if text.count(b"(") == text.count(b")"):
            return last if text.rstrip().endswith(b")") else end
        last = _end_of_line(data, last + 1)
    return end


def _rewritten(language: str, data: bytes, start: int, end: int) -> bytes | None:
    """A line, or several with the arguments of one macro, as the grammar understands them; None where nothing changes."""
    line = data[start:end]
    below = data[end : end + NEXT_BYTES]
    text = line + below
    if b"\n" in line:
        return _alone(line, data, start, end)
    if (named := _TEXT_TEST.match(text)) is not None:
        return _named_test(named, line)
    if language != "cpp" and (function := _FUNCTION_MACRO.match(text)) is not None:
        macro = function[1]
        kind = GROUPED_TYPE if GROUPED.search(macro.decode()) else PLAIN_TYPE
        return kind.encode() + b" " + line[2:]
    if _ALONE.fullmatch(line):
        return _alone(line, data, start, end)
    if language == "objc" and (enum := _OBJC_ENUM.match(text)) is not None:
        return (b"enum " + enum[1]).ljust(enum.end()) + line[enum.end() :]
    changed = _blanked(language, line, below)
    return changed if changed != line else None


def _blanked(language: str, line: bytes, below: bytes) -> bytes:
    is_type = b"class" in line or b"struct" in line or b"enum" in line or b"union" in line
    for pattern, is_possible in (
        (_TYPE, is_type), (_FORWARD, is_type and b";" in line), (_NAMESPACE, b"namespace" in line), (_TRAILING, b")" in line),
        (_PARAMETER, b"UMETA" in line or b"UPARAM" in line), (_KERNEL, b"__" in line or b"asmlinkage" in line),
    ):  # fmt: skip
        at = 0 if is_possible else len(line)
        while at < len(line) and (found := pattern.search(line + below, at)) is not None and found.start(1) < len(line):
            line = _blanks(line, found.start(1), found.end(1))
            at = found.end(1)
    for pattern in (_MIXED_TYPE, _OBJC_TYPE, *((_SLOTS, _MODULE, _EXPORT) if language == "cpp" else ())):
        if (found := pattern.match(line + below)) is not None:
            line = _blanks(line, found.start(1), found.end(1))
    leading = _LEADING.match(line)
    if leading is not None and _is_typed_name(line[leading.end() :]):
        line = _blanks(line, leading.start(1), leading.end(1))
    if (result := _RESULT.match(line)) is not None:
        line = _blanks(line, result.start(1), result.end(1), b"int")
    if (signals := _SIGNALS.match(line)) is not None:
        line = signals[1] + b"public".ljust(len(signals[2])) + line[signals.end() :]
    return line


def _is_typed_name(text: bytes) -> bool:
    """Whether a type, a name and a parenthesis follow."""
    head = text[: text.find(b"(") + 1]
    if _NAME_IN_BRACKETS.match(text):
        return True
    return len(head.split()) + head.count(b"*") + head.count(b"&") > 1 and _TYPED_NAME.match(head) is not None


def _blanks(line: bytes, start: int, end: int, instead: bytes = b"") -> bytes:
    """The line with other bytes from start to end; line breaks stay."""
    blank = _NO_BREAK.sub(b" ", line[start + len(instead) : min(end, len(line))])
    return line[:start] + instead + blank + line[min(end, len(line)) :]


def _alone(line: bytes, data: bytes, start: int, end: int) -> bytes | None:
    """A macro on lines of its own as a comment; blanks where it belongs to nothing; as it is where it begins a body or is in an
    expression.
    """
    after = data[end : end + 200].lstrip()
    macro = line.strip()
    if macro.endswith(b")") and after[:1] == b"{":
        return None
    above = data[max(0, start - 200) : start].rstrip()
    if above and above[-1:] in _GOES_ON and not _is_comment_or_directive(above):
        return None
    at, stop = line.index(macro), line.index(macro) + len(macro)
    if not at and data[end + 1 : end + 2].strip() and _NAME_AT_MARGIN.match(data, end + 1):
        return _blanks(line, at, stop, b"int")  # what it stands for is a type: `GLOBAL(void)`, `NS_IMETHODIMP`
    if _BORDER.search(macro.partition(b"(")[0]) or b"*/" in macro or len(macro) < 4:
        return _blanks(line, at, stop)
    return line[:at] + b"/*" + macro[2:-2] + b"*/" + line[stop:]


def _is_comment_or_directive(above: bytes) -> bool:
    return above[above.rfind(b"\n") + 1 :].lstrip()[:2].startswith((b"//", b"*", b"/*", b"#"))


def _named_test(found: re.Match[bytes], line: bytes) -> bytes:
    """Texts as names: `TEST_CASE(a_basket_is_empty, _basket_)`, which parses as a function."""
    start, end = found.span(2)
    arguments = _TEXT.sub(lambda text: _NO_NAME.sub(b"_", text[0].replace(b",", b"_")), found[2])
    words = b",".join(_NO_NAME.sub(b"_", part).strip(b"_").ljust(len(part)) for part in arguments.split(b","))
    if b"SUITE" not in found[1]:
        return line[:start] + words + line[end:]
    indent = found.start(1)  # a suite holds tests: a namespace
    name = words.partition(b",")[0].strip()[: end - indent - 10]
    return (line[:indent] + b"namespace " + name).ljust(end + 1) + line[end + 1 :]
