"""All regular expressions of the package: those that modules hold, how they are used, and those written where they are used."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import c2llm_lsp
import retrieval

# Never see text of a workspace, or only what the user names to train or to evaluate with, once and in the foreground.
ELSEWHERE = {
    "retrieval.training": "packages named by whoever trains a model; what `c2llm adapt` uses of it is listed in TRAINING",
    "retrieval.evaluation": "benchmarks and packages named by whoever evaluates",
    "retrieval.model": "names and files of models",
    "retrieval.encoders.remote": "addresses and answers of an embeddings server",
    "retrieval.llm.endpoint": "names, addresses and keys of language models, from the user's own settings",
    "retrieval.processes": "environment and paths of the interpreter",
    "c2llm_lsp.embeddings_server": "requests of clients that have a token",
    "c2llm_lsp.cli.runtime_checks": "metadata of installed packages",
    "c2llm_lsp.settings": "the user's own settings; those of a workspace are read as TOML",
}
# Modules of retrieval.training that `c2llm adapt` uses on the text of a workspace.
TRAINING = {
    f"retrieval.training.{name}" for name in "decontamination doc_comments extraction mining pair_sources".split()
}
MARKS = ('"""', "'" * 3, "/*")
ALL_USES = frozenset({"match", "fullmatch", "search"})
# Of patterns in containers and of those handed on: as they are used in fact.
USES: dict[str, set[str]] = {
    **{f"retrieval.search.definitions:_FORMS[{n}][0]": {"fullmatch"} for n in range(3)},
    **{f"retrieval.search.definitions:_FORMS[{n}][1]": {"match"} for n in range(3)},
    **{f"retrieval.search.definitions:_FORMS_OF_C[{n}][0]": {"fullmatch"} for n in range(2)},
    **{f"retrieval.search.definitions:_FORMS_OF_C[{n}][1]": {"match"} for n in range(2)},
    **{
        f"retrieval.search.definitions:{name}": {"fullmatch"}
        for name in ("_ASSIGNED", "_MEMBER", "_PROTOTYPE", "_TYPEDEF", "_USING")
    },
    **{f"retrieval.search.definitions:{name}": {"match"} for name in ("_CALLABLE", "_VALUE", "_EQUALS", "_ENDS")},
    **{f"retrieval.search.duplicates:_ENDS[{mark!r}]": {"match"} for mark in MARKS},
}
# Take long to import, and know no pattern.
HEAVY = {"retrieval.encoders.sentence_transformer", "retrieval.rag.embedding"}
_AS_SEARCH = {"search", "finditer", "findall", "sub", "subn", "split"}
_USES = _AS_SEARCH | {"match", "fullmatch"}
_DEEP = 4  # levels of containers within a module's names


@dataclass(frozen=True)
class Held:
    """A compiled pattern, the name that holds it and the uses that are made of it."""

    name: str  # module:name, or module:name[key]
    pattern: re.Pattern[Any]
    uses: frozenset[str]


def sees_a_workspace(module: str) -> bool:
    return module in TRAINING or not any(module == name or module.startswith(name + ".") for name in ELSEWHERE)


@lru_cache
def modules() -> tuple[str, ...]:
    return tuple(
        sorted(
            info.name
            for package in (retrieval, c2llm_lsp)
            for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
            if not info.name.endswith("__main__") and sees_a_workspace(info.name)
        )
    )


@lru_cache
def tree_of(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


@lru_cache
def held() -> tuple[Held, ...]:
    """Each pattern once, by the module that makes it: one that imports it has the same object."""
    found: dict[int, tuple[str, re.Pattern[Any]]] = {}
    uses: dict[int, set[str]] = defaultdict(set)
    for module in modules():
        if module in HEAVY:
            continue
        try:
            loaded = importlib.import_module(module)
        except ImportError:  # of an extra that is not installed here: torch
            continue
        called, assigned = _uses_by_name(module)
        for name, value in vars(loaded).items():
            if name.startswith("__"):
                continue
            for key, pattern in _patterns(value, "", _DEEP):
                whole = f"{module}:{name}{key}"
                if id(pattern) not in found or (name in assigned and not key):
                    found[id(pattern)] = (whole, pattern)
                uses[id(pattern)] |= USES.get(whole) or called.get(name, set())
    return tuple(
        sorted(
            (
                Held(name, pattern, frozenset(uses[key] - {"other"} or ALL_USES))
                for key, (name, pattern) in found.items()
            ),
            key=lambda one: one.name,
        )
    )


def _patterns(value: Any, key: str, deep: int) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(value, re.Pattern):
        yield key, value
    elif not deep:
        return
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _patterns(inner, f"{key}[{name!r}]", deep - 1)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for number, inner in enumerate(value):
            yield from _patterns(inner, f"{key}[{number}]", deep - 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _patterns(getattr(value, field.name, None), f"{key}.{field.name}", deep - 1)


def _uses_by_name(module: str) -> tuple[dict[str, set[str]], set[str]]:
    """The methods that a module calls on each name, and the names that it assigns. A name that it hands on may be used in
    all ways.
    """
    found: dict[str, set[str]] = defaultdict(set)
    called: set[int] = set()
    nodes = list(ast.walk(tree_of(module)))
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in _USES and _name(node.value):
            found[_name(node.value)].add("search" if node.attr in _AS_SEARCH else node.attr)
            called.add(id(node.value))
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load) and id(node) not in called:
            found[_name(node)] |= ALL_USES
    assigned = {_name(node) for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return found, assigned


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def inline(module: str) -> list[str]:
    """Where a module makes a pattern inside a function, or gives one as a string to a function of `re`."""
    out: list[str] = []
    if not uses_re(module):
        return out
    for function in ast.walk(tree_of(module)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _name(node.func.value) == "re"
                and node.func.attr in _USES | {"compile"}
            ):
                out.append(f"{module}: {ast.unparse(node.args[0])}")
    return sorted(set(out))


def uses_re(module: str) -> bool:
    return any(
        isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
        for node in ast.walk(tree_of(module))
    )
