"""Types of the plugin's Lua, checked by EmmyLua's language server against Neovim's own annotations: check_types.py SERVER NVIM.

The checker of that project is not published as a package, its language server is. What it would show in an editor is asked
for file by file; a warning is a failure.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

PLUGIN = Path(__file__).resolve().parents[1]
FOLDERS = ("lsp", "lua", "plugin")
LOADING_SECONDS = 60
SEVERE = (types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning)
# Types of pickers are not installed where this runs: what is said of them cannot be looked up.
CHECKED = {
    "runtime": {"version": "LuaJIT", "requirePattern": ["lua/?.lua", "lua/?/init.lua"]},
    "diagnostics": {"globals": ["MiniPick"], "disable": ["type-not-found"]},
}


def runtime(nvim: str) -> Path:
    """Where a Neovim keeps its own Lua."""
    asked = [nvim, "--headless", "--clean", "+lua io.stdout:write(vim.env.VIMRUNTIME)", "+qa!"]
    return Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout) / "lua"


async def findings(server: str, root: Path) -> list[str]:
    client = BaseLanguageClient("types", "1")
    client.feature(types.WORKSPACE_CONFIGURATION)(lambda asked: [None] * len(asked.items))
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)(lambda _: None)
    await client.start_io(server)
    capabilities = types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(diagnostic=types.DiagnosticClientCapabilities()),
        workspace=types.WorkspaceClientCapabilities(
            diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
        ),
    )
    folder = types.WorkspaceFolder(root.as_uri(), "c2llm")
    await client.initialize_async(
        types.InitializeParams(capabilities=capabilities, root_uri=root.as_uri(), workspace_folders=[folder])
    )
    client.initialized(types.InitializedParams())
    files = sorted(root.rglob("*.lua"))
    for file in files:
        text = types.TextDocumentItem(file.as_uri(), "lua", 1, file.read_text(encoding="utf-8"))
        client.text_document_did_open(types.DidOpenTextDocumentParams(text))

    async def of(file: Path) -> list[str]:
        asked = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(file.as_uri()))
        report = await client.text_document_diagnostic_async(asked)
        return [
            f"{file.relative_to(root)}:{one.range.start.line + 1}: {one.message} ({one.code})"
            for one in getattr(report, "items", [])
            if one.severity in SEVERE
        ]

    # It answers before it has read Neovim's annotations, and says nothing when it has.
    for _ in range(LOADING_SECONDS):
        if not any("undefined global variable" in line for line in await of(files[0])):
            break
        await asyncio.sleep(1)
    found = [line for file in files for line in await of(file)]
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return found


def main(server: str, nvim: str) -> int:
    with tempfile.TemporaryDirectory() as work:
        root = Path(work).resolve()
        for name in FOLDERS:
            shutil.copytree(PLUGIN / name, root / name)
        settings = {**CHECKED, "workspace": {"library": [str(runtime(nvim))]}}
        (root / ".emmyrc.json").write_text(json.dumps(settings), encoding="utf-8")
        found = asyncio.run(findings(server, root))
        for line in found:
            print(line)
        print(f"{len(list(root.rglob('*.lua')))} files, {len(found)} findings")
        return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
