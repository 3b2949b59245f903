"""Runs git to read the history of a repository that nobody vouches for.

A repository's own configuration may name programs: a monitor of files, hooks, a pager, converters for diffs, a checker of
signatures, a transport that fetches what a partial clone lacks. All of them are switched off on the command line, which
outranks it. The user's and the system's configuration are read, because they hold `safe.directory`, which git goes on
enforcing; so are the variables that name them. Every other GIT_* variable is left out.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from retrieval.processes.environment import SAFE_FOLDER, environment_of_helpers, find_program, in_workspace, keep_out

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
    "diff.submodule=short",  # "diff" starts another git in the submodule, which does not know of these settings
    f"diff.orderFile={os.devnull}",
    "submodule.recurse=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.logOutputEncoding=UTF-8",
)
_LOG = ("--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short", "--ignore-submodules=all")
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
}
_CONFIGURATIONS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
_SWITCHES = ("GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES")


def read_log(root: Path, *options: str, seconds: float) -> bytes | None:
    """What `git log` prints; None where there is no git, no repository or no end in time."""
    try:
        done = subprocess.run(
            _command(root, options),
            cwd=SAFE_FOLDER,
            env=_environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def start_log(root: Path, *options: str) -> Process:
    """A `git log` with its output and errors as text to be read while it runs. Raises OSError where there is no git."""
    return subprocess.Popen(
        _command(root, options),
        cwd=SAFE_FOLDER,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _command(root: Path, options: tuple[str, ...]) -> list[str]:
    keep_out(root)
    program = find_program("git")
    if program is None:
        raise FileNotFoundError("git is not on the PATH")
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    command = [program, "-C", str(root.absolute()), "--no-pager", "--no-optional-locks", *settings]
    return [*command, "log", *_LOG, *options]


def _environment() -> dict[str, str]:
    environment = {**environment_of_helpers(), **_VARIABLES}
    for name in _CONFIGURATIONS:
        file = os.environ.get(name, "")
        if os.path.isabs(file) and not in_workspace(file):
            environment[name] = file
    for name in _SWITCHES:
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment
