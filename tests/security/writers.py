"""The modules that write files by anything but `retrieval.private_files`."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import c2llm_lsp
import retrieval

# Why their files need not be private, or are.
OTHERS = {
    "c2llm_lsp.agents.changes": "configuration of other programs, which keeps its mode; a repository's is for all who read it",
    "c2llm_lsp.cli.serve": "opens the log, which was made private just before",
    "c2llm_lsp.server.protocol.reference": "a page of this package's documentation",
    "c2llm_lsp.server.run_server": "the log, which the command has made private",
    "retrieval.finetune.query_fitting": "in a private folder; the registry tightens what is there",
    "retrieval.finetune.weights_io": "in a private folder; the registry tightens what is there",
    "retrieval.indexing.ipc": "tells the kernel which process to end first",
    "retrieval.evaluation.own.benchmark": "in a private folder, tightened",
    "retrieval.store.damage": "a database that is there",
    "retrieval.store.database": "made private before it is opened",
}
# What users have made of public packages or models, in a folder that they name.
OTHER_PACKAGES = (
    "retrieval.training",
    "retrieval.model",
    "retrieval.evaluation.mteb_code",
    "retrieval.evaluation.paraphrases",
    "retrieval.evaluation.pooling",
)
_WRITES = {"write_text", "write_bytes", "makedirs", "touch", "copy", "copyfile", "copytree", "copy2", "FileHandler"}
_MAY_WRITE = re.compile(
    r"write_|makedirs|touch|shutil|FileHandler|mkdir|FileLock|open\(|connect\("
)  # parsing costs 10 ms a module
_PRIVATE = "retrieval.private_files"


def writing_modules() -> dict[str, list[str]]:
    """Modules with the calls by which they write files that others may be able to read."""
    calls = {name: [ast.unparse(call) for call in _writing(_tree(name))] for name in _modules()}
    return {name: found for name, found in calls.items() if found}


def _modules() -> list[str]:
    return [
        info.name
        for package in (retrieval, c2llm_lsp)
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if info.name != _PRIVATE
        and not any(info.name == name or info.name.startswith(name + ".") for name in OTHER_PACKAGES)
    ]


def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    return ast.parse(source if _MAY_WRITE.search(source) else "")


def _writing(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if (
            (name in _WRITES and (owner in ("shutil", "logging") or not name.startswith("copy")))
            or (name in ("mkdir", "FileLock") and keywords.get("mode") not in ("FOLDER_MODE", "FILE_MODE"))
            or (name == "open" and owner != "os" and _is_for_writing(node, owner) and "opener" not in keywords)
            or (name == "open" and owner == "os" and len(node.args) > 2 and ast.unparse(node.args[2]) != "FILE_MODE")
            or (name == "connect" and owner == "sqlite3" and not _only_reads(node))
        ):
            yield node


def _is_for_writing(call: ast.Call, owner: str) -> bool:
    """Whether a mode is given that writes, or one that cannot be told; not for numbers of open files."""
    modes = call.args[0:1] if owner else call.args[1:2]
    modes += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    if not owner and call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, int):
        return False
    return any(set("wax+") & set(str(getattr(mode, "value", ""))) for mode in modes if isinstance(mode, ast.Constant))


def _only_reads(call: ast.Call) -> bool:
    return any(mark in ast.unparse(call.args[0]) for mark in ("mode=ro", ":memory:"))
