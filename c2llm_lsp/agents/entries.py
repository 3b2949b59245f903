"""What is written for an assistant: one entry a file and place, with the command that starts this program."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from c2llm_lsp.agents import json_format, section_format, toml_format, yaml_format
from c2llm_lsp.agents.catalog import NAME, Agent, FormatName, Scope
from c2llm_lsp.agents.errors import ConfigError
from c2llm_lsp.agents.places import EntryPath, Format
from c2llm_lsp.agents.texts import TEXTS

FORMATS: dict[FormatName, Format] = {
    "json": json_format,
    "toml": toml_format,
    "yaml": yaml_format,
    "section": section_format,
}
_AIDER_FILE = ".aider.c2llm.md"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a person's and a project's files are, and the command of this program."""

    home: Path
    project: Path
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in one file. A format of "file" is a file of our own, with `data` as its text."""

    file: Path
    format: FormatName
    path: EntryPath
    data: object
    is_default: bool = False  # written only where the file says nothing about it


def own_command() -> tuple[str, ...]:
    """How to start this program from anywhere: the absolute path of the `c2llm` that runs, not through links, which change
    less than what they lead to; else the interpreter, isolated, so that no project can put a module in its way.
    """
    name = "c2llm.exe" if os.name == "nt" else "c2llm"
    started = Path(sys.argv[0])
    for candidate in (started.parent.absolute() / started.name, Path(sys.executable).parent / name):
        if candidate.stem == "c2llm" and candidate.is_file() and os.access(candidate, os.X_OK):
            return (str(candidate),)
    return (sys.executable, "-I", "-m", "c2llm_lsp")


def find_path(template: str, scope: Scope, folders: Folders) -> Path:
    """The file or folder that a row of the catalog names."""
    if scope == "project":
        return folders.project / template
    home, environ = folders.home, os.environ
    claude = environ.get("CLAUDE_CONFIG_DIR")
    if claude and template == "{claude}.json":
        return Path(claude) / ".claude.json"
    named = {
        "claude": claude or str(home / ".claude"),
        "codex": environ.get("CODEX_HOME") or str(home / ".codex"),
        "config": _config_folder(home),
        "code": _code_folder(home),
    }
    return home / template.format(**named)


def _config_folder(home: Path) -> str:
    if sys.platform == "win32":
        return os.environ.get("APPDATA") or str(home / "AppData/Roaming")
    return os.environ.get("XDG_CONFIG_HOME") or str(home / ".config")


def _code_folder(home: Path) -> str:
    if sys.platform == "darwin":
        return str(home / "Library/Application Support/Code/User")
    return str(Path(_config_folder(home)) / "Code/User")


def entries(agent: Agent, scope: Scope, folders: Folders) -> list[Entry]:
    """What is written for an assistant; nothing if it has no such files."""
    return [*_servers(agent, scope, folders), *_instructions(agent, scope, folders), *_hook(agent, scope, folders)]


def _servers(agent: Agent, scope: Scope, folders: Folders) -> Iterator[Entry]:
    servers = agent.servers
    template = getattr(servers, scope, "") if servers else ""
    if not servers or not template:
        return
    arguments = ["mcp"]
    if servers.folder:
        arguments.append(servers.folder)
    elif not agent.knows_folder:
        if folders.project == folders.home:
            raise ConfigError(f"{agent.title} does not tell servers which project is open: run this in a project.")
        arguments.append(str(folders.project))
    command, *first = folders.command
    data = SHAPES[servers.shape](command, [*first, *arguments])
    marker = f'"name": "{NAME}"' if servers.is_list else ""
    path = EntryPath(servers.keys if servers.is_list else (*servers.keys, NAME), marker)
    file = find_path(template, scope, folders)
    if servers.format == "yaml" and scope == "project":  # a file of our own
        text = f"name: {NAME}\nversion: 0.0.1\nschema: v1\n"
        yield Entry(file, "file", path, yaml_format.put(text, path, data))
    else:
        yield Entry(_alternative(file), servers.format, path, data)


def _alternative(file: Path) -> Path:
    """The same settings with comments, where an assistant reads either and only those are there."""
    other = file.with_suffix(".jsonc")
    return other if file.suffix == ".json" and not file.exists() and other.is_file() else file


def _instructions(agent: Agent, scope: Scope, folders: Folders) -> Iterator[Entry]:
    instructions = agent.instructions
    template = getattr(instructions, scope, "") if instructions else ""
    if not instructions or not template:
        return
    file = find_path(template, scope, folders)
    text = TEXTS[instructions.kind]
    whole = instructions.format == "file" and instructions.kind == "text"
    yield Entry(file, instructions.format, EntryPath(()), f"{text}\n" if whole else text)
    if agent.name == "aider":
        listed = str(file) if scope == "user" else _AIDER_FILE
        settings = find_path(".aider.conf.yml", scope, folders)
        yield Entry(settings, "yaml", EntryPath(("read",), _AIDER_FILE), listed)


def _hook(agent: Agent, scope: Scope, folders: Folders) -> Iterator[Entry]:
    hook = agent.hook
    template = getattr(hook, scope, "") if hook else ""
    if not hook or not template:
        return
    words = [*folders.command, "index", "--quiet"]
    command = " ".join(f'"{word}"' if " " in word else word for word in words) if os.name == "nt" else shlex.join(words)
    file = find_path(template, scope, folders)
    if hook.version:
        yield Entry(file, "json", EntryPath(("version",)), 1, is_default=True)
    data: object = {"command": command}
    if hook.shape == "claude":
        data = {"hooks": [{"type": "command", "command": command, "async": True}]}
    yield Entry(file, "json", EntryPath(hook.keys, " index --quiet"), data)


SHAPES: dict[str, Callable[[str, list[str]], dict[str, object]]] = {
    "plain": lambda command, arguments: {"command": command, "args": arguments},
    "stdio": lambda command, arguments: {"type": "stdio", "command": command, "args": arguments},
    "copilot": lambda command, arguments: {"type": "local", "command": command, "args": arguments, "tools": ["*"]},
    "opencode": lambda command, arguments: {"type": "local", "command": [command, *arguments], "enabled": True},
    "cline": lambda command, arguments: {"command": command, "args": arguments, "disabled": False},
    "droid": lambda command, arguments: {"type": "stdio", "command": command, "args": arguments, "disabled": False},
    "named": lambda command, arguments: {"name": NAME, "command": command, "args": arguments},
    "goose": lambda command, arguments: {
        "name": NAME,
        "type": "stdio",
        "cmd": command,
        "args": arguments,
        "enabled": True,
        "timeout": 300,
    },
}


def is_found(agent: Agent, folders: Folders) -> bool:
    """Whether somebody uses the assistant here."""
    from retrieval.processes.environment import find_program

    if any(find_path(folder, "user", folders).exists() for folder in agent.folders):
        return True
    return bool(agent.program) and find_program(agent.program) is not None


def has_scope(agent: Agent, scope: Scope) -> bool:
    """Whether there is anything to write for this assistant."""
    return any(getattr(part, scope, "") for part in (agent.servers, agent.instructions) if part)
