"""How well a use of a name is known to mean one definition, by scope and imports; no types are inferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.chunking.structure import ANY, Definition, Mention
from retrieval.chunking.structure.call_tables import EXPLICIT_IMPORT, EXPLICIT_RECEIVER, FOLDER_PACKAGES
from retrieval.structure.answers import CERTAINTIES, Certainty, SymbolDefinition
from retrieval.structure.modules import module_match

_OWN = frozenset({"self", "this", "cls", "$this", "@", "static", "Self"})
_PARENT = frozenset({"super", "parent", "base"})
# Names that the types of the languages' libraries have too: of `x.get()` nothing is known.
_COMMON = frozenset(
    """add all any append apply call clear close copy count decode delete encode entries every extend filter find first flush format
    forEach get has index insert items iter join keys last length len list lower map match max min next open pop push put read
    reduce remove replace reverse run search seek send set size slice sort split start stop strip sub then toString trim update
    upper value values write""".split()
)


@dataclass(frozen=True, slots=True)
class UsingFile:
    """The file of a use, and what it defines under the name itself."""

    path: str
    language: str
    own: Sequence[Definition]


def certainty(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """How well a use means the target; None where it means something else. `alone`: no other definition has the name."""
    if use.qualifier:
        return _of_member(use, file, target, alone)
    if use.module and use.module != ANY:
        return _of_import(use, file, target, alone)
    return _of_bare(use, file, target, alone)


class Judge:
    """How well uses mean one of several definitions of a name. What is the same for many uses is found out once: a name such as
    append has thousands, of dozens of definitions.
    """

    def __init__(self, targets: Sequence[SymbolDefinition], *, alone: bool) -> None:
        self._targets, self._alone = targets, alone
        self._paths = {target.path for target in targets}
        owners = {target.scope.rpartition(".")[2] for target in targets}
        self._owners = {owner.lower() for owner in owners} | {_plain(owner) for owner in owners}
        self._known: dict[tuple[str, ...], Certainty | None] = {}

    def best(self, use: Mention, file: UsingFile) -> Certainty | None:
        """The best certainty of all definitions; None where the use means none of them."""
        if not use.qualifier or use.qualifier in _OWN or use.qualifier in _PARENT:
            return self._best(use, file)
        if use.module and use.module != ANY:
            origin: tuple[str, ...] = (use.qualifier, use.module, use.original)
        else:  # a value that is named as none of the types are is like any other
            origin = (use.qualifier if _plain(_last(use.qualifier)) in self._owners else "",)
        is_own = file.path in self._paths or use.module.startswith(".")
        key = (file.language, file.path if is_own else "", *origin)
        if key not in self._known:
            self._known[key] = self._best(use, file)
        return self._known[key]

    def _best(self, use: Mention, file: UsingFile) -> Certainty | None:
        found = [one for target in self._targets if (one := certainty(use, file, target, self._alone)) is not None]
        return min(found, key=CERTAINTIES.index) if found else None


def _last(qualifier: str) -> str:
    """`self.files`, `a::files` -> `files`."""
    return qualifier.replace("::", ".").replace("->", ".").replace("\\", ".").rpartition(".")[2]


def _plain(name: str) -> str:
    """A name as it is compared with that of a type: `_file_store`, `FileStore` -> `filestore`."""
    return name.strip("_$@").replace("_", "").lower()


def _of_import(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """A name that an import binds. One that an import takes from nowhere in the index is another one."""
    if target.scope and target.kind == "method" and file.language in EXPLICIT_RECEIVER:
        return None
    match = module_match(use.module, use.original, file.path, target.path, target.language)
    if match:
        return "certain" if match == "exact" or alone else "likely"
    return "likely" if alone and use.module.startswith(("@", "~", ".")) else None


def _of_bare(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """`name()` with nothing before it and no import that binds it."""
    is_member = target.kind == "method"
    if is_member and file.language in EXPLICIT_RECEIVER:
        return None
    if file.path == target.path:
        return _in_own_file(use, file, target)
    is_defined_nearer = any(_is_visible(definition.scope, use) for definition in file.own)
    is_built_in = file.language in EXPLICIT_IMPORT and use.module != ANY
    is_inner = bool(target.scope) and target.kind == "function"
    if is_defined_nearer or is_built_in or is_inner:
        return None
    near, far = _by_folder(use, file, target) if not is_member else ("likely", "by name")
    return near if alone else far


def _in_own_file(use: Mention, file: UsingFile, target: SymbolDefinition) -> Certainty | None:
    if not _is_visible(target.scope, use):
        return "by name" if target.kind != "function" else None
    if any(len(d.scope) > len(target.scope) and _is_visible(d.scope, use) for d in file.own):
        return None
    return "certain" if sum(d.scope == target.scope for d in file.own) == 1 else "likely"


def _by_folder(use: Mention, file: UsingFile, target: SymbolDefinition) -> tuple[Certainty, Certainty]:
    """How well a bare name means a definition in another file, where it is the only one and where it is one of several."""
    if use.module != ANY and file.language not in FOLDER_PACKAGES:
        return "likely", "by name"
    same = file.path.rpartition("/")[0] == target.path.rpartition("/")[0]
    return ("certain", "likely") if same else ("likely", "by name")


def _is_visible(scope: str, use: Mention) -> bool:
    """Whether what has this scope is seen, by its bare name, from inside the definition around a use."""
    return not scope or f"{use.around}.".startswith(f"{scope}.")


def _of_member(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """`before.name()`."""
    before = use.qualifier
    if before in _OWN or before in _PARENT:
        return _of_own(use, file, target, alone)
    owner = target.scope.rpartition(".")[2]
    if use.module and use.module != ANY:
        return _of_imported(use, file, target, alone)
    last = _last(before)
    if owner and last == owner:
        return "certain" if alone or file.path == target.path else "likely"
    if target.kind == "function" and file.language in EXPLICIT_RECEIVER:
        return None
    if owner and _plain(last) == owner.lower():
        return "likely"  # store.apply() of a class Store
    return "likely" if alone and target.name not in _COMMON and target.kind == "method" else "by name"


def _of_imported(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """A member of something that an import binds: a module, a type, or a value of some type."""
    match = module_match(use.module, use.original, file.path, target.path, target.language)
    owner = target.scope.rpartition(".")[2]
    if match and (not target.scope or use.original in (owner, "", "default")):
        return "certain" if match == "exact" or alone else "likely"
    if not match and not use.original and not use.module.startswith("."):
        return None  # a member of a module that is not in the index
    return "by name" if target.scope else None


def _of_own(use: Mention, file: UsingFile, target: SymbolDefinition, alone: bool) -> Certainty | None:
    """A member of the class that is around the use, or of one that it inherits from."""
    if target.kind != "method":
        return None
    is_inside = file.path == target.path and use.around.startswith(f"{target.scope}.")
    otherwise: Certainty = "likely" if alone else "by name"
    if use.qualifier in _PARENT:
        return None if is_inside else otherwise
    if is_inside:
        return "certain"
    own_class_has_it = any(d.scope and use.around.startswith(f"{d.scope}.") for d in file.own)
    return None if own_class_has_it else otherwise
