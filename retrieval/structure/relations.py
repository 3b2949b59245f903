"""Callers, callees and references of a symbol, from the rows of names and, for mentions that are no calls, from the full text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrieval.chunking.structure import Definition, Mention, read_row, unpack
from retrieval.globs import PathMatcher
from retrieval.indexing import OverlaidRows
from retrieval.store import split_identifiers
from retrieval.structure.answers import CERTAINTIES, Certainty, Relation, SymbolDefinition, Usage
from retrieval.structure.certainty import Judge, UsingFile, certainty
from retrieval.types import Filters

MAX_FILES = 500  # that define or use a name: 10 ms
MAX_DEFINING = 100  # files of which the definitions of a name are read
MAX_MENTIONS = 300  # chunks that are looked through for a name, beside its calls
MAX_DEFINITIONS = 50  # of a name that all count


@dataclass(frozen=True, slots=True)
class Related:
    """Usages, the best known first, how many there are, and names that are called and not defined in the index."""

    usages: tuple[Usage, ...]
    total: int
    unresolved: tuple[str, ...] = ()
    is_cut: bool = False  # more files use the name than were looked at


@dataclass(frozen=True, slots=True)
class _NameRows:
    """All rows of a name: who defines and who uses it."""

    definitions: list[SymbolDefinition]
    files: list[tuple[UsingFile, list[Mention]]]
    is_cut: bool


def relate(
    rows: OverlaidRows, relation: Relation, definitions: Sequence[SymbolDefinition], filters: Filters, limit: int
) -> Related:
    """The usages of symbols with these definitions, which have one name; without the text of their lines."""
    if not definitions:
        return Related((), 0)
    if relation == "callees":
        return _callees(rows, definitions, filters, limit)
    wanted = ("call",) if relation == "callers" else ("call", "import")
    named = _named(rows, definitions[0].name)
    found = list(_uses(named, definitions, wanted, _Passes(filters)))
    if relation == "references":
        found += _mentions(rows, definitions[0].name, found, definitions, _Passes(filters))
    found.sort(key=lambda usage: (CERTAINTIES.index(usage.certainty), usage.path, usage.line))
    return Related(tuple(found[:limit]), len(found), is_cut=named.is_cut)


class _Passes:
    """Whether a file passes the filters."""

    def __init__(self, filters: Filters) -> None:
        self._paths, self._filters = PathMatcher(filters), filters

    def __call__(self, path: str, language: str) -> bool:
        return self._paths.match(path) and self._filters.passes_language(language, language)


def definitions_named(rows: OverlaidRows, name: str) -> list[SymbolDefinition]:
    """All definitions of a name: functions and types, else variables."""
    found = [
        symbol_definition(row.path, row.language, definition)
        for row in rows.named(name, MAX_DEFINING)
        if row.defines
        for definition in read_row(name, row.data)[0]
    ]
    return found or list(_variables(rows, name))


def symbol_definition(path: str, language: str, d: Definition) -> SymbolDefinition:
    return SymbolDefinition(path, language, d.kind, d.name, d.scope, d.first, d.last, d.line)


def _variables(rows: OverlaidRows, name: str) -> Iterator[SymbolDefinition]:
    for chunk in rows.chunks([row for row, spelled in rows.by_symbol([name]) if spelled == name]).values():
        for symbol in chunk.symbols:
            if symbol.name == name:
                lines = (symbol.start_line, symbol.end_line, symbol.start_line)
                yield SymbolDefinition(chunk.path, chunk.language, symbol.kind, name, symbol.scope, *lines)


def _named(rows: OverlaidRows, name: str) -> _NameRows:
    named = rows.named(name, MAX_FILES + 1)
    definitions, files = list[SymbolDefinition](), list[tuple[UsingFile, list[Mention]]]()
    for row in named[:MAX_FILES]:
        own, mentions = read_row(name, row.data)
        definitions += [symbol_definition(row.path, row.language, d) for d in own]
        files.append((UsingFile(row.path, row.language, own), mentions))
    return _NameRows(definitions, files, len(named) > MAX_FILES)


def _uses(
    named: _NameRows, targets: Sequence[SymbolDefinition], kinds: Sequence[str], passes: _Passes
) -> Iterator[Usage]:
    judge = Judge(targets[:MAX_DEFINITIONS], alone=len(named.definitions) == 1 and not named.is_cut)
    for file, mentions in named.files:
        if not passes(file.path, file.language):
            continue
        for use in mentions:
            if use.kind in kinds and (best := judge.best(use, file)) is not None:
                yield Usage(file.path, use.line, use.kind, use.around, use.first, use.last, "", best)


def _mentions(
    rows: OverlaidRows, name: str, known: Sequence[Usage], targets: Sequence[SymbolDefinition], passes: _Passes
) -> Iterator[Usage]:
    """Other places of the name in the text: values, types, comments. The definitions themselves come as such."""
    for target in targets:
        if passes(target.path, target.language):
            yield Usage(
                target.path,
                target.line,
                "definition",
                target.qualified,
                target.first_line,
                target.last_line,
                "",
                "certain",
            )
    seen = {(usage.path, usage.line) for usage in known} | {(target.path, target.line) for target in targets}
    pattern = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    words = list(dict.fromkeys(split_identifiers(name).split()))
    ids = [int(row) for row in rows.phrase(words, MAX_MENTIONS)] if words else []
    for chunk in rows.chunks(ids).values():
        if chunk.kind == "cell" or not passes(chunk.path, chunk.language):
            continue
        for number, line in enumerate(chunk.text.split("\n"), chunk.start_line):
            if (chunk.path, number) not in seen and pattern.search(line):
                seen.add((chunk.path, number))
                yield Usage(
                    chunk.path, number, "mention", chunk.qualified, chunk.start_line, chunk.end_line, "", "by name"
                )


def _callees(rows: OverlaidRows, callers: Sequence[SymbolDefinition], filters: Filters, limit: int) -> Related:
    """What the definitions call, where it is defined in the index."""
    passes = _Passes(filters)
    calls = [call for caller in callers[:MAX_DEFINITIONS] for call in _calls_in(rows, caller)]
    names = list(dict.fromkeys(call.name for call in calls))
    defined: dict[str, list[SymbolDefinition]] = {name: [] for name in names}
    for name, row in rows.defining(names):
        defined[name] += [symbol_definition(row.path, row.language, d) for d in read_row(name, row.data)[0]]
    found: dict[tuple[str, int, str], Usage] = {}
    unresolved: dict[str, None] = {}
    for call in calls:
        targets = _meant(call, defined[call.name])
        if not targets:
            unresolved.setdefault(call.name)
        for target, how in targets:
            if passes(target.path, target.language):
                key = (target.path, target.line, target.name)
                before = found.get(key)
                sites = (*(before.calls if before else ()), call.line)
                best = min((before.certainty, how), key=CERTAINTIES.index) if before else how
                span = (target.first_line, target.last_line)
                found[key] = Usage(
                    target.path, target.line, "call", target.qualified, *span, "", best, tuple(dict.fromkeys(sites))
                )
    usages = sorted(found.values(), key=lambda usage: (CERTAINTIES.index(usage.certainty), usage.calls, usage.path))
    return Related(tuple(usages[:limit]), len(usages), tuple(unresolved))


@dataclass(frozen=True, slots=True)
class _Call:
    """A call in a caller: what is called, where, and as it is written there."""

    name: str
    line: int
    mention: Mention
    file: UsingFile


def _calls_in(rows: OverlaidRows, caller: SymbolDefinition) -> Iterator[_Call]:
    data = rows.structure_of(caller.path)
    if data is None:
        return
    structure = unpack(data)
    by_name: dict[str, list[Definition]] = {}
    for definition in structure.definitions:
        by_name.setdefault(definition.name, []).append(definition)
    for use in structure.uses:
        if use.kind != "call" or not caller.first_line <= use.line <= caller.last_line or use.owner < 0:
            continue
        around = structure.definitions[use.owner]
        if around.first < caller.first_line or around.last > caller.last_line:
            continue
        module = "*" if structure.wildcards and not use.module and not use.qualifier else use.module
        mention = Mention(
            use.kind, use.line, use.qualifier, module, use.original, around.qualified, around.first, around.last
        )
        yield _Call(use.name, use.line, mention, UsingFile(caller.path, caller.language, by_name.get(use.name, [])))


def _meant(call: _Call, targets: Sequence[SymbolDefinition]) -> list[tuple[SymbolDefinition, Certainty]]:
    """The definitions that a call may mean: those that are known best."""
    alone = len(targets) == 1
    found = [
        (target, how)
        for target in targets[:MAX_DEFINITIONS]
        if (how := certainty(call.mention, call.file, target, alone)) is not None
    ]
    best = min((CERTAINTIES.index(how) for _, how in found), default=0)
    return [(target, how) for target, how in found if CERTAINTIES.index(how) == best]
