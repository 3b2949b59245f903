"""Each assistant's configuration, written into files as they look in use, and taken out again to the byte."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from c2llm_lsp.agents import records
from c2llm_lsp.agents.catalog import AGENTS, BY_NAME, Agent, Scope
from c2llm_lsp.agents.changes import Change, plan_install, plan_undo, write
from c2llm_lsp.agents.entries import FORMATS, Entry, Folders, entries, own_command
from c2llm_lsp.agents.errors import ConfigError

COMMAND = ("/opt/c2llm env/bin/c2llm",)
JSON = """// settings of a person
{
    "theme": "dark", // as at night
    /* servers */
    "KEY": {
        "other": {"command": "other", "args": []}, // keep me
    },
    "last": [1, 2,],
}
"""
USED = {
    "json": JSON,
    "toml": '# mine\nmodel = "x"\n\n[KEY.other]\ncommand = "other"  # keep me\n\n[tui]\ntheme = "dark"\n# end\n',
    "yaml": "# mine\nprovider: x\nKEY:\nOTHER\n\n# about the rest\nlast: [1, 2]\n",
    "section": "# My rules\n\nBe brief.",
}
LIST = "  - name: other\n    command: other # keep me"
MAPPING = "  other:\n    cmd: other # keep me"
SCOPES: tuple[Scope, ...] = ("user", "project")


@dataclass(frozen=True)
class Person:
    """Somebody's home and project, and what `c2llm install-agent` does there."""

    folders: Folders

    def project(self, scope: Scope) -> Path | None:
        return self.folders.project if scope == "project" else None

    def plan(self, agents: list[str], scope: Scope, *, undo: bool = False) -> dict[Path, Change]:
        planned: dict[Path, Change] = {}
        step = plan_undo if undo else plan_install
        for name in agents:
            wanted = entries(BY_NAME[name], scope, self.folders)
            step(name, wanted, records.load().files, self.project(scope), planned)
        return planned

    def run(self, agents: list[str], scope: Scope, *, undo: bool = False) -> int:
        """Makes the changes; returns how many files changed."""
        from c2llm_lsp.cli.install_agent import _record

        planned = self.plan(agents, scope, undo=undo)
        changes = [change for change in planned.values() if change.after != change.before]
        for change in planned.values():
            _record(change, write(change, self.project(scope)) if change in changes else [], undo=undo)
        return len(changes)

    def files(self) -> dict[str, bytes]:
        roots = (self.folders.home, self.folders.project)
        return {str(file): file.read_bytes() for root in roots for file in sorted(root.rglob("*")) if file.is_file()}

    def tree(self) -> set[str]:
        return {str(path) for root in (self.folders.home, self.folders.project) for path in root.rglob("*")}


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("C2LLM_DATA_DIR", str(tmp_path / "data"))
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    return Person(Folders(tmp_path / "home", tmp_path / "project", COMMAND))


def in_use(entry: Entry) -> str:
    """A file of this format as people have it, with comments and things of others."""
    text = USED[entry.format]
    if entry.is_default:
        return '{"version": 1, "hooks": {}} // keep me'
    if entry.format == "yaml":
        text = text.replace("OTHER", LIST if entry.path.marker and entry.path.keys != ("read",) else MAPPING)
        if entry.path.keys == ("read",):
            text = "# mine\nread:\n  - CONVENTIONS.md # keep me\nmodel: x\n"
    return text.replace("KEY", entry.path.keys[0] if entry.path.keys else "")


CASES = [
    pytest.param(agent, scope, id=f"{agent.name}-{scope}")
    for agent in AGENTS
    for scope in SCOPES
    if (agent.servers and getattr(agent.servers, scope)) or (agent.instructions and getattr(agent.instructions, scope))
]


@pytest.mark.parametrize(("agent", "scope"), CASES)
def test_a_configuration_is_written_kept_and_undone_to_the_byte(person: Person, agent: Agent, scope: Scope) -> None:
    wanted = entries(agent, scope, person.folders)
    for entry in wanted:
        if entry.format != "file" and not entry.file.exists():
            entry.file.parent.mkdir(parents=True, exist_ok=True)
            entry.file.write_bytes(in_use(entry).encode())
    before, tree = person.files(), person.tree()

    assert person.run([agent.name], scope) > 0
    for entry in wanted:
        text = entry.file.read_text(encoding="utf-8")
        if entry.format != "file":
            assert "keep me" in text or "Be brief." in text or "version" in text
            written = FORMATS[entry.format].get(text, entry.path)
            assert written == (
                entry.data.strip() if isinstance(entry.data, str) and not entry.path.keys else entry.data
            )
    assert person.run([agent.name], scope) == 0, "done already"

    person.run([agent.name], scope, undo=True)
    assert person.files() == before
    assert person.tree() == tree


@pytest.mark.parametrize(("agent", "scope"), CASES)
def test_nothing_is_left_of_files_that_were_not_there(person: Person, agent: Agent, scope: Scope) -> None:
    person.run([agent.name], scope)
    assert person.files()
    person.run([agent.name], scope, undo=True)
    assert person.tree() == set()


def test_the_forms_that_assistants_want(person: Person) -> None:
    command, project = COMMAND[0], str(person.folders.project)
    plain = {"command": command, "args": ["mcp"]}
    assert _server(person, "claude") == {"type": "stdio", **plain}
    assert _server(person, "codex") == plain
    assert _server(person, "cursor") == {"command": command, "args": ["mcp", "${workspaceFolder}"]}
    assert _server(person, "copilot") == {"type": "local", **plain, "tools": ["*"]}
    assert _server(person, "opencode") == {"type": "local", "command": [command, "mcp"], "enabled": True}
    assert _server(person, "windsurf") == {"command": command, "args": ["mcp", project]}
    assert _server(person, "continue") == {"name": "c2llm", "command": command, "args": ["mcp", project]}
    goose = {"name": "c2llm", "type": "stdio", "cmd": command, "args": ["mcp"], "enabled": True, "timeout": 300}
    assert _server(person, "goose") == goose


def _server(person: Person, agent: str) -> object:
    return entries(BY_NAME[agent], "user", person.folders)[0].data


def test_what_several_assistants_read_stays_until_the_last_of_them_goes(person: Person) -> None:
    shared = person.folders.project / "AGENTS.md"
    person.run(["codex", "cursor"], "project")
    assert shared.read_text().count("<!-- c2llm begin") == 1
    person.run(["codex"], "project", undo=True)
    assert shared.exists()
    person.run(["cursor"], "project", undo=True)
    assert person.tree() == set()


def test_what_was_added_since_stays(person: Person) -> None:
    file = person.folders.home / ".claude.json"
    file.write_text('{\n  "mcpServers": {"a": {}}\n}\n')
    person.run(["claude"], "user")
    data = json.loads(file.read_text())
    data["mcpServers"]["b"] = {}
    file.write_text(json.dumps(data))  # as the assistant writes it, in another form
    person.run(["claude"], "user", undo=True)
    assert json.loads(file.read_text()) == {"mcpServers": {"a": {}, "b": {}}}


def test_without_records_an_entry_is_found_by_its_name(person: Person) -> None:
    file = person.folders.home / ".claude.json"
    file.write_text(JSON.replace("KEY", "mcpServers"))
    person.run(["claude"], "user")
    (records.data_folder() / records.FILE).write_text("{")
    person.run(["claude"], "user", undo=True)
    assert "c2llm" not in file.read_text()
    assert "keep me" in file.read_text()


def test_an_entry_of_ones_own_comes_back(person: Person) -> None:
    file = person.folders.home / ".cursor/mcp.json"
    file.parent.mkdir()
    own = '{"mcpServers": {"c2llm": {"command": "c2llm", "args": ["mcp", "/x"]}}}'
    file.write_text(own)
    assert person.run(["cursor"], "user") == 1
    assert COMMAND[0] in file.read_text()
    person.run(["cursor"], "user", undo=True)
    assert file.read_text() == own


def test_a_command_that_moved_is_written_anew_and_undone_as_well(person: Person, tmp_path: Path) -> None:
    file = person.folders.home / ".claude.json"
    file.write_text(JSON.replace("KEY", "mcpServers"))
    before = person.files()
    person.run(["claude", "codex"], "user")
    moved = Person(replace(person.folders, command=(str(tmp_path / "new/c2llm"),)))
    assert moved.run(["claude", "codex"], "user") == 3, "servers of both, and the hook"
    assert "new/c2llm" in file.read_text()
    assert COMMAND[0] not in file.read_text()
    moved.run(["claude", "codex"], "user", undo=True)
    assert person.files() == before


@pytest.mark.parametrize(
    ("agent", "file", "content", "said"),
    [
        ("claude", ".claude.json", b'{"a": 1,\n "b" 2}', "line 2 is not valid JSON: expected ':'"),
        ("claude", ".claude.json", b"[1]", "is not an object"),
        ("claude", ".claude.json", b'{"mcpServers": []}', "is not an object"),
        ("claude", ".claude.json", b'{"a": "\xff"}', "is not UTF-8"),
        ("claude", ".claude.json", b'{"a":' * 5_000, "at most 100 levels"),
        ("codex", ".codex/config.toml", b"a = [", "is not valid TOML"),
        ("codex", ".codex/config.toml", b'mcp_servers = {c2llm = {command = "x"}}', "in a form that is not edited"),
        ("codex", ".codex/AGENTS.md", b"<!-- c2llm begin", "is not whole"),
        ("codex", ".codex/config.toml", b".".join([b"a"] * 60) + b" = 1", "a key of more than 50 parts"),
        ("goose", ".config/goose/config.yaml", b"- " * 3_000, "is nested deeper than is edited"),
        ("goose", ".config/goose/config.yaml", b" " * 300 + b"a: 1", "is nested deeper than is edited"),
        ("goose", ".config/goose/config.yaml", b"a: [", "is not valid YAML"),
        ("goose", ".config/goose/config.yaml", b"extensions: {a: {}}", "is not edited"),
        ("goose", ".config/goose/config.yaml", b"a: 1\n---\nb: 1\n", "several YAML documents"),
        ("kiro", ".kiro/steering/c2llm.md", b"mine", "another file of this name"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_a_file_that_cannot_be_edited_is_left_as_it_is(
    person: Person, agent: str, file: str, content: bytes, said: str
) -> None:
    path = person.folders.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="left as it is") as raised:
        person.run([agent], "user")
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert path.read_bytes() == content


def test_a_read_only_file_is_left_as_it_is(person: Person) -> None:
    path = person.folders.home / ".claude.json"
    path.write_text("{}")
    path.chmod(0o444)
    with pytest.raises(ConfigError, match="read-only"):
        person.run(["claude"], "user")
    assert path.read_text() == "{}"


def test_a_file_that_changes_meanwhile_is_left_as_it_is(person: Person) -> None:
    path = person.folders.home / ".claude.json"
    path.write_text("{}")
    (change,) = [change for change in person.plan(["claude"], "user").values() if change.file == path]
    path.write_text('{"new": 1}')
    with pytest.raises(ConfigError, match="changed meanwhile"):
        write(change, None)
    assert path.read_text() == '{"new": 1}'


def test_a_full_disk_leaves_the_old_file_and_nothing_else(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    path = person.folders.home / ".claude.json"
    path.write_text("{}")
    (change,) = [change for change in person.plan(["claude"], "user").values() if change.file == path]

    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigError, match="No space left"):
        write(change, None)
    assert person.files() == {str(path): b"{}"}


def test_links_of_a_home_stay_and_links_out_of_a_project_are_refused(person: Person, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    dotfiles.write_text("{}")
    (person.folders.home / ".claude.json").symlink_to(dotfiles)
    person.run(["claude"], "user")
    assert (person.folders.home / ".claude.json").is_symlink()
    assert "c2llm" in dotfiles.read_text()
    (person.folders.project / ".mcp.json").symlink_to(dotfiles)
    with pytest.raises(ConfigError, match="leads out of the project"):
        person.run(["claude"], "project")


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(person: Person, tmp_path: Path) -> None:
    folder = person.folders.project / ".claude"
    folder.mkdir()
    changes = [each for each in person.plan(["claude"], "project").values() if each.file.is_relative_to(folder)]
    folder.rmdir()
    (tmp_path / "outside").mkdir()
    folder.symlink_to(tmp_path / "outside")
    assert len(changes) == 2
    for change in changes:
        with pytest.raises(ConfigError, match="has become a link meanwhile"):
            write(change, person.folders.project)
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_new_files_of_a_home_are_private_also_where_the_home_is_the_project(person: Person) -> None:
    home = Person(replace(person.folders, project=person.folders.home))
    home.run(["claude"], "user")
    assert (person.folders.home / ".claude.json").stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_project_is_not_read_beyond_what_people_write(person: Person) -> None:
    (person.folders.project / ".mcp.json").write_bytes(b"[" + b"1," * 600_000)
    with pytest.raises(ConfigError, match="larger than 1,000,000 bytes"):
        person.run(["claude"], "project")


def test_tokens_beside_a_change_are_not_shown(person: Person) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 3 + "abcdef"
    path = person.folders.home / ".claude.json"
    path.write_text(json.dumps({"env": token, "mcpServers": {}}, indent=1))
    (change,) = [each for each in person.plan(["claude"], "user").values() if each.file == path]
    assert change.before and token in change.before
    assert token not in "\n".join(change.diff())


def test_a_change_is_shown_with_its_lines_in_a_long_file(tmp_path: Path) -> None:
    before = "".join(f"{number % 400}\n" for number in range(100_000))
    change = Change(tmp_path / "a", before, before.replace("0\n1\n", "0\nnew\n1\n", 1), [])
    assert change.diff()[2:] == ["@@ -1,3 +1,4 @@", " 0", "+new", " 1", " 2"]
    change.after = before + "end\n"
    assert change.diff()[2:] == ["@@ -99999,2 +99999,3 @@", " 398", " 399", "+end"]


def test_line_ends_of_windows_stay(person: Person) -> None:
    path = person.folders.home / ".claude.json"
    text = JSON.replace("KEY", "mcpServers").replace("\n", "\r\n").encode()
    path.write_bytes(text)
    person.run(["claude"], "user")
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    person.run(["claude"], "user", undo=True)
    assert path.read_bytes() == text


def test_the_command_is_absolute_and_no_project_can_put_a_module_in_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "c2llm"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["./c2llm", "install-agent"])
    assert own_command() == (str(program),)
    monkeypatch.setattr(sys, "argv", ["/nowhere/__main__.py"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    assert own_command() == (str(tmp_path / "bin/python"), "-I", "-m", "c2llm_lsp")
