"""The page on assistants lists what is configured where. `python -m tests.agents.test_page` prints the rows."""

from __future__ import annotations

from c2llm_lsp.agents.catalog import AGENTS, Agent
from tests.docs.pages import between

_FOLDERS = {"{claude}": "~/.claude", "{codex}": "~/.codex", "{config}": "~/.config", "{code}": "~/.config/Code/User"}


def rows() -> list[str]:
    return [f"| {' | '.join(_cells(agent))} |" for agent in AGENTS]


def _cells(agent: Agent) -> list[str]:
    servers, instructions, hook = agent.servers, agent.instructions, agent.hook
    return [
        f"`{agent.name}`",
        agent.title,
        _user(servers.user) if servers else "-",
        f"`{servers.project}`" if servers and servers.project else "-",
        ", ".join(
            [_user(path) for path in [instructions.user] if path]
            + [f"`{path}`" for path in [instructions.project] if path]
        )
        if instructions
        else "-",
        "yes" if hook else "",
    ]


def _user(path: str) -> str:
    if not path:
        return "-"
    for name, folder in _FOLDERS.items():
        path = path.replace(name, folder)
    return f"`{path}`" if path.startswith("~") else f"`~/{path}`"


def test_the_page_lists_every_assistant() -> None:
    assert between("docs/assistants.md", "agents").strip().splitlines()[2:] == rows()


if __name__ == "__main__":
    print("\n".join(rows()))
