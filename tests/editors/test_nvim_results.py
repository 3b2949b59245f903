"""What Neovim shows beside plain results: structure, parts of the project, the last results again, results that are hardly any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, Remote, plugin
from tests.files.test_git_index import git

pytestmark = NEEDS_NVIM
STAND_INS = CHECKOUT / "tests" / "editors" / "stand_ins"
USE = """from app.ignore import apply_ignore_rules


def left_out(paths, rules):
    return [path for path in paths if apply_ignore_rules(path, rules)]
"""
TEST = """from app.ignore import apply_ignore_rules


def test_no_rule_excludes_nothing():
    assert not apply_ignore_rules("picture.png", [])
"""
QUICKFIX = (
    "{ vim.fn.getqflist({ title = 0 }).title, vim.tbl_map(function(i) return vim.fs.relpath(vim.env.PROJECT,"
    " vim.fn.bufname(i.bufnr)) .. ':' .. i.lnum .. ' ' .. i.text end, vim.fn.getqflist()) }"
)
SAID = "vim.notify = function(text) _G.Said = text end"
SNACKS = 'require("snacks").picker.get()[1]'
SNACKS_FILES = f'vim.tbl_map(function(i) return i.place:gsub(":.*", "") end, {SNACKS}:items())'
MINI_FILES = 'vim.tbl_map(function(i) return (i.text:gsub(":.*", "")) end, MiniPick.get_picker_matches().all or {})'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = lay_out(tmp_path / "project", PROJECT | {"app/use.py": USE, "tests/test_ignore.py": TEST})
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def started(project: Path, *lines: str, config: str = "") -> Remote:
    first = ["vim.o.columns = 150", "vim.o.lines = 45", SAID, f"vim.g.c2llm = {{ {config} }}", *lines]
    nvim = Remote(project.parent, project / "app/ignore.py", init="\n".join([*first, 'vim.lsp.enable("c2llm")']))
    nvim.until('require("c2llm").statusline() == "c2llm"')
    return nvim


@pytest.fixture
def nvim(project: Path) -> Iterator[Remote]:
    with started(project, f"vim.opt.runtimepath:append([[{STAND_INS}]])", config='picker = "select"') as nvim:
        yield nvim


def listed(nvim: Remote, command: str, title: str) -> list[str]:
    """The quickfix list that a command makes."""
    nvim.lua("vim.fn.setqflist({}, 'f') or true")
    nvim.type(f"<Cmd>{command}<CR>")
    nvim.until(f"vim.fn.getqflist({{ title = 0 }}).title == [[{title}]]")
    found: list[str] = nvim.lua(QUICKFIX)[1]
    nvim.type("<Cmd>cclose<CR>")
    return found


def files(rows: list[str]) -> set[str]:
    return {row.split(":")[0] for row in rows}


def test_callers_callees_references_and_outlines_are_lists_of_places(nvim: Remote) -> None:
    calling = "return [path for path in paths if apply_ignore_rules(path, rules)]"
    testing = 'assert not apply_ignore_rules("picture.png", [])'
    callers = listed(nvim, "C2llm! callers apply_ignore_rules", "What calls apply_ignore_rules")
    assert callers == [
        f"app/use.py:5 left_out  {calling}",
        f"tests/test_ignore.py:5 test_no_rule_excludes_nothing  {testing}",
    ]
    nvim.lua("vim.api.nvim_win_set_cursor(0, { 5, 8 }) or true")
    assert listed(nvim, "C2llm! callers", "What calls apply_ignore_rules") == callers
    (callee,) = listed(nvim, "C2llm! callees left_out", "What left_out calls")[:1]
    assert callee.startswith("app/ignore.py:4 apply_ignore_rules")
    used = listed(nvim, "C2llm! references apply_ignore_rules", "Where apply_ignore_rules is used")
    assert {"app/use.py:1", "app/use.py:5"} <= {row.split(" ")[0] for row in used}
    outline = listed(nvim, "C2llm! outline app/invoices.py", "Outline of app/invoices.py")
    assert outline == ["app/invoices.py:4 class Invoice:", "app/invoices.py:5   def total_price(self, items):"]
    assert listed(nvim, "C2llm! outline", "Outline of app/ignore.py")[0].startswith(
        "app/ignore.py:4 def apply_ignore_rules"
    )
    nvim.type("<Cmd>C2llm callers apply_ignore_rule<CR>")
    assert "apply_ignore_rules" in nvim.until("_G.Said or false")


def test_a_part_of_the_project_is_searched(nvim: Remote, project: Path) -> None:
    def found(typed: str) -> set[str]:
        return files(listed(nvim, f"C2llm! search {typed}", typed))

    question = "apply ignore rules price retry queue"
    assert found(question) > {"app/ignore.py", "core/queue.go", "tests/test_ignore.py"}
    assert {path.split("/")[0] for path in found(f"in:folder {question}")} == {"app"}
    assert found(f"in:open {question}") == {"app/ignore.py"}
    assert "tests/test_ignore.py" not in found(f"in:no-tests {question}")
    nvim.lua("(function() _G.Said = nil end)() or true")
    nvim.type(f"<Cmd>C2llm! search in:changed {question}<CR>")
    assert "No indexed file has changed" in nvim.until("_G.Said or false")
    nvim.lua("vim.api.nvim_buf_set_lines(0, -1, -1, false, { 'x = 1' }) or true")
    nvim.type("<Cmd>write<CR>")
    nvim.until("not vim.bo.modified")
    nvim.until(
        f"(function() vim.cmd('silent! C2llm! search in:changed {question}') return #vim.fn.getqflist() == 1 end)()"
    )
    assert files(nvim.lua(QUICKFIX)[1]) == {"app/ignore.py"}
    assert nvim.lua("vim.fn.getcompletion('C2llm search in:', 'cmdline')")[0] == "in:folder"


def test_the_last_results_are_opened_again(nvim: Remote) -> None:
    nvim.type("<Cmd>C2llm resume<CR>")
    assert nvim.until("_G.Said or false") == "Nothing was searched for yet."
    first = listed(nvim, "C2llm! search ignore rule excludes", "ignore rule excludes")
    assert listed(nvim, "C2llm resume", "ignore rule excludes") == first


def test_trouble_shows_the_list_where_it_is_chosen(project: Path) -> None:
    with started(
        project, f"vim.opt.runtimepath:append([[{STAND_INS}]])", config='picker = "select", list = "trouble"'
    ) as nvim:
        nvim.type("<Cmd>C2llm! search ignore rule excludes<CR>")
        assert nvim.until("_G.Trouble or false") == {"mode": "qflist", "focus": True}
        assert "app/ignore.py" in files(nvim.lua(QUICKFIX)[1])


def test_one_key_limits_a_search_in_snacks_and_the_last_search_comes_back(project: Path) -> None:
    path = plugin("snacks.nvim")
    with started(project, f"vim.opt.runtimepath:append([[{path}]])", 'require("snacks").setup({})') as nvim:
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until(f"{SNACKS} ~= nil")
        nvim.type("apply ignore rules")
        nvim.until(f"vim.list_contains({SNACKS_FILES}, 'tests/test_ignore.py')")
        nvim.type("<M-t>")
        nvim.until(f"#{SNACKS}:items() > 0 and not vim.list_contains({SNACKS_FILES}, 'tests/test_ignore.py')")
        nvim.type("<M-t>")
        nvim.until(f"vim.list_contains({SNACKS_FILES}, 'tests/test_ignore.py')")
        nvim.type("<Esc><Esc>")
        nvim.until(f"{SNACKS} == nil")
        nvim.type("<Cmd>C2llm resume<CR>")
        nvim.until(f"{SNACKS} ~= nil and vim.list_contains({SNACKS_FILES}, 'tests/test_ignore.py')")
        groups = f"vim.tbl_map(function(i) return require('c2llm.pick.snacks').format(i)[1][2] end, {SNACKS}:items())"
        assert nvim.lua(groups)[0] == "SnacksPickerFile"
        nvim.lua(f'({SNACKS}.input:set("xyzzyplugh frobnicated", "")) or true')
        nvim.until(f"#{SNACKS}:items() > 0 and {groups}[1] == 'Comment'")


def test_one_key_limits_a_search_in_mini_pick_and_what_is_hardly_meant_is_dimmed(project: Path) -> None:
    with started(
        project, f"vim.opt.runtimepath:append([[{plugin('mini.nvim')}]])", config='picker = "mini.pick"'
    ) as nvim:
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until("MiniPick.is_picker_active()")
        nvim.type("apply ignore rules")
        nvim.until(f"vim.list_contains({MINI_FILES}, 'tests/test_ignore.py')")
        nvim.type("<M-t>")
        nvim.until(f"#{MINI_FILES} > 0 and not vim.list_contains({MINI_FILES}, 'tests/test_ignore.py')")
        nvim.type("<C-u>xyzzyplugh frobnicated")
        space = "vim.api.nvim_get_namespaces()['c2llm-weak']"
        marks = f"#vim.api.nvim_buf_get_extmarks(MiniPick.get_picker_state().buffers.main, {space}, 0, -1, {{}})"
        nvim.until(f"{marks} > 0")


def test_keys_reach_telescope_and_fzf_lua(project: Path) -> None:
    with started(project, f"vim.opt.runtimepath:append([[{STAND_INS}]])") as nvim:
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until("_G.Picker ~= nil")
        nvim.lua(
            "(function() _G.Keys = {} ; Picker.attach_mappings(1, function(_, key) Keys[#Keys + 1] = key end) end)() or true"
        )
        assert nvim.lua("Keys") == ["<M-d>", "<M-k>", "<M-b>", "<M-c>", "<M-t>"]
        nvim.lua("(function() vim.g.c2llm = { picker = 'fzf-lua' } ; _G.Picker = nil end)() or true")
        nvim.type("<Cmd>C2llm search<CR>")
        nvim.until("_G.Picker ~= nil")
        assert nvim.lua('Picker.opts.fzf_opts["--bind"]').startswith("alt-d:put( in:folder ),alt-k:put( in:package ),")


def test_a_filter_is_put_in_and_taken_out(nvim: Remote) -> None:
    toggled = 'require("c2llm.question").toggled'
    assert nvim.lua(f'{toggled}("retry  here", "open")') == "in:open retry here "
    assert nvim.lua(f'{toggled}("in:open retry in:changed", "open")') == "retry in:changed "
