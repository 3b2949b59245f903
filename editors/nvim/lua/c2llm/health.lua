-- :checkhealth c2llm

local M = {}

function M.check()
  local health = vim.health
  health.start("c2llm")
  if vim.fn.has("nvim-0.11") == 0 then
    return health.error("Neovim 0.11 or newer is needed", "Upgrade Neovim")
  end
  local config = vim.lsp.config.c2llm or {}
  local command = type(config.cmd) == "table" and config.cmd[1] or "c2llm"
  if vim.fn.executable(command) == 0 then
    health.error(("`%s` is not on the PATH"):format(command), {
      "Install it: pipx install c2llm-lsp",
      'Or name its place: vim.lsp.config("c2llm", { cmd = { "/path/to/c2llm", "serve" } })',
    })
  else
    local done = vim.system({ command, "--version" }, { text = true }):wait(10000)
    if done.code == 0 then
      health.ok(("%s, %s"):format(vim.trim(done.stdout), vim.fn.exepath(command)))
    else
      health.error(("`%s --version` failed"):format(command), vim.trim(done.stderr or ""))
    end
  end
  if vim.lsp.is_enabled and not vim.lsp.is_enabled("c2llm") then -- 0.11 cannot tell
    health.warn("The server is not enabled", 'Put vim.lsp.enable("c2llm") into your init.lua')
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

return M
