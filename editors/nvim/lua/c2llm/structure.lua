-- What calls a symbol, what it calls, where it is used, and what a file or folder defines.

local ask = require("c2llm.ask")
local hits = require("c2llm.hits")
local say = require("c2llm.say")

local M = {}

local NOWHERE = "This file is in no folder of the server. Name a symbol: :C2llm %s {symbol}"
local TITLES = { callers = "What calls %s", callees = "What %s calls", references = "Where %s is used" }
local NOTHING = {
  callers = "Nothing is known to call %s.",
  callees = "%s calls nothing that is known.",
  references = "%s is not used.",
}
local BUDGET = 20000 -- tokens of an outline: more than a person looks through

---@class c2llm.Usage
---@field uri string
---@field path string
---@field range c2llm.Range
---@field symbol string
---@field text string
---@field certainty string

--- A line as a place.
---@param uri string
---@param path string
---@param line integer From 0
---@param label string
---@return c2llm.Spot
local function spot(uri, path, line, label)
  local file = vim.uri_to_fname(uri)
  local buffer = vim.fn.bufexists(file) == 1 and vim.fn.bufadd(file) or 0
  return {
    file = file,
    buffer = buffer > 0 and vim.api.nvim_buf_is_loaded(buffer) and buffer or nil,
    line = line + 1,
    column = 0,
    last = line + 1,
    width = 0,
    place = ("%s:%d"):format(path, line + 1),
    label = label,
  }
end

--- The symbol around the line, the line, and how sure it is where that is in doubt.
---@param usage c2llm.Usage
---@return c2llm.Spot
local function of_usage(usage)
  local name = usage.symbol ~= "" and usage.symbol .. "  " or ""
  local doubt = usage.certainty ~= "certain" and ("  (%s)"):format(usage.certainty) or ""
  local found = spot(usage.uri, usage.path, usage.range.start.line, name .. usage.text .. doubt)
  found.weak = usage.certainty == "by name"
  return found
end

---@param client vim.lsp.Client
---@return table?
local function position(client)
  if not vim.lsp.buf_is_attached(0, client.id) then
    return nil
  end
  return vim.lsp.util.make_position_params(0, client.offset_encoding --[[@as "utf-8"]])
end

---@param notes string[]
---@param near string[]
local function tell(notes, near)
  for _, note in ipairs(notes) do
    say(note)
  end
  if #near > 0 then
    say("There is no such symbol; there are " .. table.concat(near, ", ") .. ".")
  end
end

---@param relation "callers"|"callees"|"references"
---@param name string
---@param opts c2llm.Options
function M.relate(relation, name, opts)
  local client = ask.client()
  local params = name ~= "" and { symbol = name } or client and position(client)
  if client and not params then
    return say(NOWHERE:format(relation), vim.log.levels.WARN)
  end
  local asked = vim.tbl_extend("force", params or {}, { relation = relation, limit = opts.limit, waitForEdits = true })
  ask.ask("c2llm/symbol", asked, function(answer)
    tell(answer.notes, answer.near)
    local defined = answer.definitions[1]
    local symbol = defined and (defined.scope ~= "" and defined.scope .. "." or "") .. defined.name or name
    if #answer.usages == 0 then
      return #answer.near == 0 and say(NOTHING[relation]:format(symbol)) or nil
    end
    local more = answer.total > #answer.usages and (", the first %d of %d"):format(#answer.usages, answer.total) or ""
    local title = TITLES[relation]:format(symbol) .. more .. hits.missing(answer.freshness)
    require("c2llm").list(title, vim.tbl_map(of_usage, answer.usages), opts)
  end)
end

---@param path string
---@param opts c2llm.Options
function M.outline(path, opts)
  local client = ask.client()
  local here = client and position(client)
  if client and path == "" and not here then
    return say("This file is in no folder of the server. Name a path: :C2llm outline {path}", vim.log.levels.WARN)
  end
  local place = path ~= "" and { path = path ~= "." and path or "" } or { textDocument = (here or {}).textDocument }
  local params = vim.tbl_extend("force", place, { budget = BUDGET, waitForEdits = true })
  ask.ask("c2llm/outline", params, function(answer)
    tell(answer.notes, {})
    local spots = {} ---@type c2llm.Spot[]
    for _, file in ipairs(answer.files) do
      for _, entry in ipairs(file.entries) do
        spots[#spots + 1] = spot(file.uri, file.path, entry.line, ("  "):rep(entry.depth) .. entry.text)
      end
    end
    if #spots == 0 then
      return say("Nothing is defined there.")
    end
    local name = path ~= "" and path or answer.files[1].path
    local left = answer.filesLeftOut > 0 and (", without %d files"):format(answer.filesLeftOut) or ""
    require("c2llm").list(("Outline of %s%s"):format(name, left), spots, opts)
  end)
end

return M
