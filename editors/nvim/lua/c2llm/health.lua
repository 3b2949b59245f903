-- :checkhealth c2llm

local M = {}
local uv = vim.uv --[[@as any]] -- Neovim does not describe it

function M.check()
  local health = vim.health
  health.start("c2llm")
  if vim.fn.has("nvim-0.11") == 0 then
    return health.error("Neovim 0.11 or newer is needed", "Upgrade Neovim")
  end
  local command = require("c2llm.life").program()
  local path = require("c2llm.life").find(command)
  if not path then
    health.error(("`%s` is not on the PATH"):format(command), {
      "Install it: pipx install /path/to/c2llm-lsp, a clone of the repository or the wheel of a release",
      'Or name its place: vim.g.c2llm = { cmd = { "/path/to/c2llm", "serve" } }',
    })
  else
    local done = vim.system({ path, "--version" }, { text = true, cwd = uv.os_homedir() }):wait(10000)
    if done.code == 0 then
      health.ok(("%s, %s"):format(vim.trim(done.stdout or ""), path))
    else
      health.error(("`%s --version` failed"):format(command), { vim.trim(done.stderr or "") })
    end
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled("c2llm") then -- 0.11 cannot tell
    health.warn("The server is not enabled", 'Put vim.lsp.enable("c2llm") into your init.lua')
  end
  M.choices()
  local trouble = require("c2llm.life").trouble()
  if trouble then
    health.error(trouble)
  end
  local clients = vim.lsp.get_clients({ name = "c2llm" })
  if #clients == 0 then
    health.info("No server runs: open a file of a project, a folder with .git or .c2llm.toml")
  end
  for _, client in ipairs(clients) do
    health.ok(("Runs in %s, positions in %s"):format(client.root_dir or "no folder", client.offset_encoding))
  end
  for _, folder in ipairs(require("c2llm.status").folders()) do
    local report = folder.state == "failed" and health.error or health.info
    report(("%s: %s %s"):format(folder.name, folder.state, folder.message))
  end
  health.info("Log: " .. vim.lsp.log.get_filename())
end

--- Whether what was chosen is known, by its name.
function M.choices()
  local health = vim.health
  local config = require("c2llm.config").lsp()
  local settings = config and config.settings and config.settings.c2llm
  local known = require("c2llm.settings").defaults
  for name, value in pairs(type(settings) == "table" and settings or {}) do
    local snake = name:gsub("%u", "_%0"):lower()
    if known[snake] == nil then
      health.warn(("There is no setting `%s`"):format(name), "See :help c2llm-settings")
    elseif type(value) ~= type(known[snake]) then
      health.warn(("The setting `%s` should be a %s"):format(name, type(known[snake])))
    end
  end
  local chosen = require("c2llm.config").get().picker
  local _, used = require("c2llm.pick").picker()
  health.info("Results are shown with: " .. used)
  if not vim.list_contains(require("c2llm.pick").names(), chosen) then
    local names = table.concat(require("c2llm.pick").names(), ", ")
    health.warn(("There is no picker `%s`"):format(chosen), "vim.g.c2llm.picker is one of " .. names)
  end
end

return M
