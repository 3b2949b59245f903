-- Search by meaning, similar code and context for an assistant. All of it is asked of the server; nothing blocks.

local ask = require("c2llm.ask")
local hits = require("c2llm.hits")
local say = require("c2llm.say")

local M = {}

---@class c2llm.Options
---@field quickfix? boolean List in the quickfix list instead of asking which one to go to
---@field limit? integer How many results; without it the setting `results`

local OUTSIDE = "This file is in no folder of the server. "
local AROUND = 20 -- lines before and after the cursor that stand for code which the server does not have

---@type { query: string, hits: c2llm.Hit[] }
local last = { query = "", hits = {} } -- searched for: what `explain` explains

M.client = ask.client
M.items = hits.items

---@param title string
---@param answer c2llm.Answer
---@param client vim.lsp.Client
---@param opts c2llm.Options
local function show(title, answer, client, opts)
  for _, note in ipairs(answer.notes) do
    say(note)
  end
  if #answer.hits == 0 then
    return #answer.notes == 0 and say("Nothing was found.") or nil
  end
  if opts.quickfix then
    vim.fn.setqflist({}, " ", { title = title, items = hits.items(answer.hits, client.offset_encoding) })
    return vim.cmd("botright copen")
  end
  require("c2llm.pick").picker().list(title, hits.spots(answer.hits, client.offset_encoding))
end

--- The lines of a selection, or around the cursor, from 1.
---@return integer, integer
local function lines()
  local from, to = vim.fn.line("v"), vim.fn.line(".")
  if vim.fn.mode():find("^[vV\22]") then
    return math.min(from, to), math.max(from, to)
  end
  return math.max(1, to - AROUND), math.min(vim.fn.line("$"), to + AROUND)
end

--- The place that a question is about: the selection in visual mode, else the cursor. nil outside of the server's folders.
---@param client vim.lsp.Client
---@return table?
local function here(client)
  if not vim.lsp.buf_is_attached(0, client.id) then
    return nil
  end
  local encoding = client.offset_encoding --[[@as "utf-8"]]
  if vim.fn.mode():find("^[vV\22]") then
    local _, from, first = unpack(vim.fn.getpos("v") --[[@as [integer, integer, integer] ]])
    local _, to, final = unpack(vim.fn.getpos(".") --[[@as [integer, integer, integer] ]])
    if from > to or (from == to and first > final) then
      from, first, to, final = to, final, from, first
    end
    if vim.fn.mode() == "V" then
      first, final = 1, #vim.fn.getline(to) + 1
    end
    return vim.lsp.util.make_given_range_params({ from, first - 1 }, { to, final - 1 }, 0, encoding)
  end
  return vim.lsp.util.make_position_params(0, encoding)
end

---@param typed string
---@param opts c2llm.Options
---@return table?
local function search_params(typed, opts)
  local question = require("c2llm.question").parse(typed)
  if question.query == "" then
    return nil
  end
  return vim.tbl_extend("error", question, { limit = opts.limit, waitForEdits = true })
end

--- What a live picker asks for each letter.
---@param opts c2llm.Options
---@return c2llm.Search
local function searching(opts)
  local told ---@type string?
  return function(typed, answer)
    local params = search_params(typed, opts)
    if not params then
      return answer({})
    end
    ask.ask("c2llm/search", params, function(found, client)
      last = { query = params.query, hits = found.hits }
      answer(hits.spots(found.hits, client.offset_encoding))
    end, function(message)
      if message ~= told then -- once, and not for each letter
        told = message
        say(message, vim.log.levels.WARN)
      end
      answer({})
    end)
  end
end

--- Search by meaning. Without a query, answer while one is typed where the picker can, else ask for one.
---@param query? string
---@param opts? c2llm.Options
function M.search(query, opts)
  opts = opts or {}
  local typed = vim.trim(query or "")
  local params = search_params(typed, opts)
  if params then
    return ask.ask("c2llm/search", params, function(answer, client)
      last = { query = params.query, hits = answer.hits }
      show(typed, answer, client, opts)
    end)
  end
  local picker = require("c2llm.pick").picker()
  if picker.live and not opts.quickfix then
    return picker.live(searching(opts), typed == "" and "" or typed .. " ")
  end
  vim.ui.input({ prompt = "Search by meaning: ", default = typed }, function(words)
    if words and require("c2llm.question").parse(words).query ~= "" then
      M.search(words, opts)
    end
  end)
end

--- Code like the selection, or like what is under the cursor.
---@param opts? c2llm.Options
function M.similar(opts)
  opts = opts or {}
  local client = ask.client()
  local place = client and here(client)
  if client and not place then
    local from, to = lines()
    place = { text = table.concat(vim.api.nvim_buf_get_lines(0, from - 1, to, false), "\n") }
  end
  local params = vim.tbl_extend("error", place or {}, { limit = opts.limit, waitForEdits = true })
  ask.ask("c2llm/similar", params, function(answer, from)
    show("Similar code", answer, from, opts)
  end)
end

--- Copy what an assistant should read for a question; without one, about the selection or what is under the cursor.
---@param question? string
function M.context(question)
  local client = ask.client()
  local query = vim.trim(question or "")
  local params = query ~= "" and { query = query } or client and here(client)
  if client and not params then
    return say(OUTSIDE .. "Ask a question: :C2llm context {question}", vim.log.levels.WARN)
  end
  params = vim.tbl_extend("force", params or {}, { waitForEdits = true })
  ask.ask("c2llm/context", params, function(answer)
    if #answer.pieces == 0 then
      return say(answer.notes[1] or "Nothing was found.")
    end
    vim.fn.setreg('"', answer.text)
    pcall(vim.fn.setreg, "+", answer.text) -- there may be no clipboard
    say(("Copied %d places, %d tokens."):format(#answer.pieces, answer.tokens))
  end)
end

--- The last question, where the cursor is in one of its results.
---@return string?
local function last_question()
  local uri, line = vim.uri_from_bufnr(0), vim.fn.line(".") - 1
  for _, hit in ipairs(last.hits) do
    if hit.uri == uri and hit.range.start.line <= line and line <= hit.range["end"].line then
      return last.query
    end
  end
end

--- Colour the code under the cursor by where the model looks; with a query, say what each line does for it. In a result of
--- the last search the query is that one.
---@param query? string
function M.explain(query)
  local client = ask.client()
  local place = client and here(client)
  if client and not place then
    return say(OUTSIDE .. "There is nothing to explain.", vim.log.levels.WARN)
  end
  local params = vim.tbl_extend("force", place or {}, {
    position = place and (place.position or place.range.start),
    query = vim.trim(query or "") ~= "" and vim.trim(query or "") or last_question(),
    waitForEdits = true,
  })
  params.range = nil
  local buffer = vim.api.nvim_get_current_buf()
  ask.ask("c2llm/explain", params, function(answer, from)
    for _, note in ipairs(answer.notes) do
      say(note)
    end
    if vim.api.nvim_buf_is_valid(buffer) then
      require("c2llm.heat").show(buffer, answer, from.offset_encoding)
    end
  end)
end

--- Say how the index stands.
function M.status()
  ask.ask("c2llm/status", vim.empty_dict(), function(answer)
    local told = { ("c2llm %s, encoder %s"):format(answer.version, answer.encoder) }
    for _, folder in ipairs(answer.folders) do
      local now = type(folder.freshness) == "table" and folder.freshness or {}
      local work = type(folder.work) == "table" and (" %d%%"):format(folder.work.percentage) or ""
      local said = folder.message ~= "" and ": " .. folder.message or ""
      local counts = now.files and (", %d files, %d chunks"):format(now.files, now.chunks) or ""
      told[#told + 1] = ("%s: %s%s%s%s"):format(folder.name, folder.state, work, counts, said)
    end
    say(table.concat(told, "\n"))
  end)
end

--- Open the log, which has what the server says on standard error.
function M.log()
  vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.log.get_filename()))
end

--- For the statusline: see `c2llm.status`.
---@return string
function M.statusline()
  return require("c2llm.status").statusline()
end

return M
