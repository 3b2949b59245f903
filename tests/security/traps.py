"""A workspace full of traps: whatever of it is run, imported or configured leaves a mark outside of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from tests.cli.program import CHECKOUT

PROGRAMS = "git python python3 uname ldconfig gcc ld sh env apt-get npm node pip uv hg less cat gpg ssh".split()
HOOKS = "post-index-change reference-transaction post-checkout pre-auto-gc fsmonitor-watchman".split()
CODE = '''def apply_ignore_rules(path, rules):
    """Whether an ignore rule excludes the path."""
    return any(rule.matches(path) for rule in rules)
'''
SIGNATURE = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----\n"


def lay_traps(root: Path, marks: Path, *, customize: bool = True) -> Path:
    """The workspace; each trap makes a file of its own in `marks`. `customize` adds the modules that Python itself imports
    when it starts, from a PYTHONPATH that the user has set.
    """
    marks.mkdir(exist_ok=True)
    root.mkdir()
    (root / "app.py").write_text(CODE)
    for name in module_names():
        (root / f"{name}.py").write_text(f"{CODE}\n\n{python_trap(marks, 'module ' + name)}")
    for name in ("sitecustomize", "usercustomize", "conftest") if customize else ("conftest",):
        (root / f"{name}.py").write_text(python_trap(marks, f"module {name}"))
    (root / "evil.pth").write_text(f"import os; {python_trap(marks, 'pth')}")
    for folder in (root, root / "bin", root / ".venv" / "bin"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in PROGRAMS:
            program(folder / name, marks, f"program {name} in {folder.name}")
    (root / ".vscode").mkdir()
    interpreter = {"python.defaultInterpreterPath": str(root / "python"), "c2llm.server.path": str(root / "git")}
    (root / ".vscode" / "settings.json").write_text(json.dumps(interpreter))
    repository(root, marks)
    return root


@cache
def module_names() -> list[str]:
    """What our dependencies are imported as, and the standard library but for what Python has imported before our first line."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = {
        name.replace("_", "-").lower() for name in re.findall(r'"([A-Za-z][\w.-]*)(?:\[[^"]*\])?[<>=,\d.;" ]', text)
    }
    installed = {
        name
        for name, owners in metadata.packages_distributions().items()
        if {o.replace("_", "-").lower() for o in owners} & wanted
    }
    guessed = {name.replace("-", "_").replace(".", "_") for name in wanted}
    code = "import runpy, sys; print(*sys.modules)"
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/").stdout
    taken = {*first.split(), "c2llm_lsp", "retrieval", "tests"}
    names = installed | guessed | set(sys.stdlib_module_names)
    return sorted(name for name in names if name.isidentifier() and not name.startswith("test") and name not in taken)


def python_trap(marks: Path, name: str) -> str:
    return f"open({str(marks / name)!r}, 'a').close()\n"


def program(path: Path, marks: Path, name: str) -> Path:
    path.write_text(f"#!/bin/sh\n/usr/bin/touch '{marks / name}'\nexit 1\n")
    path.chmod(0o755)
    return path


def repository(root: Path, marks: Path) -> None:
    """A repository with a signed commit whose configuration and hooks are traps."""

    def git(*arguments: str, given: str | None = None) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null")
        command = ["/usr/bin/git", "-C", str(root), *names, *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, input=given, cwd=marks
        ).stdout.strip()

    git("init", "-q")
    (root / ".gitattributes").write_text("*.py diff=trap filter=trap\n.git* filter=process\n")
    git("add", "app.py", ".gitattributes")
    git("commit", "-qm", "Add the rules that leave files out")
    (root / "app.py").write_text(f"{CODE}\n\nLIMIT = 3\n")
    git("commit", "-qam", "Limit how many rules are read at once")
    raw = subprocess.run(
        ["/usr/bin/git", "-C", str(root), "cat-file", "commit", "HEAD"], check=True, capture_output=True, text=True
    ).stdout
    head, _, message = raw.partition("\n\n")
    signed = git("hash-object", "-t", "commit", "-w", "--stdin", given=f"{head}\n{SIGNATURE}\n{message}")
    git("update-ref", "HEAD", signed)

    def trap(name: str) -> str:
        return str(program(root / ".git" / f"trap-{name.replace(' ', '-')}", marks, f"git {name}"))

    hooks = root / ".git" / "evil-hooks"
    hooks.mkdir()
    for hook in HOOKS:
        for folder in (hooks, root / ".git" / "hooks"):
            folder.mkdir(exist_ok=True)
            program(folder / hook, marks, f"hook {hook}")
    (root / ".git" / "config").write_text(
        f"""[core]
    repositoryformatversion = 0
    fsmonitor = {trap("fsmonitor")}
    hooksPath = {hooks}
    pager = {trap("pager")}
    editor = {trap("editor")}
    sshCommand = {trap("ssh")}
    askPass = {trap("askpass")}
    gitProxy = {trap("proxy")}
    alternateRefsCommand = {trap("alternates")}
[diff]
    external = {trap("external diff")}
    submodule = diff
[diff "trap"]
    textconv = {trap("textconv")}
    command = {trap("diff command")}
[filter "trap"]
    clean = {trap("clean")}
    smudge = {trap("smudge")}
[filter "process"]
    process = {trap("process")}
[credential]
    helper = !{trap("credential")}
[alias]
    log = !{trap("alias")}
[log]
    showSignature = true
[gpg]
    program = {trap("gpg")}
[pager]
    log = {trap("pager of log")}
"""
    )


def make_partial(root: Path, marks: Path, address: str) -> None:
    """What is missing is to be fetched from this address, by a program that the configuration names."""
    name = program(root / ".git" / "trap-fetch", marks, "git fetch")
    config = root / ".git" / "config"
    config.write_text(
        f"""{config.read_text().partition("[remote")[0]}[remote "origin"]
    url = {address.format(program=name)}
    promisor = true
    uploadpack = {name}
[extensions]
    partialClone = origin
"""
    )


def sprung(marks: Path) -> list[str]:
    return sorted(path.name for path in marks.iterdir())
