"""Runs git to read the history and the index of an untrusted repository.

A repository's own configuration may name programs: a file system monitor, hooks, a pager, textconv and external diff
commands, a signature verifier, a transport that fetches missing objects of a partial clone. All of them are disabled on the
command line, which takes precedence. The user and system configuration are read, because they contain `safe.directory`,
which git still enforces; so are the variables that name them. Every other GIT_* variable is dropped.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from retrieval.processes.environment import (
    SAFE_FOLDER,
    child_environment,
    exclude_workspace,
    find_program,
    in_workspace,
)

Process = subprocess.Popen[str]

_SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.gitProxy=",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "credential.helper=",
    "protocol.allow=never",
    "diff.external=",
    "diff.submodule=short",  # "diff" starts another git in the submodule, without these settings
    f"diff.orderFile={os.devnull}",
    "submodule.recurse=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.logOutputEncoding=UTF-8",
)
_DIFF = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_LOG = ("--no-color", "--submodule=short", *_DIFF)
_EMPTY_TREES = (  # of SHA-1 and SHA-256
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
)
_FIXED_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
}
_CONFIG_FILE_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
_INHERITED_VARIABLES = ("GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES")


def read_log(root: Path, *options: str, seconds: float) -> bytes | None:
    """The output of `git log`; None without git, without a repository or after a timeout."""
    completed = _run(root, "log", *_LOG, *options, seconds=seconds)
    return completed.stdout if completed is not None and completed.returncode == 0 else None


def staged_names(top: Path, *, seconds: float) -> frozenset[bytes]:
    """The files whose entry in the index differs from the last commit, from the top of the work tree on; none without git or
    after a timeout. The work tree is not looked at, so that no filter of the configuration is started.
    """
    for tree in ("HEAD", *_EMPTY_TREES):  # before the first commit all is new
        command = ("diff-index", "--cached", "--name-only", "-z", "--no-renames", *_DIFF, tree)
        completed = _run(top, *command, seconds=seconds)
        if completed is None:
            break
        if completed.returncode == 0:
            return frozenset(completed.stdout.split(b"\0")) - {b""}
    return frozenset()


def _run(root: Path, *arguments: str, seconds: float) -> subprocess.CompletedProcess[bytes] | None:
    """A git command that has ended; None without git or after a timeout."""
    try:
        return subprocess.run(
            _command(root, *arguments),
            cwd=SAFE_FOLDER,
            env=_environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None


def start_log(root: Path, *options: str) -> Process:
    """Start `git log` with stdout and stderr as text streams. Raises OSError without git."""
    return subprocess.Popen(
        _command(root, "log", *_LOG, *options),
        cwd=SAFE_FOLDER,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


class Blobs:
    """The contents of a repository's files, by their object names: one `git cat-file` that answers until the end."""

    def __init__(self, root: Path) -> None:
        """Raises OSError without git."""
        self._process = subprocess.Popen(
            _command(root, "cat-file", "--batch"),
            cwd=SAFE_FOLDER,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def read(self, name: str) -> bytes | None:
        """The bytes of a blob; None where the repository lacks it."""
        source, answer = self._process.stdin, self._process.stdout
        if source is None or answer is None:
            return None
        try:
            source.write(name.encode() + b"\n")
            source.flush()
        except OSError:
            return None
        header = answer.readline().split()
        if len(header) != 3:
            return None
        content = answer.read(int(header[2]))
        answer.read(1)
        return content if header[1] == b"blob" else None

    def __enter__(self) -> Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with self._process:
            pass


def _command(root: Path, verb: str, *options: str) -> list[str]:
    exclude_workspace(root)
    program = find_program("git")
    if program is None:
        raise FileNotFoundError("git is not on the PATH")
    settings = [argument for setting in _SETTINGS for argument in ("-c", setting)]
    command = [program, "-C", str(root.absolute()), "--no-pager", "--no-optional-locks", *settings]
    return [*command, verb, *options]


def _environment() -> dict[str, str]:
    environment = {**child_environment(), **_FIXED_VARIABLES}
    for name in _CONFIG_FILE_VARIABLES:
        file = os.environ.get(name, "")
        if os.path.isabs(file) and not in_workspace(file):
            environment[name] = file
    for name in _INHERITED_VARIABLES:
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment
