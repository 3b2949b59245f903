"""Ways to install the plugin: lazy.nvim, the real one where $NVIM_PLUGINS names a folder that holds it, and Neovim's packages."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, PLUGIN, plugin, run

pytestmark = NEEDS_NVIM
README = (PLUGIN / "README.md").read_text(encoding="utf-8")
OF_A_FOLDER = f"{{ dir = [[{PLUGIN}]] }}"


def of_a_clone() -> str:
    """As the README tells it, with this checkout in place of a clone of lazy.nvim's own."""
    (block,) = re.findall(r"```lua\n(\{\n  url = .*?)```", README, re.DOTALL)
    return re.sub(r'url = "[^"]*"', lambda _: f"dir = [[{CHECKOUT}]]", block)


LAZY = """
vim.opt.runtimepath:prepend([[%(lazy)s]])
require("lazy").setup({ %(specs)s }, {
  root = [[%(work)s/plugins]],
  lockfile = [[%(work)s/lock.json]],
  state = [[%(work)s/state.json]],
  readme = { enabled = false },
  pkg = { enabled = false },
  rocks = { enabled = false },
  install = { missing = false },
  change_detection = { enabled = false },
})
"""
ENABLED = 'vim.lsp.enable("c2llm")'
SCENARIO = """
local told = {}
local function until_(check) assert(vim.wait(300000, check, 20), "it did not happen") end
vim.ui.select = function(items, opts) told.offered = vim.tbl_map(opts.format_item, items) end
vim.schedule(function()
  local fine, problem = xpcall(function()
    told.map = vim.fn.maparg("<Plug>(c2llm-search)", "n") ~= ""
    told.help = vim.fn.getcompletion("c2llm-filters", "help")
    until_(function() return require("c2llm").statusline() == "c2llm" end)
    told.picker = select(2, require("c2llm.pick").picker())
    if told.picker == "select" then
      vim.cmd("C2llm search ignore rule excludes the path")
      until_(function() return told.offered end)
    end
    vim.cmd("checkhealth c2llm")
    told.health = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")
  end, debug.traceback)
  told.problem = not fine and problem or nil
  vim.fn.writefile({ vim.json.encode(told) }, vim.env.TOLD)
  vim.cmd(fine and "qa!" or "cquit")
end)
"""


def told(tmp_path: Path, init: str, **more: Any) -> dict[str, Any]:
    """What Neovim tells when it was started with such an init.lua."""
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    script = tmp_path / "scenario.lua"
    script.write_text(SCENARIO, encoding="utf-8")
    run(tmp_path, project / "app/invoices.py", "-c", f"luafile {script}", init=init, **more)
    return dict(json.loads((tmp_path / "told").read_text(encoding="utf-8")))


def lazy(tmp_path: Path, *specs: str) -> str:
    return LAZY % {"lazy": plugin("lazy.nvim"), "specs": ", ".join(specs), "work": tmp_path}


@pytest.mark.parametrize("spec", [OF_A_FOLDER, of_a_clone()], ids=["folder", "clone"])
def test_with_lazy_nvim_it_searches(tmp_path: Path, spec: str) -> None:
    found = told(tmp_path, lazy(tmp_path, spec) + ENABLED, by_hand=False)
    assert found["map"]
    assert found["offered"][0].startswith("app/ignore.py:4  apply_ignore_rules  ")
    assert "ERROR" not in found["health"]


def test_with_lazy_nvim_the_help_is_there(tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", PLUGIN, tmp_path / "c2llm"], check=True)  # lazy.nvim may write beside it
    spec = f"{{ dir = [[{tmp_path / 'c2llm'}]] }}"
    assert told(tmp_path, f"{lazy(tmp_path, spec)}\n{ENABLED}", by_hand=False)["help"] == ["c2llm-filters"]


def test_a_picker_that_lazy_nvim_has_not_loaded_yet_is_used(tmp_path: Path) -> None:
    snacks = f"{{ dir = [[{plugin('snacks.nvim')}]], lazy = true }}"
    assert told(tmp_path, lazy(tmp_path, OF_A_FOLDER, snacks) + ENABLED, by_hand=False)["picker"] == "snacks"


def test_as_a_package_of_neovim_it_searches(tmp_path: Path) -> None:
    start = tmp_path / "site" / "pack" / "mine" / "start"
    start.mkdir(parents=True)
    (start / "c2llm").symlink_to(PLUGIN)
    found = told(tmp_path, f"vim.opt.packpath:prepend([[{tmp_path / 'site'}]])\n{ENABLED}", by_hand=False)
    assert found["map"]
    assert found["offered"][0].startswith("app/ignore.py:4  apply_ignore_rules  ")


def test_nothing_of_it_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    alone = tmp_path / "alone.py"
    alone.write_text("x = 1\n")
    names = "vim.tbl_filter(function(name) return name:find('c2llm') end, vim.tbl_keys(package.loaded))"
    script = f"lua vim.fn.writefile({{ vim.json.encode({names}) }}, vim.env.TOLD)"
    run(tmp_path, alone, "-c", script, "-c", "qa!")
    assert json.loads((tmp_path / "told").read_text()) == []
