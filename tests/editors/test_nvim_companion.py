"""CodeCompanion.nvim: the tool and the slash command `c2llm`.

CodeCompanion is in no package registry: where $NVIM_PLUGINS names a folder that holds it (with plenary.nvim) the real one
resolves the tool and runs it; else what stands in for it has the documented interface of an extension, a tool and a chat.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, Remote

pytestmark = NEEDS_NVIM
STAND_INS = CHECKOUT / "tests" / "editors" / "stand_ins"
QUESTION = "how are ignore rules applied"
SETUP = """
vim.opt.runtimepath:append([[{folders}]])
vim.notify = function(text) TOLD = text end
vim.ui.input = function(_, answer) answer(TYPED) end
vim.lsp.enable("c2llm")
require("codecompanion").setup({{ extensions = {{ c2llm = {{ opts = {{ budget = 700 }} }} }} }})
CONFIG = require("codecompanion.config").interactions.chat
TOOL = CONFIG.tools.c2llm.callback()
CHAT = {{}}
function CHAT:add_tool_output(tool, for_llm, for_user) OUTPUT = {{ tool.name, for_llm, for_user or for_llm }} end
function CHAT:add_context(data, source, id) ADDED = {{ data.role, data.content, source, id }} end
function CALL(query)
  OUTPUT = nil
  TOOL.args = {{ query = query }}
  local function done(result)
    TOOL.output[result.status](TOOL, {{ result.data }}, {{ tools = {{ chat = CHAT }} }})
  end
  local now = TOOL.cmds[1](TOOL, TOOL.args, {{ output_cb = vim.schedule_wrap(done) }})
  if now then done(now) end
end
"""


def companion() -> str:
    """The folders of the real plugins, or of what stands in for them."""
    real = [Path(os.environ.get("NVIM_PLUGINS", "/none"), name) for name in ("codecompanion.nvim", "plenary.nvim")]
    return ",".join(map(str, real)) if all(path.is_dir() for path in real) else str(STAND_INS)


@pytest.fixture(scope="module")
def nvim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("companion")
    project = lay_out(folder / "project", PROJECT | {".git/HEAD": "ref: refs/heads/main\n"})
    with Remote(folder, project / "app/invoices.py", init=SETUP.format(folders=companion())) as running:
        running.until('#vim.lsp.get_clients({ name = "c2llm" }) == 1')
        running.until('require("c2llm").statusline() == "c2llm"')
        yield running


def test_a_model_calls_the_tool_and_reads_code(nvim: Remote) -> None:
    assert nvim.lua("TOOL.schema['function'].name") == "c2llm"
    assert nvim.lua("CONFIG.tools.c2llm.opts.require_approval_before") is True
    nvim.lua(f"CALL([[{QUESTION}]])")
    nvim.until("OUTPUT ~= nil")
    name, for_llm, for_user = nvim.lua("OUTPUT")
    assert name == "c2llm"
    assert "app/ignore.py:" in for_llm and "def apply_ignore_rules" in for_llm
    assert for_user == f"Looked for code with c2llm: {QUESTION}", "the chat shows a line, not all of the code"


def test_two_calls_at_once_are_both_answered(nvim: Remote) -> None:
    nvim.lua(
        "(function() ENDS = 0; local function cb() ENDS = ENDS + 1 end"
        "; for _ = 1, 2 do TOOL.cmds[1](TOOL, { query = 'invoices' }, { output_cb = cb }) end; return 1 end)()"
    )
    nvim.until("ENDS == 2")


@pytest.mark.parametrize("query", ["''", "nil", "7"])
def test_a_call_without_a_question_is_told_what_to_give(nvim: Remote, query: str) -> None:
    nvim.lua(f"CALL({query})")
    nvim.until("OUTPUT ~= nil")
    assert nvim.lua("OUTPUT")[1].startswith("Give query")


def test_a_person_adds_code_to_the_chat(nvim: Remote) -> None:
    nvim.lua(f"(function() TYPED = [[{QUESTION}]]; CONFIG.slash_commands.c2llm.callback(CHAT); return 1 end)()")
    nvim.until("ADDED ~= nil")
    role, content, source, identifier = nvim.lua("ADDED")
    assert (role, source, identifier) == ("user", "c2llm", f"<c2llm>{QUESTION}</c2llm>")
    assert "def apply_ignore_rules" in content


def test_nothing_is_added_where_nothing_is_asked(nvim: Remote) -> None:
    nvim.lua("(function() ADDED, TYPED = nil, ' '; CONFIG.slash_commands.c2llm.callback(CHAT); return 1 end)()")
    assert nvim.lua("ADDED == nil") is True
