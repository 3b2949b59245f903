-- Which picker shows the results: the one that is chosen in vim.g.c2llm, else one that is there.

local M = {}

--- `list` shows results, best first. `live` asks anew for whatever is typed.
---@class c2llm.Picker
---@field there fun(): boolean Whether it can be used, without loading what is not loaded
---@field list fun(title: string, spots: c2llm.Spot[], mods?: c2llm.Mods)
---@field live? fun(search: c2llm.Search, typed: string, mods?: c2llm.Mods)

--- Ask for what is typed. An answer comes once, with nothing in it where the question failed, or not at all where a newer
--- question took its place.
---@alias c2llm.Search fun(typed: string, answer: fun(spots: c2llm.Spot[]))

local ORDER = { "snacks", "telescope", "fzf-lua", "mini.pick" }
local MODULES = {
  snacks = "c2llm.pick.snacks",
  telescope = "c2llm.pick.telescope",
  ["fzf-lua"] = "c2llm.pick.fzf_lua",
  ["mini.pick"] = "c2llm.pick.mini",
  select = "c2llm.pick.select",
}

---@return c2llm.Picker picker
---@return string name
function M.picker()
  local chosen = require("c2llm.config").get().picker or "auto"
  local module = MODULES[chosen] ---@type string?
  if module then
    return require(module), chosen
  end
  for _, name in ipairs(ORDER) do
    local picker = require(MODULES[name]) ---@type c2llm.Picker
    if picker.there() then
      return picker, name
    end
  end
  return require(MODULES.select), "select"
end

--- The names that may stand in vim.g.c2llm.picker.
---@return string[]
function M.names()
  return vim.list_extend({ "auto", "select" }, ORDER)
end

--- Whether a module could be loaded, be it by the runtime path or by a manager that has it ready.
---@param module string
---@return boolean
function M.loadable(module)
  if package.loaded[module] then
    return true
  end
  local file = "lua/" .. module:gsub("%.", "/")
  return #vim.api.nvim_get_runtime_file(file .. ".lua", false) > 0
    or #vim.api.nvim_get_runtime_file(file .. "/init.lua", false) > 0
    or M.managed(module)
end

--- Call with each key that limits a search to a part of the project, and that part.
---@param bind fun(key: string, within: string)
function M.scope_keys(bind)
  local keys = require("c2llm.config").get().scope_keys --[[@as table<string, string>]]
  for _, within in ipairs(require("c2llm.question").WITHIN) do
    if keys[within] and keys[within] ~= "" then
      bind(keys[within], within)
    end
  end
end

--- A module of a picker: not there where types are checked.
---@param module string
---@return any
function M.load(module)
  return require(module)
end

--- lazy.nvim keeps plugins off the runtime path until they are needed.
---@param module string
---@return boolean
function M.managed(module)
  local lazy = package.loaded["lazy.core.config"]
  if type(lazy) ~= "table" then
    return false
  end
  local file = "/lua/" .. module:gsub("%.", "/")
  for _, plugin in pairs(lazy.plugins or {}) do
    local base = (plugin.dir or "") .. file
    if vim.fn.filereadable(base .. ".lua") + vim.fn.filereadable(base .. "/init.lua") > 0 then
      return true
    end
  end
  return false
end

return M
