-- Hits of the server as places of the editor.

local M = {}

---@class c2llm.Position
---@field line integer
---@field character integer

---@class c2llm.Range
---@field start c2llm.Position
---@field end c2llm.Position

---@class c2llm.Hit
---@field uri string
---@field folder string URI
---@field path string
---@field range c2llm.Range
---@field selectionRange c2llm.Range
---@field label string
---@field language string
---@field kind string
---@field symbol string
---@field scope string
---@field score number
---@field text string
---@field salientLines integer[]
---@field answerLine integer
---@field weak? boolean Far below the best, or of an answer in which nothing is certain

---@class c2llm.Freshness
---@field files integer
---@field chunks integer
---@field pendingFiles integer
---@field pendingChunks integer
---@field stale boolean

---@class c2llm.Answer
---@field hits c2llm.Hit[]
---@field notes string[]
---@field freshness c2llm.Freshness

--- Where something opens: as of `:tab`, `:vertical` and the like.
---@class c2llm.Mods
---@field tab? integer
---@field vertical? boolean
---@field horizontal? boolean
---@field split? string

--- A hit as pickers and lists need it.
---@class c2llm.Spot
---@field hit? c2llm.Hit
---@field file string
---@field buffer? integer Where it is loaded: it may hold what the disk does not
---@field line integer From 1
---@field column integer In bytes, from 0
---@field last integer The last line, from 1
---@field width integer Of the last line, in bytes
---@field place string path:line
---@field label string
---@field weak? boolean Whether it is hardly what was asked for: shown, and dimmed

--- What an answer does not know yet, to stand behind a title; "" where it knows all.
---@param freshness? c2llm.Freshness
---@return string
function M.missing(freshness)
  local files = freshness and freshness.pendingFiles or 0
  local chunks = freshness and freshness.pendingChunks or 0
  if files > 0 then
    return (" (indexing: %d file%s to come)"):format(files, files == 1 and "" or "s")
  end
  return chunks > 0 and " (indexing: keyword search so far)" or ""
end

--- The column of a position, in bytes.
---@param hit c2llm.Hit
---@param encoding string
---@return integer
local function byte_column(hit, encoding)
  local at = hit.selectionRange.start
  if encoding == "utf-8" then
    return at.character
  end
  local line = vim.split(hit.text, "\n")[at.line - hit.range.start.line + 1] or ""
  return vim.str_byteindex(line, encoding --[[@as "utf-16"]], at.character, false)
end

--- The line that answers.
---@param hit c2llm.Hit
---@return string
local function best_line(hit)
  return vim.trim(vim.split(hit.text, "\n")[hit.answerLine - hit.range.start.line + 1] or "")
end

--- What a result is: its name with its scope, or its kind where it has none; then the line that answers, if that says more.
---@param hit c2llm.Hit
---@return string
local function label(hit)
  local name = hit.symbol ~= "" and hit.symbol or ("(%s)"):format(hit.kind)
  if hit.symbol ~= "" and hit.scope ~= "" and not vim.startswith(hit.symbol, hit.scope) then
    name = hit.scope .. "." .. hit.symbol
  end
  local line = best_line(hit)
  return (line == "" or line == name) and name or ("%s  %s"):format(name, line)
end

---@param hit c2llm.Hit
---@param encoding string
---@return c2llm.Spot
function M.spot(hit, encoding)
  local file = vim.uri_to_fname(hit.uri)
  local buffer = vim.fn.bufexists(file) == 1 and vim.fn.bufadd(file) or 0 -- bufnr() would take it for a pattern
  local from, to = hit.selectionRange.start, hit.range["end"]
  return {
    hit = hit,
    file = file,
    buffer = buffer > 0 and vim.api.nvim_buf_is_loaded(buffer) and buffer or nil,
    line = from.line + 1,
    column = byte_column(hit, encoding),
    last = math.max(from.line + 1, to.character == 0 and to.line or to.line + 1),
    width = #(hit.text:match("([^\n]*)\n?$") or ""),
    place = ("%s:%d"):format(hit.path, from.line + 1),
    label = label(hit),
    weak = hit.weak,
  }
end

---@param hits c2llm.Hit[]
---@param encoding string
---@return c2llm.Spot[]
function M.spots(hits, encoding)
  return vim.tbl_map(function(hit)
    return M.spot(hit, encoding)
  end, hits)
end

---@param spot c2llm.Spot
---@return string
function M.titled(spot)
  return spot.label == "" and spot.place or ("%s  %s"):format(spot.place, spot.label)
end

--- Spots as items of a quickfix list.
---@param spots c2llm.Spot[]
---@return vim.quickfix.entry[]
function M.entries(spots)
  return vim.tbl_map(function(spot)
    local item = { filename = spot.file, lnum = spot.line, col = spot.column + 1, text = spot.label }
    item.user_data = spot.hit
    return item
  end, spots)
end

--- The results as items of a quickfix list, best first.
---@param hits c2llm.Hit[]
---@param encoding string
---@return vim.quickfix.entry[]
function M.items(hits, encoding)
  return M.entries(M.spots(hits, encoding))
end

--- Go there; where one came from is in the jump list.
---@param spot c2llm.Spot
---@param mods? c2llm.Mods As of `:tab`, `:vertical` and the like
function M.open(spot, mods)
  vim.cmd("normal! m'")
  if mods and (mods.tab or -1) >= 0 then
    vim.cmd.split({ mods = { tab = mods.tab } })
  elseif mods and (mods.vertical or mods.horizontal or (mods.split or "") ~= "") then
    vim.cmd.split({ mods = { vertical = mods.vertical, split = mods.split } })
  end
  local buffer = spot.buffer or vim.fn.bufadd(spot.file)
  vim.bo[buffer].buflisted = true
  vim.api.nvim_win_set_buf(0, buffer)
  local last = vim.api.nvim_buf_line_count(buffer) -- it may have been cut since it was indexed
  pcall(vim.api.nvim_win_set_cursor, 0, { math.min(spot.line, last), spot.column })
  vim.cmd("normal! zvzz")
end

return M
