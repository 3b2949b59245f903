"""`c2llm install-agent`: configure the code assistants that are used here, and take it back."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from c2llm_lsp.cli import options
from c2llm_lsp.cli.clear import confirmed
from c2llm_lsp.cli.common import (
    ERROR,
    FOUND,
    NOTHING,
    complain,
    enclosing_project,
    guarded,
    remark,
    stdout_colors,
    tell,
)
from c2llm_lsp.render.escape import escape_line
from retrieval.errors import MissingExtraError, QueryError, WorkspaceError

if TYPE_CHECKING:
    from c2llm_lsp.agents.catalog import Agent, Scope
    from c2llm_lsp.agents.changes import Change
    from c2llm_lsp.agents.entries import Folders

app = typer.Typer(add_completion=False)
_COLORS = {"+": "32", "-": "31", "@": "36"}


def _complete_agents(incomplete: str) -> list[str]:
    from c2llm_lsp.agents.catalog import BY_NAME

    return [name for name in BY_NAME if name.startswith(incomplete.lower())]


@dataclass(slots=True)
class Plan:
    """The changes that are wanted, in a project or without one in the home folder, and what cannot be done."""

    project: Path | None
    changes: dict[Path, Change] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AgentState:
    """A row of the list."""

    name: str
    title: str
    found: bool
    configured: list[Scope]


@dataclass(frozen=True, slots=True)
class Flags:
    dry_run: bool
    undo: bool
    json: bool
    yes: bool


@app.command()
@guarded
def install_agent(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Assistants, as --list names them; without one all that are found here.",
            autocompletion=_complete_agents,
        ),
    ] = None,
    user: Annotated[bool, typer.Option("--user", help="For all your projects; the default.")] = False,
    project: Annotated[bool, typer.Option("--project", help="For the project around the current directory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes and write nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take out what was written before.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the assistants, and what is configured.")] = False,
    as_json: options.AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Configure the code assistants that are used here: the MCP server, instructions when to use it, and where the
    assistant does not wait for it, a command that updates the index when a conversation begins.

    Shows what changes and asks. Comments and order of the files stay; --undo restores them to the byte.
    """
    if user and project:
        raise QueryError("Give --user or --project, not both.")
    scope: Scope = "project" if project else "user"
    folders = _folders(project)
    if show_list:
        return _list(folders, as_json)
    if not undo and find_spec("mcp") is None:
        raise MissingExtraError("c2llm mcp, which assistants start,", "mcp")
    chosen = _chosen(names, scope, folders, undo)
    if not chosen:
        tell("No assistant that can be configured was found here; --list names all of them.")
        return NOTHING
    return _change(_plan(chosen, scope, folders, undo), folders, Flags(dry_run, undo, as_json, yes))


def _folders(needs_project: bool) -> Folders:
    from c2llm_lsp.agents.entries import Folders, own_command

    home = Path.home()
    try:
        project = enclosing_project(Path.cwd())
    except WorkspaceError:
        if needs_project:
            raise
        project = home
    return Folders(home, project, own_command())


def _chosen(names: list[str] | None, scope: Scope, folders: Folders, undo: bool) -> list[Agent]:
    """The assistants that are named, else those that are found. Raises QueryError for an unknown name."""
    from c2llm_lsp.agents.catalog import AGENTS, BY_NAME
    from c2llm_lsp.agents.entries import has_scope, is_found

    for name in names or ():
        if name.lower() not in BY_NAME:
            raise QueryError(f"There is no assistant '{name}'; known are {', '.join(BY_NAME)}.")
        if not has_scope(BY_NAME[name.lower()], scope):
            other = "--project" if scope == "user" else "--user"
            raise QueryError(f"{BY_NAME[name.lower()].title} has no configuration for that; use {other}.")
    if names:
        return [BY_NAME[name.lower()] for name in dict.fromkeys(names)]
    return [agent for agent in AGENTS if has_scope(agent, scope) and (undo or is_found(agent, folders))]


def _plan(chosen: list[Agent], scope: Scope, folders: Folders, undo: bool) -> Plan:
    from c2llm_lsp.agents import records
    from c2llm_lsp.agents.changes import plan_install, plan_undo
    from c2llm_lsp.agents.entries import entries
    from c2llm_lsp.agents.errors import ConfigError

    plan, known = Plan(folders.project if scope == "project" else None), records.load().files
    step = plan_undo if undo else plan_install
    for agent in chosen:
        before = copy.deepcopy(plan.changes)
        try:
            step(agent.name, entries(agent, scope, folders), known, plan.project, plan.changes)
        except ConfigError as error:  # this assistant as a whole is left out
            plan.changes = before
            plan.problems.append(f"{agent.title}: {error}")
    return plan


def _change(plan: Plan, folders: Folders, flags: Flags) -> int:
    """Show the plan, ask, write, and tell what was done."""
    from c2llm_lsp.agents.changes import write
    from c2llm_lsp.agents.errors import ConfigError

    changes = [change for change in plan.changes.values() if change.after != change.before]
    _show(changes, flags)
    for problem in plan.problems:
        complain(problem)
    failed = bool(plan.problems)
    if changes and not flags.dry_run:
        if not confirmed(f"Change {len(changes)} files?" if len(changes) > 1 else "Change this file?", flags.yes):
            return NOTHING
        for change in changes:
            try:
                _record(change, write(change, plan.project), undo=flags.undo)
            except ConfigError as error:
                complain(str(error))
                failed = True
    for change in plan.changes.values():
        if change.after == change.before and not flags.dry_run:
            _record(change, [], undo=flags.undo)
    if not flags.undo and "uv" in Path(folders.command[0]).parts and "archive-v0" in Path(folders.command[0]).parts:
        remark(
            "This c2llm is in uv's cache, which may be emptied: `uv tool install 'c2llm-lsp[mcp]'`, then run that one."
        )
    if failed:
        return ERROR
    if not changes:
        if not flags.json:
            tell("There is nothing to take out." if flags.undo else "All of it is configured already.")
        return NOTHING if flags.undo else FOUND
    if not flags.json and not flags.dry_run:
        tell("Restart the assistants to see it." if not flags.undo else "It is as it was before.")
    return FOUND


def _record(change: Change, new_folders: list[str], *, undo: bool) -> None:
    from c2llm_lsp.agents import records

    known = records.load()
    file = str(change.file)
    record = known.files.get(file)
    if undo and record is not None:
        record.agents = [agent for agent in record.agents if agent not in change.agents]
        if not record.agents:
            del known.files[file]
            records.remove_folders(known)
    elif not undo and (change.edits or record):
        record = record or records.FileRecord(is_new=change.before is None)
        record.agents = list(dict.fromkeys((*record.agents, *change.agents)))
        record.edits += change.edits
        known.files[file] = record
        known.folders = list(dict.fromkeys((*known.folders, *new_folders)))
    records.save(known)


def _show(changes: list[Change], flags: Flags) -> None:
    if flags.json:
        rows = [
            {"file": str(change.file), "agents": change.agents, "diff": "\n".join(change.diff())} for change in changes
        ]
        typer.echo(json.dumps({"schema_version": 1, "written": not flags.dry_run, "changes": rows}, indent=2))
        return
    for change in changes:
        for line in change.diff():
            color = _COLORS.get(line[:1]) if stdout_colors() else None
            shown = escape_line(line)
            typer.echo(f"\x1b[{color}m{shown}\x1b[0m" if color else shown, color=True)


def _list(folders: Folders, as_json: bool) -> int:
    from c2llm_lsp.agents.catalog import AGENTS
    from c2llm_lsp.agents.changes import is_configured
    from c2llm_lsp.agents.entries import is_found

    scopes: tuple[Scope, ...] = ("user", "project")
    rows = [
        AgentState(
            agent.name,
            agent.title,
            is_found(agent, folders),
            [scope for scope in scopes if is_configured(agent, scope, folders)],
        )
        for agent in AGENTS
    ]
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "agents": [asdict(row) for row in rows]}, indent=2))
        return FOUND
    for row in rows:
        state = f"configured for {' and '.join(row.configured)}" if row.configured else ""
        tell(f"{row.name:<12} {row.title:<18} {state or ('found' if row.found else '-')}")
    return FOUND
