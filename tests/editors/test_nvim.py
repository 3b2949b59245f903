"""Neovim, headless, with the plugin of `editors/nvim` and the real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROJECT
from tests.cli.program import CHECKOUT, lay_out
from tests.editors.nvim import NEEDS_NVIM, PLUGIN, run

pytestmark = NEEDS_NVIM
SCENARIO = CHECKOUT / "tests" / "editors" / "nvim_scenario.lua"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the scenario tells, by name."""
    folder = tmp_path_factory.mktemp("nvim")
    project = lay_out(folder / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    run(folder, project / "app/invoices.py", "-c", f"luafile {SCENARIO}", init='vim.lsp.enable("c2llm")')
    lines = (folder / "told").read_text(encoding="utf-8").splitlines()
    return {name: value for line in lines for name, value in json.loads(line).items()} | {"project": str(project)}


def test_enabling_the_server_is_all_that_is_needed(told: dict[str, Any]) -> None:
    assert told["root"] == told["project"]
    assert told["encoding"] == "utf-8"


def test_results_are_offered_best_first_and_the_choice_is_gone_to(told: dict[str, Any]) -> None:
    assert told["offered"]["prompt"] == "ignore rule excludes the path"
    assert (
        told["offered"]["titles"][0]
        == 'app/ignore.py:4  apply_ignore_rules  """Whether an ignore rule excludes the path."""'
    )
    assert told["jumped"] == ["app/ignore.py", 4, 4]
    assert told["back"][0] == "app/invoices.py"


def test_what_is_not_saved_is_found_and_the_list_keeps_the_ranking(told: dict[str, Any]) -> None:
    assert told["list"][0] == 'app/invoices.py:10:5 shrink_picture  """Makes a picture 🎉 smaller."""'
    assert len(told["list"]) == len(PROJECT)
    assert all(re.fullmatch(r"\S+:\d+:\d+ .*\S.*", line) for line in told["list"]), "each says something of the code"
    assert told["first"] == ["app/invoices.py", 10, 4]
    assert told["modified"] is True


def test_similar_code_is_that_of_the_cursor_or_of_the_selection(told: dict[str, Any]) -> None:
    assert told["similar"]["prompt"] == told["selected"]["prompt"] == "Similar code"
    assert not any("invoices.py" in title for title in told["similar"]["titles"]), "not the code itself"
    assert told["selected"]["titles"]
    assert not any("ignore.py" in title for title in told["selected"]["titles"]), "not the selection itself"


def test_a_context_is_copied(told: dict[str, Any]) -> None:
    assert re.fullmatch(r"Copied \d+ places, \d+ tokens\.", told["copied"])
    assert "app/ignore.py" in told["register"]


def test_the_commands_say_how_it_stands(told: dict[str, Any]) -> None:
    assert re.search(r"^project: ready, 5 files$", told["status"], re.MULTILINE)
    names = (
        "ask, callees, callers, clear, context, explain, log, outline, pause-indexing, references, restart, resume, "
        "resume-indexing, search, similar, start, status, stop"
    )
    assert told["wrong"] == f"There is no :C2llm nonsense; there are {names}."
    assert told["completion"] == ["search", "similar", "start", "status", "stop"]


def test_health_tells_of_program_and_server(told: dict[str, Any]) -> None:
    assert re.search(r"OK c2llm \d", told["health"])
    assert f"Runs in {told['project']}" in told["health"]
    assert "ERROR" not in told["health"]


def test_without_a_server_the_person_is_told_what_to_do(told: dict[str, Any]) -> None:
    assert 'vim.lsp.enable("c2llm")' in told["absent"]


def test_health_names_a_missing_program(tmp_path: Path) -> None:
    report = tmp_path / "report"
    run(tmp_path, "-c", "checkhealth c2llm", "-c", f"write {report}", "-c", "qa!", path="/usr/bin:/bin")
    assert "`c2llm` is not on the PATH" in report.read_text()
    assert "pipx install /path/to/c2llm-lsp" in report.read_text()


def test_a_file_on_its_own_starts_no_server(tmp_path: Path) -> None:
    alone = tmp_path / "alone.py"
    alone.write_text("x = 1\n")
    count = "lua vim.fn.writefile({ tostring(#vim.lsp.get_clients()) }, vim.env.TOLD)"
    run(tmp_path, alone, "-c", count, "-c", "qa!", init='vim.lsp.enable("c2llm")')
    assert (tmp_path / "told").read_text().strip() == "0"


def test_the_help_is_found_as_it_is_installed(tmp_path: Path) -> None:
    """By whoever runs no helptags: not every way to install a plugin does."""
    name = "lua vim.fn.writefile({ vim.api.nvim_buf_get_name(0) }, vim.env.TOLD)"
    run(tmp_path, "-c", "help c2llm", "-c", name, "-c", "qa!")
    assert (tmp_path / "told").read_text().strip() == str(PLUGIN / "doc/c2llm.txt")


def test_the_tags_are_those_of_the_help(tmp_path: Path) -> None:
    copy = tmp_path / "doc"
    shutil.copytree(PLUGIN / "doc", copy)
    (copy / "tags").unlink()
    run(tmp_path, "-c", f"helptags {copy}", "-c", "qa!")
    assert (copy / "tags").read_bytes() == (PLUGIN / "doc/tags").read_bytes(), "run :helptags editors/nvim/doc"
    tags = {line.split("\t")[0] for line in (copy / "tags").read_text().splitlines()}
    assert {"c2llm", ":C2llm", "c2llm-settings", "c2llm-maps", "c2llm-statusline", "c2llm-health"} <= tags


def test_each_command_and_each_map_is_there_and_in_the_help(tmp_path: Path) -> None:
    code = """
        local maps = vim.tbl_filter(function(map) return map.lhs:match("^<Plug>%(c2llm") end, vim.api.nvim_get_keymap("n"))
        local names = vim.tbl_map(function(map) return map.lhs end, maps)
        vim.list_extend(names, vim.tbl_map(function(name) return ":C2llm " .. name end, vim.fn.getcompletion("C2llm ", "cmdline")))
        vim.fn.writefile(names, vim.env.TOLD)
        vim.cmd("qa!")"""
    run(tmp_path, init=f"vim.schedule(function() {code} end)")
    there = set((tmp_path / "told").read_text().splitlines())
    shown = ("search", "similar", "context", "ask", "explain", "clear")
    structure = ("callers", "callees", "references", "outline")
    indexing = ("pause-indexing", "resume-indexing")
    wanted = (*shown, *structure, *indexing, "resume", "status", "log", "start", "stop", "restart")
    scopes = ("folder", "package", "open", "changed", "no-tests")
    maps = (*wanted, "similar-list", "search-word", *(f"search-{scope}" for scope in scopes))
    assert there == {f":C2llm {n}" for n in wanted} | {f"<Plug>(c2llm-{n})" for n in maps}
    text = re.sub(r":(?:\[range\])?C2llm(?:\[!\])?", ":C2llm", (PLUGIN / "doc/c2llm.txt").read_text(encoding="utf-8"))
    assert {name for name in there if name not in text} == set()


def test_the_statusline_counts_while_it_indexes(tmp_path: Path) -> None:
    """As it is drawn: what the function gives is part of a statusline, in which % would stand for something."""
    files = {
        f"part{n}.py": "".join(f"def step_{n}_{k}(x):\n    return x + {k}\n\n\n" for k in range(20)) for n in range(90)
    }
    project = lay_out(tmp_path / "project", PROJECT | files)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    script = tmp_path / "statusline.lua"
    script.write_text(STATUSLINE, encoding="utf-8")
    init = f'vim.cmd.luafile("{script}")\nvim.lsp.enable("c2llm")'
    run(
        tmp_path, project / "app/ignore.py", init=init, encoder="embedded"
    )  # the tests' own is done before it is told of
    drawn = (tmp_path / "told").read_text().splitlines()
    counted = [int(found[1]) for line in drawn if (found := re.fullmatch(r"c2llm (\d+)%", line))]
    assert counted and all(0 <= n <= 100 for n in counted), drawn
    assert drawn[-1] == "c2llm"


STATUSLINE = """
vim.o.statusline = "%{%v:lua.require'c2llm'.statusline()%}"
local drawn = {}
vim.api.nvim_create_autocmd("User", { pattern = "C2llmStatus", callback = function()
  local now = vim.api.nvim_eval_statusline(vim.o.statusline, {}).str
  if drawn[#drawn] ~= now then drawn[#drawn + 1] = now end
  if now == "c2llm" then
    vim.fn.writefile(drawn, vim.env.TOLD)
    vim.cmd("qa!")
  end
end })
"""


def test_an_explanation_colours_the_code_until_it_changes(tmp_path: Path) -> None:
    """With the embedded model, because the test encoder looks nowhere."""
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    script = tmp_path / "explain.lua"
    script.write_text(EXPLAIN, encoding="utf-8")
    run(
        tmp_path,
        project / "app/ignore.py",
        "-c",
        f"luafile {script}",
        init='vim.lsp.enable("c2llm")',
        encoder="embedded",
    )
    told = json.loads((tmp_path / "told").read_text())
    groups = {mark["hl_group"] for mark in told["marks"] if mark.get("hl_group")}
    assert groups <= {f"C2llmHeat{level}" for level in range(1, 5)} and "C2llmHeat4" in groups
    texts = [mark["virt_text"][0][0] for mark in told["marks"] if mark.get("virt_text")]
    assert texts and all(re.fullmatch(r"\d+% [+-]\d\.\d\d", text) for text in texts)
    assert told["after"] == 0
    assert re.search(r"share.*the query\. :C2llm clear removes it\.", told["legend"])
    assert told["cleared"] == 0


EXPLAIN = """
local function marks()
  local space = vim.api.nvim_get_namespaces()["c2llm-heat"]
  local found = space and vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) or {}
  return vim.tbl_map(function(mark) return mark[4] end, found)
end
local function until_(check) assert(vim.wait(300000, check, 20), "it did not happen") end
local said
vim.notify = function(text) said = text end
vim.schedule(function()
  local told = {}
  local fine, problem = xpcall(function()
    until_(function() return require("c2llm").statusline() == "c2llm" end)
    vim.api.nvim_win_set_cursor(0, { 5, 0 })
    vim.cmd("C2llm explain which files are left out")
    until_(function() return #marks() > 0 end)
    told.marks = marks()
    told.legend = said
    vim.cmd("C2llm clear")
    told.cleared = #marks()
    vim.cmd("C2llm explain which files are left out")
    until_(function() return #marks() > 0 end)
    vim.cmd("normal! ox = 1")
    vim.api.nvim_exec_autocmds("TextChanged", { buffer = 0 })
    told.after = #marks()
  end, debug.traceback)
  told.problem = problem
  vim.fn.writefile({ vim.json.encode(told) }, vim.env.TOLD)
  vim.cmd(fine and "qa!" or "cquit")
end)
"""


CONTRASTS = """
local heat = require("c2llm.heat")
local told = {}
for _, scheme in ipairs({ "default", "retrobox", "morning", "habamax", "peachpuff" }) do
  for _, background in ipairs({ "dark", "light" }) do
    vim.o.background = background
    vim.cmd.colorscheme(scheme)
    local normal = vim.api.nvim_get_hl(0, { name = "Normal" })
    local text = normal.fg or (vim.o.background == "dark" and 0xe0e2ea or 0x14161b)
    for level = 1, 4 do
      local group = vim.api.nvim_get_hl(0, { name = "C2llmHeat" .. level })
      told[#told + 1] = { scheme, vim.o.background, level, group.bg and heat.contrast(group.bg, text) or 0, group.ctermbg or -1 }
    end
  end
end
vim.api.nvim_set_hl(0, "C2llmHeat1", { bg = 0x123456 })
heat.colours()
told[#told + 1] = { "chosen", "", 1, 99, vim.api.nvim_get_hl(0, { name = "C2llmHeat1" }).bg }
vim.fn.writefile({ vim.json.encode(told) }, vim.env.TOLD)
vim.cmd("qa!")
"""


def test_the_colours_of_an_explanation_can_be_read_in_every_colour_scheme(tmp_path: Path) -> None:
    run(tmp_path, init=f"vim.schedule(function() {CONTRASTS} end)")
    *rows, chosen = json.loads((tmp_path / "told").read_text())
    assert len(rows) == 5 * 2 * 4
    assert [row for row in rows if row[3] < 4.4] == []
    assert [row for row in rows if not 0 <= row[4] < 256] == []
    for first in range(0, len(rows), 4):
        assert len({row[4] for row in rows[first : first + 4]}) == 4, "four levels without true colours"
    assert chosen[4] == 0x123456, "what a person has set stays"


HERE = """
local offered, notified
vim.ui.select = function(items, opts, chosen)
  offered = opts.format_item(items[1])
  chosen(items[1])
end
vim.notify = function(text) notified = text end
vim.schedule(function()
  vim.cmd("tab C2llm search ignore rule excludes the path")
  local fine = vim.wait(300000, function() return offered or (notified and not notified:match("being indexed")) end, 20)
  local tabs = #vim.api.nvim_list_tabpages()
  vim.fn.writefile({ vim.json.encode({ offered = offered, notified = notified, fine = fine, tabs = tabs }) }, vim.env.TOLD)
  vim.cmd("qa!")
end)
"""


def test_the_working_directory_is_searched_where_no_file_is_open(tmp_path: Path) -> None:
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    run(tmp_path, init=f'vim.lsp.enable("c2llm")\n{HERE}', cwd=project / "app")
    told = json.loads((tmp_path / "told").read_text())
    assert re.match(r"\S+:\d+  \S", told.get("offered", "")), told
    assert told["tabs"] == 2, "in a tab, as it was asked for"


def test_outside_of_a_project_it_says_what_makes_one(tmp_path: Path) -> None:
    run(tmp_path, init=f'vim.lsp.enable("c2llm")\n{HERE}')
    told = json.loads((tmp_path / "told").read_text())
    assert told["notified"].endswith("a folder that has .c2llm.toml, .git, .hg, .jj or .svn.")


RANGE = """
local offered, notified
vim.ui.select = function(items, opts, chosen)
  offered = vim.tbl_map(function(item) return opts.format_item(item) end, items)
  chosen(nil)
end
vim.notify = function(text) notified = text end
local function until_(check) assert(vim.wait(300000, check, 20), "it did not happen") end
vim.schedule(function()
  local told = {}
  local fine, problem = xpcall(function()
    until_(function() return require("c2llm").statusline() == "c2llm" end)
    vim.cmd("4,8C2llm similar")
    until_(function() return offered end)
    told.similar, notified = offered, nil
    local client = vim.lsp.get_clients({ name = "c2llm" })[1]
    local place = vim.lsp.util.make_given_range_params({ 4, 0 }, { 8, 0 }, 0, "utf-8")
    client:exec_cmd({ title = "Copy", command = "c2llm.server.context", arguments = { place } }, { bufnr = 0 })
    until_(function() return notified end)
    told.copied, told.register, notified = notified, vim.fn.getreg('"'), nil
    vim.api.nvim_win_set_cursor(0, { 4, 6 })
    told.word = require("c2llm").words()
    told.languages = vim.fn.getcompletion("C2llm search lang:", "cmdline")
    vim.cmd("C2llm resume-indexing")
    until_(function() return notified end)
    told.resumed = notified
  end, debug.traceback)
  told.problem = problem
  vim.fn.writefile({ vim.json.encode(told) }, vim.env.TOLD)
  vim.cmd(fine and "qa!" or "cquit")
end)
"""


def test_ranges_code_actions_words_and_values_of_filters(tmp_path: Path) -> None:
    project = lay_out(tmp_path / "project", PROJECT)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    run(tmp_path, project / "app/ignore.py", init=f'vim.lsp.enable("c2llm")\n{RANGE}')
    told = json.loads((tmp_path / "told").read_text())
    assert told["similar"] and not any("app/ignore.py" in title for title in told["similar"])
    assert re.fullmatch(r"Copied \d+ places, \d+ tokens\.", told["copied"]) and "app/ignore.py" in told["register"]
    assert told["word"] == "apply_ignore_rules"
    assert "lang:python" in told["languages"] and "lang:go" in told["languages"]
    assert "project: " in told["resumed"]
