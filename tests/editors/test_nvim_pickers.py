"""Results in pickers, best first, with a preview, and asked for anew for whatever is typed.

snacks.nvim and mini.pick are the real ones, where $NVIM_PLUGINS names a folder that holds them (editors/nvim/ci.sh fetches
it). telescope.nvim and fzf-lua are in no registry: something with the documented interface stands in for them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, Remote, plugin, run

pytestmark = NEEDS_NVIM
STAND_INS = CHECKOUT / "tests" / "editors" / "stand_ins"
PICKERS = ("auto", "select", "fzf-lua")
QUESTION = "ignore rule excludes"
_GREY = re.compile("\x1b\\[[0-9;]*m")  # of a weak result
FIRST = "app/ignore.py:4  apply_ignore_rules  def apply_ignore_rules(path, rules):"
SNACKS = 'require("snacks").picker.get()[1]'
SNACKS_ITEMS = f'vim.tbl_map(function(i) return i.place .. "  " .. i.name end, {SNACKS}:items())'
MINI_ITEMS = "vim.tbl_map(function(i) return i.text end, MiniPick.get_picker_matches().all or {})"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def started(project: Path, picker: str, *lines: str) -> Remote:
    first = ["vim.o.columns = 150", "vim.o.lines = 45", f'vim.g.c2llm = {{ picker = "{picker}" }}', *lines]
    init = "\n".join([*first, 'vim.lsp.enable("c2llm")'])
    nvim = Remote(project.parent, project / "app/invoices.py", init=init)
    nvim.until('require("c2llm").statusline() == "c2llm"')
    return nvim


@pytest.fixture
def snacks(project: Path) -> Iterator[Remote]:
    path = plugin("snacks.nvim")
    with started(project, "auto", f"vim.opt.runtimepath:append([[{path}]])", 'require("snacks").setup({})') as nvim:
        yield nvim


@pytest.fixture
def mini(project: Path) -> Iterator[Remote]:
    with started(project, "mini.pick", f"vim.opt.runtimepath:append([[{plugin('mini.nvim')}]])") as nvim:
        yield nvim


def ranked(nvim: Remote, query: str) -> list[str]:
    """The order in which the server answers."""
    nvim.lua(
        'require("c2llm.ask").ask("c2llm/search", { query = [[' + query + "]] }, function(a)"
        " _G.Ranked = vim.tbl_map(require('c2llm.hits').titled, require('c2llm.hits').spots(a.hits, 'utf-8')) end)"
    )
    return list(nvim.until("_G.Ranked or false"))


def place(nvim: Remote) -> tuple[str, int]:
    path, line = nvim.lua('{ vim.fn.expand("%:t"), vim.fn.line(".") }')
    return path, line


def test_snacks_answers_what_is_typed_in_the_order_of_the_ranks_shows_and_goes_there(snacks: Remote) -> None:
    expected = ranked(snacks, QUESTION)
    snacks.type("<Cmd>C2llm search<CR>")
    snacks.until(f"{SNACKS} ~= nil")
    snacks.type(QUESTION)
    assert snacks.until(f"#{SNACKS}:items() == {len(expected)} and {SNACKS_ITEMS}") == expected
    preview = f"vim.api.nvim_buf_get_lines({SNACKS}.preview.win.buf, 0, -1, false)"
    assert snacks.until(f"vim.tbl_contains({preview}, 'def apply_ignore_rules(path, rules):') and {preview}")
    snacks.type("<CR>")
    snacks.until('vim.fn.expand("%:t") == "ignore.py"')
    assert place(snacks) == ("ignore.py", 4)


def test_snacks_lists_similar_code_and_shows_what_is_not_saved(snacks: Remote) -> None:
    text = 'def apply_more_rules(path, rules):\n    """Whether an ignore rule excludes the path, unsaved."""'
    snacks.lua(f"vim.api.nvim_buf_set_lines(0, -1, -1, false, vim.split([[\n\n{text}]], '\\n')) or true")
    snacks.type("<Cmd>C2llm search apply_more_rules unsaved<CR>")
    assert "apply_more_rules" in snacks.until(f"#({SNACKS}:items()) > 0 and {SNACKS_ITEMS}")[0]
    preview = f"table.concat(vim.api.nvim_buf_get_lines({SNACKS}.preview.win.buf, 0, -1, false), ' ')"
    assert snacks.until(f"{preview}:find('excludes the path, unsaved', 1, true) ~= nil")


def test_filters_may_stand_between_the_words(snacks: Remote) -> None:
    snacks.type("<Cmd>C2llm search<CR>")
    snacks.until(f"{SNACKS} ~= nil")
    snacks.type("queue lang:go")
    (only,) = snacks.until(f"#({SNACKS}:items()) == 1 and {SNACKS_ITEMS}")
    assert only.startswith("core/queue.go:4  Queue.Push  ")


def test_mini_pick_answers_what_is_typed_in_the_order_of_the_ranks_shows_and_goes_there(mini: Remote) -> None:
    expected = ranked(mini, QUESTION)
    mini.type("<Cmd>C2llm search<CR>")
    mini.until("MiniPick.is_picker_active()")
    mini.type(QUESTION)
    assert mini.until(f"#({MINI_ITEMS}) == {len(expected)} and {MINI_ITEMS}") == expected
    mini.type("<Tab>")
    preview = "vim.api.nvim_buf_get_lines(MiniPick.get_picker_state().buffers.preview, 0, -1, false)"
    assert mini.until(f"vim.tbl_contains({preview}, 'def apply_ignore_rules(path, rules):')")
    mini.type("<CR>")
    mini.until('vim.fn.expand("%:t") == "ignore.py"')
    assert place(mini) == ("ignore.py", 4)


def test_mini_pick_lists_similar_code(mini: Remote) -> None:
    mini.type("<Cmd>C2llm similar<CR>")
    assert mini.until(f"MiniPick.is_picker_active() and {MINI_ITEMS}")
    mini.type("<CR>")
    mini.until('vim.fn.expand("%:t") ~= "invoices.py"')


def test_telescope_gets_entries_in_the_order_of_the_ranks_that_its_previewer_understands(project: Path) -> None:
    with started(project, "auto", f"vim.opt.runtimepath:append([[{STAND_INS}]])") as nvim:
        expected = ranked(nvim, QUESTION)
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until("_G.Picker ~= nil")
        assert nvim.lua("{ Picker.sorter, Picker.previewer }") == ["empty", "qflist"]
        nvim.lua(f"Ask('{QUESTION}') or true")
        display = "type(e.display) == 'function' and (e.display()) or e.display"  # a function where it is dimmed
        shown = f"vim.tbl_map(function(e) return {display} end, Picker.entries)"
        assert nvim.until(f"Picker.entries and {shown}") == expected
        entry = nvim.lua("{ Picker.entries[1].filename, Picker.entries[1].lnum, Picker.entries[1].col }")
        assert entry == [str(project / "app/ignore.py"), 4, 5]
        nvim.type(f"<Cmd>C2llm search {QUESTION}<CR>")
        assert nvim.until(f"Picker.sorter == 'generic' and {shown}") == expected


def test_fzf_lua_gets_lines_in_the_order_of_the_ranks_that_its_previewer_understands(project: Path) -> None:
    with started(project, "fzf-lua", f"vim.opt.runtimepath:append([[{STAND_INS}]])") as nvim:
        expected = ranked(nvim, QUESTION)
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until("_G.Picker ~= nil")
        assert nvim.lua("{ Picker.opts.previewer, Picker.opts.actions }") == ["builtin", "files"]
        assert nvim.lua('Picker.opts.fzf_opts["--no-sort"]') is True
        nvim.lua(f"Ask('{QUESTION}') or true")
        found = [_GREY.sub("", line) for line in nvim.until("Picker.complete and Picker.entries")]
        assert found[0].startswith(f"{project / 'app/ignore.py'}:4:5: apply_ignore_rules  ")
        assert [line.removeprefix(f"{project}/").split(":")[0] for line in found] == [
            line.split(":")[0] for line in expected
        ]
        nvim.type(f"<Cmd>C2llm search {QUESTION}<CR>")
        listed = nvim.until("Picker.opts.query == nil and Picker.complete and Picker.entries")
        assert [_GREY.sub("", line) for line in listed] == found


def test_the_picker_that_is_chosen_is_taken_else_one_that_is_there(project: Path) -> None:
    chosen = 'vim.g.c2llm = { picker = "%s" }; vim.print(select(2, require("c2llm.pick").picker()))'
    init = "\n".join([f"vim.opt.runtimepath:append([[{STAND_INS}]])", *(chosen % name for name in PICKERS)])
    said = run(project.parent, "-c", "qa!", init=init)
    assert said.split() == ["telescope", "select", "fzf-lua"]
