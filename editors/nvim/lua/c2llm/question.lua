-- What is typed: words, with filters written between them as lang:python,go kind:function path:src/** -path:tests/**
-- in:folder.

local M = {}

M.KINDS = { "function", "method", "class", "block", "section", "cell", "window" }
M.WITHIN = { "folder", "package", "open", "changed", "no-tests" } -- what is searched of the project, by the server's names
M.FILTERS = { "lang:", "kind:", "path:", "-path:", "in:" }

---@class c2llm.Question
---@field query string
---@field languages string[]
---@field paths string[]
---@field kinds string[]
---@field within string[] What is searched of the project

--- Words and filters, one at a time; a value in quotes may hold blanks.
---@param typed string
---@return string[]
local function pieces(typed)
  local found, rest = {}, vim.trim(typed)
  while rest ~= "" do
    local quoted, behind = rest:match('^(%-?%a+:"[^"]*"?)%s*(.*)$')
    local piece = quoted or rest:match("^%S+")
    found[#found + 1] = piece
    rest = quoted and behind or vim.trim(rest:sub(#piece + 1))
  end
  return found
end

--- Take a filter in. False for what is none, which stays among the words.
---@param found c2llm.Question
---@param piece string
---@return boolean
local function take(found, piece)
  local no, name, value = piece:match("^(%-?)(%a+):(.*)$")
  name = name and name:lower() or ""
  local to = ({
    lang = found.languages,
    language = found.languages,
    kind = found.kinds,
    path = found.paths,
    ["in"] = found.within,
  })[name]
  local values = ({ kind = M.KINDS, ["in"] = M.WITHIN })[name]
  if not to or not value or (no ~= "" and name ~= "path") then
    return false
  end
  local quoted = value:match('^"([^"]*)"?$')
  for _, one in ipairs(quoted and { quoted } or vim.split(value, ",", { trimempty = true })) do
    local known = not values or vim.list_contains(values, one:lower())
    if one ~= "" and known then -- of "kind:fun" nothing is known yet: it is left out, not searched for
      to[#to + 1] = name == "path" and (no ~= "" and "!" .. one or one) or one:lower()
    end
  end
  return true
end

--- Words and filters of what is typed.
---@param typed string
---@return c2llm.Question
function M.parse(typed)
  local found = { query = "", languages = {}, paths = {}, kinds = {}, within = {} } ---@type c2llm.Question
  local words = vim.tbl_filter(function(piece)
    return not take(found, piece)
  end, pieces(typed))
  found.query = table.concat(words, " ")
  return found
end

--- What is typed, limited to a part of the project, or no longer where it was.
---@param typed string
---@param within string One of WITHIN
---@return string
function M.toggled(typed, within)
  local filter = "in:" .. within
  local rest = vim.split(typed, "%s+", { trimempty = true })
  local kept = vim.tbl_filter(function(piece)
    return piece:lower() ~= filter
  end, rest)
  if #kept == #rest then
    table.insert(kept, 1, filter)
  end
  return table.concat(kept, " ") .. " "
end

local LANGUAGES_WITHIN = 300 -- milliseconds: who completes waits for it

--- The languages of the index, those with most code first.
---@return string[]
local function indexed_languages()
  local client = require("c2llm.ask").client()
  local answer = client and client:request_sync("c2llm/status", vim.empty_dict(), LANGUAGES_WITHIN)
  local chunks = {} ---@type table<string, integer>
  for _, folder in ipairs(answer and answer.result and answer.result.folders or {}) do
    for language, count in pairs(folder.languages) do
      chunks[language] = (chunks[language] or 0) + count
    end
  end
  local names = vim.tbl_keys(chunks)
  table.sort(names, function(a, b)
    return chunks[a] > chunks[b]
  end)
  return names
end

--- What may stand behind the words of a question on the command line.
---@param lead string
---@return string[]
function M.completed(lead)
  local all = vim.list_extend({}, M.FILTERS)
  for _, kind in ipairs(M.KINDS) do
    all[#all + 1] = "kind:" .. kind
  end
  for _, within in ipairs(M.WITHIN) do
    all[#all + 1] = "in:" .. within
  end
  for _, language in ipairs(vim.startswith(lead, "lang:") and indexed_languages() or {}) do
    all[#all + 1] = "lang:" .. language
  end
  return vim.tbl_filter(function(filter)
    return vim.startswith(filter, lead) and filter ~= lead
  end, all)
end

return M
