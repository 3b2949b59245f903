"""`:C2llm ask` in Neovim: an answer that streams into a buffer, places to jump to, follow-ups, the end of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import lay_out
from tests.editors.nvim import NEEDS_NVIM, Remote
from tests.llm.running import ScriptedServer, scripted_server

pytestmark = NEEDS_NVIM
TEXT = 'table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")'


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def test_an_answer_streams_into_a_buffer_and_its_places_can_be_gone_to(tmp_path: Path, server: ScriptedServer) -> None:
    project = lay_out(tmp_path / "project", PROJECT | {".git/HEAD": "ref: refs/heads/main\n"})
    held = server.held()
    init = f'vim.env.C2LLM_LLM = "{held.llm}"\nvim.lsp.enable("c2llm")'
    with Remote(tmp_path, project / "app/invoices.py", init=init) as nvim:
        nvim.until('#vim.lsp.get_clients({ name = "c2llm" }) == 1')
        nvim.type(":C2llm ask how are ignore rules applied<CR>")
        nvim.until(f'({TEXT}):find("Rules are", 1, true)')
        assert nvim.lua(TEXT) == "# how are ignore rules applied\n\nRules are "
        held.release()
        nvim.until(f'({TEXT}):find("Sources:\\n\\n- [app/ignore.py:4-9]\\n", 1, true)')
        assert nvim.lua("{ vim.bo.filetype, vim.bo.modifiable }") == ["markdown", False]
        nvim.type(":C2llm ask once more<CR>")
        nvim.until(f'({TEXT}):find("# once more\\n\\nRules are", 1, true)')
        nvim.type("<C-c>")
        nvim.until(f'({TEXT}):find("> Ended.", 1, true)')
        nvim.type("gg/ignore.py:4<CR><CR>")
        nvim.until('vim.fs.basename(vim.api.nvim_buf_get_name(0)) == "ignore.py" and vim.fn.line(".") == 4')
