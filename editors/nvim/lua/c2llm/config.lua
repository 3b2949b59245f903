-- What can be chosen about the plugin, in vim.g.c2llm. Settings of the server are in vim.lsp.config("c2llm", ...).

local M = {}

---@alias c2llm.PickerName "auto"|"select"|"snacks"|"telescope"|"fzf-lua"|"mini.pick"

---@class c2llm.Config
---@field picker? c2llm.PickerName What shows results; "auto" takes a picker that is there, else |vim.ui.select()|
---@field cmd? string[] What starts the server
---@field list? "quickfix"|"trouble" What :C2llm! opens
---@field scope_keys? table<string, string> In a picker: what is searched of the project, by one key each

---@type c2llm.Config
M.defaults = {
  picker = "auto",
  cmd = { "c2llm", "serve" },
  list = "quickfix",
  scope_keys = { folder = "<M-d>", package = "<M-k>", open = "<M-b>", changed = "<M-c>", ["no-tests"] = "<M-t>" },
}

--- What vim.lsp.config("c2llm", ...) comes to.
---@return vim.lsp.Config?
function M.lsp()
  return (vim.lsp.config --[[@as table<string, vim.lsp.Config?>]])["c2llm"]
end

---@return c2llm.Config
function M.get()
  local chosen = vim.g.c2llm
  return vim.tbl_deep_extend("force", M.defaults, type(chosen) == "table" and chosen or {})
end

return M
