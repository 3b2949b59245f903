"""The one settings schema: the fields of `Settings`, against which `--help`, docs/configuration.md and editors are checked.

Sources of a setting, in rising order of precedence: its default, the user's config file, the workspace's `.c2llm.toml`, the
environment (`C2LLM_` and the name in capitals) and the command line. Lists of the first four are concatenated. A model that
`c2llm adapt` made in a workspace replaces the encoder it was made from, unless the command line names that encoder.

A workspace is untrusted: only settings marked `in_workspace` are read from it, each within its bounds, and an error in its
file is a warning that never stops a search. An error in the user's own file or environment is an error.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from retrieval.bounded_files import parse_toml, read_bounded
from retrieval.errors import SettingsError
from retrieval.private_files import FOLDER_MODE, write_private

APP = "c2llm-lsp"
WORKSPACE_FILE = ".c2llm.toml"
CONFIG_VARIABLE = "C2LLM_CONFIG"
EDITOR = "the editor"
COMMAND_LINE = "the command line"
MAX_CONFIG_BYTES = 64 * 1024  # a settings file has some lines; a workspace's could be a device or have gigabytes

Value = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the schema."""

    name: str
    default: Value
    help: str
    used_by: str
    in_workspace: bool
    minimum: int
    maximum: int
    in_editors: bool  # what only a terminal shows is no setting of an editor

    @property
    def variable(self) -> str:
        return "C2LLM_" + self.name.upper()

    @property
    def kind(self) -> str:
        return {str: "text", int: "integer", bool: "boolean", tuple: "list"}[type(self.default)]


def _setting(
    default: Value,
    text: str,
    *,
    used_by: str,
    in_workspace: bool = False,
    bounds: tuple[int, int] = (0, 0),
    in_editors: bool = True,
) -> Any:
    minimum, maximum = bounds
    extra = {"help": text, "used_by": used_by, "in_workspace": in_workspace, "minimum": minimum, "maximum": maximum}
    extra["in_editors"] = in_editors
    return field(default=default, metadata=extra)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; `used_by` names the commands that read a field."""

    encoder: str = _setting(
        "embedded",
        "Embedding model: `embedded`, the folder of a model, a checkpoint on the hub or the address of a server.",
        used_by="all commands that search or index",
    )
    cache_dir: str = _setting(
        "",
        "Folder for indexes and vectors; empty means the system's cache folder for this program.",
        used_by="all commands",
    )
    exclude: tuple[str, ...] = _setting(
        (),
        "Additional ignore patterns, written as in .gitignore.",
        used_by="indexing, watch",
        in_workspace=True,
    )
    max_file_bytes: int = _setting(
        1_048_576,
        "Bytes; larger files are left out and counted.",
        used_by="indexing, watch",
        in_workspace=True,
        bounds=(1_000, 64_000_000),
    )
    threads: int = _setting(
        0,
        "CPU threads for the embedding model; 0 chooses by the machine.",
        used_by="encoder",
        bounds=(0, 256),
    )
    device: str = _setting(
        "auto",
        "Where a model from the hub runs: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` uses a GPU if there is one.",
        used_by="encoder",
    )
    dtype: str = _setting(
        "auto",
        "Precision of a model from the hub: `bf16`, `fp16`, `fp32`; `auto` chooses by the device.",
        used_by="encoder",
    )
    results: int = _setting(
        10,
        "Number of results, unless a search says how many.",
        used_by="search, similar, batch, serve",
        bounds=(1, 1_000),
    )
    context_lines: int = _setting(
        0,
        "Lines shown before and after each salient line.",
        used_by="search, similar",
        bounds=(0, 1_000),
        in_editors=False,
    )
    link: str = _setting(
        "file://{path}",
        "Link target of a result's path in a terminal, with {path} and {line}; empty for no links.",
        used_by="search, similar",
        in_editors=False,
    )
    debounce_ms: int = _setting(
        150,
        "Milliseconds without changes before an edit of a file or open buffer is indexed.",
        used_by="watch, serve",
        bounds=(0, 60_000),
    )
    llm: str = _setting(
        "",
        "Language model that answers questions: `openai:MODEL`, `anthropic:MODEL`, `ollama:MODEL`, `http://HOST:PORT/v1#MODEL` or "
        "a llama-index class; empty for none. It gets the code that a question needs.",
        used_by="ask, chat",
        in_editors=False,
    )
    shared_vectors: str = _setting(
        "",
        "PostgreSQL from which vectors of the team are fetched before code is embedded: `postgresql://USER@HOST/DATABASE`; "
        "empty for none. Hashes are sent, never code.",
        used_by="indexing, team",
    )
    near_duplicates: bool = _setting(
        False,
        "Report code in an open file that is a near duplicate of other code.",
        used_by="serve",
    )
    savings: bool = _setting(
        True,
        "Count on this machine how many tokens answers save assistants (`c2llm savings`): numbers only, no queries.",
        used_by="mcp, context",
        in_editors=False,
    )

    @property
    def cache(self) -> Path | None:
        return Path(self.cache_dir).expanduser() if self.cache_dir else None


SCHEMA: tuple[Setting, ...] = tuple(
    Setting(name=item.name, default=cast(Value, item.default), **item.metadata) for item in fields(Settings)
)
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_BY_NAME = {setting.name: setting for setting in SCHEMA}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the source of each one that is not a default, and warnings about the workspace's file."""

    settings: Settings
    sources: dict[str, str]
    warnings: tuple[str, ...]
    base: str = ""  # the configured encoder, before adaptation


def load(
    root: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Value | None] | None = None,
    override_source: str = COMMAND_LINE,
) -> Loaded:
    """All sources combined. `overrides` come from the command line or an editor; None means not set."""
    values: dict[str, Value] = {}
    sources: dict[str, str] = {}
    warnings: list[str] = []
    user = config_file(environ)
    for name, value in _from_user(user).items():
        _put(values, sources, name, value, str(user))
    if root is not None:
        for name, value in _from_workspace(root, warnings).items():
            _put(values, sources, name, value, WORKSPACE_FILE)
    for name, value in _from_environment(environ).items():
        _put(values, sources, name, value, _BY_NAME[name].variable)
    for name, given in (overrides or {}).items():
        if given is not None:
            values[name] = _checked(_BY_NAME[name], given, override_source)
            sources[name] = override_source
    base = str(values.get("encoder", _BY_NAME["encoder"].default))
    if root is not None and sources.get("encoder") != COMMAND_LINE:
        _adapted(root, base, values, sources)
    return Loaded(Settings(**values), sources, tuple(warnings), base)  # type: ignore[arg-type]


def _adapted(root: Path, base: str, values: dict[str, Value], sources: dict[str, str]) -> None:
    """Replace the encoder by the model that was adapted from it in this workspace."""
    from retrieval.finetune.registry import in_use

    model = in_use(root, base)
    if model is not None:
        values["encoder"] = str(model)
        sources["encoder"] = f"c2llm adapt, in place of {base}"


def from_editor(table: Mapping[str, object]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """An editor's settings, whose names are camelCase or as here, and a warning for each one that was left out."""
    accepted: dict[str, Value] = {}
    warnings: list[str] = []
    for given, value in table.items():
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", given).lower()
        setting = _BY_NAME.get(name)
        if setting is None or value is None or value == []:
            continue  # an editor's section also holds what is its own, and null for what is not set
        try:
            accepted[name] = _checked(setting, value, EDITOR)
        except SettingsError as error:
            warnings.append(f"{error} It was left out.")
    return accepted, tuple(warnings)


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's own file; `C2LLM_CONFIG` names another."""
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir(APP, appauthor=False)) / "config.toml"


def save(name: str, value: str, *, path: Path) -> None:
    """Write one text setting into the user's file, which keeps its other lines and comments."""
    line = f"{name} = {_toml_text(value)}"
    old = _old_text(path)
    assigned = re.compile(rf"^{name}[ \t]*=.*$", re.MULTILINE)
    # A bare key must stand before the first table of a TOML file, so a new line goes to the top.
    new = assigned.sub(lambda _: line, old, count=1) if assigned.search(old) else f"{line}\n{old}"
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        write_private(path, new)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written ({error.strerror}); set {_BY_NAME[name].variable} instead."
        ) from error


def _old_text(path: Path) -> str:
    try:
        return read_bounded(path, MAX_CONFIG_BYTES).decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{path} cannot be read ({reason}), so nothing is written to it.") from error


def _put(values: dict[str, Value], sources: dict[str, str], name: str, value: Value, source: str) -> None:
    before = values.get(name)
    values[name] = (*before, *value) if isinstance(before, tuple) and isinstance(value, tuple) else value
    sources[name] = source


def _from_user(path: Path) -> dict[str, Value]:
    try:
        text = read_bounded(path, MAX_CONFIG_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}).") from error
    table = _parse(text, str(path))
    if unknown := sorted(set(table) - set(_BY_NAME)):
        raise SettingsError(f"{path} has an unknown setting {unknown[0]!r}; known are {', '.join(_BY_NAME)}.")
    return {name: _checked(_BY_NAME[name], value, str(path)) for name, value in table.items()}


def _from_workspace(root: Path, warnings: list[str]) -> dict[str, Value]:
    try:
        content = _read_plain_file(root / WORKSPACE_FILE)
        table = {} if content is None else _parse(content, WORKSPACE_FILE)
    except (OSError, SettingsError) as error:
        warnings.append(f"{WORKSPACE_FILE} was left out: {error}")
        return {}
    accepted: dict[str, Value] = {}
    for name, value in table.items():
        setting = _BY_NAME.get(name)
        if setting is None or not setting.in_workspace:
            warnings.append(f"{WORKSPACE_FILE} may not set {name!r}: it was left out.")
            continue
        try:
            accepted[name] = _checked(setting, value, WORKSPACE_FILE)
        except SettingsError as error:
            warnings.append(f"{error} It was left out.")
    return accepted


def _read_plain_file(path: Path) -> bytes | None:
    """Content of a regular file, not through a link; opened without blocking because a workspace may hold a fifo."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        number = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_CONFIG_BYTES:
            raise SettingsError(f"it is not a regular file of at most {MAX_CONFIG_BYTES} bytes.")
        return file.read(MAX_CONFIG_BYTES)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Value]:
    accepted: dict[str, Value] = {}
    for setting in SCHEMA:
        if raw := environ.get(setting.variable, ""):
            value: object = raw
            if setting.kind == "integer":
                value = int(raw) if re.fullmatch(r"-?[0-9]{1,18}", raw.strip()) else raw
            elif setting.kind == "boolean":
                value = _BOOLEANS.get(raw.strip().lower(), raw)
            elif setting.kind == "list":
                value = [part.strip() for part in raw.split(",") if part.strip()]
            accepted[setting.name] = _checked(setting, value, setting.variable)
    return accepted


def _parse(content: bytes, source: str) -> dict[str, object]:
    try:
        return parse_toml(content.decode("utf-8"))
    except ValueError as error:  # what is not UTF-8 and what is not TOML are both ValueErrors
        raise SettingsError(f"{source} is not valid TOML: {error}.") from error


def _checked(setting: Setting, value: object, source: str) -> Value:
    if setting.kind == "integer":
        if isinstance(value, bool) or not isinstance(value, int) or not setting.minimum <= value <= setting.maximum:
            expected = f"a number from {setting.minimum} to {setting.maximum}"
            raise SettingsError(f"{source} sets {setting.name} to {value!r}: expected {expected}.")
        return value
    if setting.kind == "boolean":
        if not isinstance(value, bool):
            raise SettingsError(f"{source} sets {setting.name} to {value!r}: expected true or false.")
        return value
    if setting.kind == "list":
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            raise SettingsError(f"{source} sets {setting.name} to {value!r}: expected a list of strings.")
        return tuple(value)
    if not isinstance(value, str):
        raise SettingsError(f"{source} sets {setting.name} to {value!r}: expected a string.")
    return value


def _toml_text(value: str) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)  # a JSON string is a valid TOML basic string
