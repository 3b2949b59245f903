-- Search by meaning, similar code and context for an assistant. All of it is asked of the server; nothing blocks.

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

---@class c2llm.Answer
---@field hits c2llm.Hit[]
---@field notes string[]

---@class c2llm.Options
---@field quickfix? boolean List in the quickfix list instead of asking which one to go to
---@field limit? integer How many results; without it the setting `results`

local ABSENT = 'c2llm does not run here. vim.lsp.enable("c2llm") starts it in files of a project; :checkhealth c2llm says more.'

---@param text string
---@param level? integer
local function say(text, level)
  vim.notify(text, level or vim.log.levels.INFO, { title = "c2llm" })
end

--- The server of this buffer, else any that runs.
---@return vim.lsp.Client?
function M.client()
  return vim.lsp.get_clients({ name = "c2llm", bufnr = 0 })[1] or vim.lsp.get_clients({ name = "c2llm" })[1]
end

---@type table<string, { client: vim.lsp.Client, id: integer }>
local asked = {}

--- Ask the server; the latest question of a kind replaces the one before.
---@param method string
---@param params table
---@param answer fun(result: any, client: vim.lsp.Client)
local function ask(method, params, answer)
  local client = M.client()
  if not client then
    return say(ABSENT, vim.log.levels.WARN)
  end
  if asked[method] then
    asked[method].client:cancel_request(asked[method].id)
  end
  local id
  local sent, number = client:request(method, params, function(err, result)
    if not asked[method] or asked[method].id ~= id then
      return
    end
    asked[method] = nil
    if err then
      say(err.message, vim.log.levels.ERROR)
    else
      answer(result, client)
    end
  end, vim.api.nvim_get_current_buf())
  if sent and number then
    id = number
    asked[method] = { client = client, id = number }
  else
    say("c2llm does not answer; :C2llm log has what it said.", vim.log.levels.ERROR)
  end
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
  return vim.str_byteindex(line, encoding, at.character, false)
end

---@param hit c2llm.Hit
---@return string
local function titled(hit)
  local place = ("%s:%d"):format(hit.path, hit.selectionRange.start.line + 1)
  return hit.label == "" and place or ("%s  %s"):format(place, hit.label)
end

--- The results as items of a quickfix list, best first.
---@param hits c2llm.Hit[]
---@param encoding string
---@return vim.quickfix.entry[]
function M.items(hits, encoding)
  return vim.tbl_map(function(hit) ---@param hit c2llm.Hit
    local at = hit.selectionRange.start
    local name = vim.uri_to_fname(hit.uri)
    local column = byte_column(hit, encoding) + 1
    return { filename = name, lnum = at.line + 1, col = column, text = hit.label, user_data = hit }
  end, hits)
end

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
    vim.fn.setqflist({}, " ", { title = title, items = M.items(answer.hits, client.offset_encoding) })
    return vim.cmd("botright copen")
  end
  vim.ui.select(answer.hits, { prompt = title, kind = "c2llm", format_item = titled }, function(hit) ---@param hit? c2llm.Hit
    if hit then
      vim.lsp.util.show_document({ uri = hit.uri, range = hit.selectionRange }, client.offset_encoding, { focus = true })
    end
  end)
end

--- The place that a question is about: the selection in visual mode, else the cursor.
---@param client vim.lsp.Client
---@return table
local function here(client)
  local encoding = client.offset_encoding
  if vim.fn.mode():find("^[vV\22]") then
    local from, to = vim.fn.getpos("v"), vim.fn.getpos(".")
    if from[2] > to[2] or (from[2] == to[2] and from[3] > to[3]) then
      from, to = to, from
    end
    local whole = vim.fn.mode() == "V"
    return vim.lsp.util.make_given_range_params(
      { from[2], whole and 0 or from[3] - 1 },
      { to[2], whole and #vim.fn.getline(to[2]) or to[3] - 1 },
      0,
      encoding
    )
  end
  return vim.lsp.util.make_position_params(0, encoding)
end

--- Search by meaning. Without a query, ask for one.
---@param query? string
---@param opts? c2llm.Options
function M.search(query, opts)
  if not query or vim.trim(query) == "" then
    return vim.ui.input({ prompt = "Search by meaning: " }, function(typed)
      if typed and vim.trim(typed) ~= "" then
        M.search(typed, opts)
      end
    end)
  end
  opts = opts or {}
  ask("c2llm/search", { query = query, limit = opts.limit, waitForEdits = true }, function(answer, client)
    show(query, answer, client, opts)
  end)
end

--- Code like the selection, or like what is under the cursor.
---@param opts? c2llm.Options
function M.similar(opts)
  opts = opts or {}
  local client = M.client()
  local place = client and here(client) or {}
  ask("c2llm/similar", vim.tbl_extend("error", place, { limit = opts.limit, waitForEdits = true }), function(answer, from)
    show("Similar code", answer, from, opts)
  end)
end

--- Copy what an assistant should read for a question; without one, about the selection or what is under the cursor.
---@param question? string
function M.context(question)
  local client = M.client()
  local params = question and vim.trim(question) ~= "" and { query = question } or client and here(client) or {}
  params.waitForEdits = true
  ask("c2llm/context", params, function(answer)
    if #answer.pieces == 0 then
      return say(answer.notes[1] or "Nothing was found.")
    end
    vim.fn.setreg('"', answer.text)
    pcall(vim.fn.setreg, "+", answer.text) -- there may be no clipboard
    say(("Copied %d places, %d tokens."):format(#answer.pieces, answer.tokens))
  end)
end

--- Colour the code under the cursor by where the model looks; with a query, say what each line does for it.
---@param query? string
function M.explain(query)
  local client = M.client()
  local params = client and vim.lsp.util.make_position_params(0, client.offset_encoding) or {}
  params.query = query and vim.trim(query) ~= "" and query or nil
  params.waitForEdits = true
  local buffer = vim.api.nvim_get_current_buf()
  ask("c2llm/explain", params, function(answer, from)
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
  ask("c2llm/status", vim.empty_dict(), function(answer)
    local lines = { ("c2llm %s, encoder %s"):format(answer.version, answer.encoder) }
    for _, folder in ipairs(answer.folders) do
      local now = type(folder.freshness) == "table" and folder.freshness or {}
      local work = type(folder.work) == "table" and (" %d%%"):format(folder.work.percentage) or ""
      local said = folder.message ~= "" and ": " .. folder.message or ""
      local counts = now.files and (", %d files, %d chunks"):format(now.files, now.chunks) or ""
      lines[#lines + 1] = ("%s: %s%s%s%s"):format(folder.name, folder.state, work, counts, said)
    end
    say(table.concat(lines, "\n"))
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
