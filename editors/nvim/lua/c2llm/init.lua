-- Search by meaning, similar code and context for an assistant. All of it is asked of the server; nothing blocks.

local ask = require("c2llm.ask")
local hits = require("c2llm.hits")
local say = require("c2llm.say")

local M = {}

---@class c2llm.Options
---@field range? [integer, integer] Lines, from 1, in place of the selection
---@field again? boolean Whether this was asked before, when nothing was indexed
---@field mods? c2llm.Mods Where a result that is chosen from a list opens: a split, a tab
---@field quickfix? boolean List in the quickfix list instead of asking which one to go to
---@field limit? integer How many results; without it the setting `results`
---@field live? boolean Whether to go on typing where a query is given
---@field from? integer The buffer that `in:folder` is about; without it the current one

local OUTSIDE = "This file is in no folder of the server. "
local AROUND = 20 -- lines before and after the cursor that stand for code which the server does not have

---@type { query: string, hits: c2llm.Hit[] }
local last = { query = "", hits = {} } -- searched for: what `explain` explains
local resumed ---@type fun()? Opens the last results again

M.client = ask.client
M.items = hits.items

---@param title string
---@param answer c2llm.Answer
---@param client vim.lsp.Client
---@param opts c2llm.Options
local function show(title, answer, client, opts)
  title = title .. hits.missing(answer.freshness)
  for _, note in ipairs(answer.notes) do
    say(note)
  end
  if #answer.hits == 0 then
    return #answer.notes == 0 and say("Nothing was found.") or nil
  end
  M.list(title, hits.spots(answer.hits, client.offset_encoding), opts)
end

--- Show places in the picker, or in the list that stays.
---@param title string
---@param spots c2llm.Spot[]
---@param opts c2llm.Options
function M.list(title, spots, opts)
  resumed = function()
    M.list(title, spots, opts)
  end
  if opts.quickfix then
    return require("c2llm.pick.quickfix").list(title, spots)
  end
  require("c2llm.pick").picker().list(title, spots, opts.mods)
end

--- The lines of a range or a selection, or around the cursor, from 1.
---@param range? [integer, integer]
---@return integer, integer
local function lines(range)
  if range then
    return range[1], range[2]
  end
  local from, to = vim.fn.line("v"), vim.fn.line(".")
  if vim.fn.mode():find("^[vV\22]") then
    return math.min(from, to), math.max(from, to)
  end
  return math.max(1, to - AROUND), math.min(vim.fn.line("$"), to + AROUND)
end

--- The place that a question is about: a range, the selection in visual mode, else the cursor. nil outside of the server's
--- folders.
---@param client vim.lsp.Client
---@param range? [integer, integer]
---@return table?
local function here(client, range)
  if not vim.lsp.buf_is_attached(0, client.id) then
    return nil
  end
  local encoding = client.offset_encoding --[[@as "utf-8"]]
  if range then
    local final = #vim.fn.getline(range[2])
    return vim.lsp.util.make_given_range_params({ range[1], 0 }, { range[2], final }, 0, encoding)
  end
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

--- The files in the list of buffers.
---@return string[] URIs
local function open_files()
  local files = {} ---@type string[]
  for _, info in ipairs(vim.fn.getbufinfo({ buflisted = 1 })) do
    if vim.bo[info.bufnr].buftype == "" and info.name ~= "" then
      files[#files + 1] = vim.uri_from_bufnr(info.bufnr)
    end
  end
  return files
end

---@param typed string
---@param opts c2llm.Options
---@return table?
local function search_params(typed, opts)
  local question = require("c2llm.question").parse(typed)
  if question.query == "" then
    return nil
  end
  local from = opts.from and vim.api.nvim_buf_is_valid(opts.from) and opts.from or 0
  local scope = #question.within > 0
      and { within = question.within, document = vim.uri_from_bufnr(from), open = open_files() }
    or nil
  return {
    query = question.query,
    languages = question.languages,
    paths = question.paths,
    kinds = question.kinds,
    scope = scope,
    limit = opts.limit,
    waitForEdits = true,
  }
end

--- What a live picker asks for each letter.
---@param opts c2llm.Options
---@return c2llm.Search
local function searching(opts)
  local told, partial ---@type string?, boolean?
  return function(typed, answer)
    resumed = function()
      M.search(typed, vim.tbl_extend("force", opts, { live = true }))
    end
    local params = search_params(typed, opts)
    if not params then
      return answer({})
    end
    ask.ask("c2llm/search", params, function(found, client)
      last = { query = params.query, hits = found.hits }
      local missing = hits.missing(found.freshness)
      if missing ~= "" and not partial then
        partial = true
        say("These results are not all there is" .. missing .. ".")
      end
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
  opts = vim.tbl_extend("keep", opts or {}, { from = vim.api.nvim_get_current_buf() })
  local typed = vim.trim(query or "")
  local params = search_params(typed, opts)
  if params and not opts.live then
    return ask.ask("c2llm/search", params, function(answer, client)
      last = { query = params.query, hits = answer.hits }
      if #answer.hits == 0 and require("c2llm.status").indexing() and not opts.again then
        say("Nothing is found yet: the project is being indexed. The results come when that has ended.")
        return require("c2llm.status").when_ready(function()
          M.search(query, vim.tbl_extend("force", opts, { again = true }))
        end)
      end
      show(typed, answer, client, opts)
    end)
  end
  local picker = require("c2llm.pick").picker()
  if picker.live and not opts.quickfix then
    return picker.live(searching(opts), typed == "" and "" or typed .. " ", opts.mods)
  end
  vim.ui.input({ prompt = "Search by meaning: ", default = typed }, function(words)
    if words and require("c2llm.question").parse(words).query ~= "" then
      M.search(words, opts)
    end
  end)
end

--- What is selected on one line, else the word under the cursor.
---@return string
function M.words()
  if not vim.fn.mode():find("^[vV\22]") then
    return vim.fn.expand("<cword>") --[[@as string]]
  end
  local selected = vim.fn.getregion(vim.fn.getpos("v"), vim.fn.getpos("."), { type = vim.fn.mode() })
  return #selected == 1 and vim.trim(selected[1]) or ""
end

--- Code like a range, like the selection, or like what is under the cursor.
---@param opts? c2llm.Options
function M.similar(opts)
  opts = opts or {}
  local client = ask.client()
  local place = client and here(client, opts.range)
  if client and not place then
    local from, to = lines(opts.range)
    place = { text = table.concat(vim.api.nvim_buf_get_lines(0, from - 1, to, false), "\n") }
  end
  M.similar_to(place or {}, opts)
end

---@param params table A place or a text
---@param opts? c2llm.Options
function M.similar_to(params, opts)
  opts = opts or {}
  local asked = vim.tbl_extend("force", params, { limit = opts.limit, waitForEdits = true })
  ask.ask("c2llm/similar", asked, function(answer, from)
    show("Similar code", answer, from, opts)
  end)
end

--- Copy what an assistant should read for a question; without one, about a range, the selection or what is under the cursor.
---@param question? string
---@param opts? c2llm.Options
function M.context(question, opts)
  local client = ask.client()
  local query = vim.trim(question or "")
  local params = query ~= "" and { query = query } or client and here(client, opts and opts.range)
  if client and not params then
    return say(OUTSIDE .. "Ask a question: :C2llm context {question}", vim.log.levels.WARN)
  end
  M.copy(params or {})
end

--- Ask a language model about the project; the answer comes into a buffer. Without a question, ask for one.
---@param question? string
---@param opts? c2llm.Options
function M.ask(question, opts)
  local text = vim.trim(question or "")
  if text ~= "" then
    return require("c2llm.answer").ask(text, opts and opts.mods)
  end
  vim.ui.input({ prompt = "Ask about the code: " }, function(words)
    if words and vim.trim(words) ~= "" then
      M.ask(words, opts)
    end
  end)
end

---@param params table A place or a question
function M.copy(params)
  ask.ask("c2llm/context", vim.tbl_extend("force", params, { waitForEdits = true }), function(answer)
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
---@param opts? c2llm.Options
function M.explain(query, opts)
  local client = ask.client()
  local place = client and here(client, opts and opts.range)
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

--- What calls a symbol, what it calls, or where it is used; without a name, of what is under the cursor.
---@param relation "callers"|"callees"|"references"
---@param name? string
---@param opts? c2llm.Options
function M.relate(relation, name, opts)
  require("c2llm.structure").relate(relation, vim.trim(name or ""), opts or {})
end

--- What a file or folder defines; without a path, the current file.
---@param path? string From the project's folder on
---@param opts? c2llm.Options
function M.outline(path, opts)
  require("c2llm.structure").outline(vim.trim(path or ""), opts or {})
end

--- Remove the colours of an explanation.
function M.clear()
  require("c2llm.heat").clear(vim.api.nvim_get_current_buf())
end

--- Open the results of the last search again, in the picker with what was typed.
function M.resume()
  if not resumed then
    return say("Nothing was searched for yet.")
  end
  resumed()
end

--- Stop indexing until it is resumed. What is indexed stays searchable.
function M.pause_indexing()
  for _, client in ipairs(vim.lsp.get_clients({ name = "c2llm" })) do
    for token in
      pairs(client.progress.pending --[[@as table<lsp.ProgressToken, any>]])
    do
      client:notify("window/workDoneProgress/cancel", { token = token })
    end
  end
end

--- Compare all files with the index again; this also goes on with what was paused or failed.
function M.resume_indexing()
  ask.ask("workspace/executeCommand", { command = "c2llm.server.reindex", arguments = { vim.empty_dict() } }, function()
    M.status()
  end)
end

local STATES =
  { following = "another process is indexing it", opening = "being opened", paused = "paused (:C2llm resume-indexing)" }

--- Say how the index stands.
function M.status()
  ask.ask("c2llm/status", vim.empty_dict(), function(answer)
    local told = { ("c2llm %s, model %s"):format(answer.version, answer.encoder) }
    for _, folder in ipairs(answer.folders) do
      local now = type(folder.freshness) == "table" and folder.freshness or {}
      local work = type(folder.work) == "table" and (" %d%%"):format(folder.work.percentage) or ""
      local said = folder.message ~= "" and ": " .. folder.message or ""
      local counts = now.files and (", %d files"):format(now.files) or ""
      told[#told + 1] = ("%s: %s%s%s%s"):format(folder.name, STATES[folder.state] or folder.state, work, counts, said)
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
