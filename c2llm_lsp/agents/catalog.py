"""The assistants that can be configured: where each keeps its MCP servers, in which form, and what instructions it reads.

Paths are relative to the home folder (user) or the project. `{config}` is the folder of the system for settings, `{code}`
that of VS Code. Each row was looked up in the assistant's documentation or source in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["user", "project"]
FormatName = Literal["json", "toml", "yaml", "section", "file"]
NAME = "c2llm"  # of the server, in every configuration


@dataclass(frozen=True, slots=True)
class Servers:
    """Where an assistant lists its servers."""

    user: str = ""  # a file; empty: the assistant has none
    project: str = ""
    keys: tuple[str, ...] = ("mcpServers",)
    shape: str = "plain"  # a key of `shapes.SHAPES`
    format: FormatName = "json"
    is_list: bool = False
    folder: str = (
        ""  # what the assistant replaces by the project's folder; else it starts servers there, or nowhere known
    )


@dataclass(frozen=True, slots=True)
class Instructions:
    """What an assistant reads at the start of a conversation: a section of a file, or a file of its own."""

    user: str = ""
    project: str = ""
    format: FormatName = "section"
    kind: str = "text"  # "skill" has a header that tells when to read it


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that an assistant runs, without waiting for it, when a conversation begins."""

    user: str = ""
    project: str = ""
    keys: tuple[str, ...] = ()
    shape: str = ""
    version: bool = False  # the file needs `"version": 1`


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    title: str
    servers: Servers | None
    instructions: Instructions | None = None
    hook: Hook | None = None
    program: str = ""  # found on PATH: the assistant is installed
    folders: tuple[str, ...] = ()  # found in the home folder: the assistant is used
    knows_folder: bool = True  # it starts servers in the project's folder, also those of the user's configuration


_AGENTS_MD = "AGENTS.md"
_STORAGE = "{code}/globalStorage/"

AGENTS: tuple[Agent, ...] = (
    Agent(
        "claude",
        "Claude Code",
        Servers("{claude}.json", ".mcp.json", shape="stdio"),
        Instructions("{claude}/skills/c2llm/SKILL.md", ".claude/skills/c2llm/SKILL.md", "file", "skill"),
        Hook("{claude}/settings.json", ".claude/settings.json", ("hooks", "SessionStart"), "claude"),
        program="claude",
        folders=("{claude}",),
    ),
    Agent(
        "codex",
        "Codex",
        Servers("{codex}/config.toml", ".codex/config.toml", ("mcp_servers",), format="toml"),
        Instructions("{codex}/AGENTS.md", _AGENTS_MD),
        program="codex",
        folders=("{codex}",),
    ),
    Agent(
        "cursor",
        "Cursor",
        Servers(".cursor/mcp.json", ".cursor/mcp.json", folder="${workspaceFolder}"),
        Instructions(project=_AGENTS_MD),
        Hook(project=".cursor/hooks.json", keys=("hooks", "sessionStart"), shape="cursor", version=True),
        program="cursor",
        folders=(".cursor",),
    ),
    Agent(
        "vscode",
        "VS Code (Copilot)",
        Servers("{code}/mcp.json", ".vscode/mcp.json", ("servers",), "stdio", folder="${workspaceFolder}"),
        Instructions(project=_AGENTS_MD),
        program="code",
        folders=("{code}",),
    ),
    Agent(
        "copilot",
        "Copilot CLI",
        Servers(".copilot/mcp-config.json", ".github/mcp.json", shape="copilot"),
        Instructions(".copilot/copilot-instructions.md", _AGENTS_MD),
        program="copilot",
        folders=(".copilot",),
    ),
    Agent(
        "gemini",
        "Gemini CLI",
        Servers(".gemini/settings.json", ".gemini/settings.json"),
        Instructions(".gemini/GEMINI.md", "GEMINI.md"),
        program="gemini",
        folders=(".gemini",),
    ),
    Agent(
        "qwen",
        "Qwen Code",
        Servers(".qwen/settings.json", ".qwen/settings.json"),
        Instructions(".qwen/QWEN.md", "QWEN.md"),
        program="qwen",
        folders=(".qwen",),
    ),
    Agent(
        "opencode",
        "opencode",
        Servers("{config}/opencode/opencode.json", "opencode.json", ("mcp",), "opencode"),
        Instructions("{config}/opencode/AGENTS.md", _AGENTS_MD),
        program="opencode",
        folders=("{config}/opencode",),
    ),
    Agent(
        "zed",
        "Zed",
        Servers("{config}/zed/settings.json", ".zed/settings.json", ("context_servers",)),
        Instructions(project=_AGENTS_MD),
        program="zed",
        folders=("{config}/zed",),
    ),
    Agent(
        "windsurf",
        "Windsurf",
        Servers(".codeium/windsurf/mcp_config.json"),
        Instructions(project=_AGENTS_MD),
        program="windsurf",
        folders=(".codeium/windsurf",),
        knows_folder=False,
    ),
    Agent(
        "cline",
        "Cline",
        Servers(_STORAGE + "saoudrizwan.claude-dev/settings/cline_mcp_settings.json", shape="cline"),
        Instructions(project=_AGENTS_MD),
        folders=(_STORAGE + "saoudrizwan.claude-dev",),
        knows_folder=False,
    ),
    Agent(
        "cline-cli",
        "Cline CLI",
        Servers(".cline/data/settings/cline_mcp_settings.json", shape="cline"),
        Instructions(project=_AGENTS_MD),
        program="cline",
        folders=(".cline",),
    ),
    Agent(
        "roo",
        "Roo Code",
        Servers(_STORAGE + "rooveterinaryinc.roo-cline/settings/mcp_settings.json", ".roo/mcp.json", shape="cline"),
        Instructions(project=_AGENTS_MD),
        folders=(_STORAGE + "rooveterinaryinc.roo-cline",),
    ),
    Agent(
        "continue",
        "Continue",
        Servers(".continue/config.yaml", ".continue/mcpServers/c2llm.yaml", shape="named", format="yaml", is_list=True),
        Instructions(project=".continue/rules/c2llm.md", format="file"),
        program="cn",
        folders=(".continue",),
        knows_folder=False,
    ),
    Agent(
        "goose",
        "Goose",
        Servers("{config}/goose/config.yaml", keys=("extensions",), shape="goose", format="yaml"),
        Instructions("{config}/goose/.goosehints", _AGENTS_MD),
        program="goose",
        folders=("{config}/goose",),
    ),
    Agent(
        "aider",
        "Aider",
        None,
        Instructions(".aider.c2llm.md", ".aider.c2llm.md", "file", "aider"),
        program="aider",
        folders=(".aider", ".aider.conf.yml"),
    ),
    Agent(
        "amp",
        "Amp",
        Servers("{config}/amp/settings.json", ".amp/settings.json", ("amp.mcpServers",)),
        Instructions("{config}/amp/AGENTS.md", _AGENTS_MD),
        program="amp",
        folders=("{config}/amp",),
    ),
    Agent(
        "kiro",
        "Kiro",
        Servers(".kiro/settings/mcp.json", ".kiro/settings/mcp.json"),
        Instructions(".kiro/steering/c2llm.md", ".kiro/steering/c2llm.md", "file"),
        program="kiro",
        folders=(".kiro",),
    ),
    Agent(
        "junie",
        "JetBrains Junie",
        Servers(".junie/mcp/mcp.json", ".junie/mcp/mcp.json"),
        Instructions(project=".junie/AGENTS.md"),
        program="junie",
        folders=(".junie",),
    ),
    Agent(
        "crush",
        "Crush",
        Servers("{config}/crush/crush.json", ".crush.json", ("mcp",), "stdio"),
        Instructions(project=_AGENTS_MD),
        program="crush",
        folders=("{config}/crush",),
    ),
    Agent(
        "droid",
        "Factory Droid",
        Servers(".factory/mcp.json", ".factory/mcp.json", shape="droid"),
        Instructions(".factory/AGENTS.md", _AGENTS_MD),
        program="droid",
        folders=(".factory",),
    ),
    Agent(
        "antigravity",
        "Antigravity",
        Servers(".gemini/antigravity/mcp_config.json"),
        program="antigravity",
        folders=(".gemini/antigravity",),
        knows_folder=False,
    ),
)
BY_NAME = {agent.name: agent for agent in AGENTS}
