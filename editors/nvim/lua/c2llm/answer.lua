-- Answers of a language model about the code, in a buffer that fills as they come. `c2llm chat` runs for each project as long as
-- its buffer is there, so that a question can follow others. What it says is data: nothing of it is run.

local life = require("c2llm.life")
local say = require("c2llm.say")

local M = {}

local KEYS = "<CR> goes to the place under the cursor, <C-c> ends the answer, :C2llm ask goes on"

---@class c2llm.Conversation
---@field buffer integer
---@field root string
---@field process vim.SystemObj
---@field rest string What has come of a line
---@field errors string

---@type table<string, c2llm.Conversation?> By root
local conversations = {}

---@param conversation c2llm.Conversation
---@param text string
local function append(conversation, text)
  local buffer = conversation.buffer
  if not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  local last = vim.api.nvim_buf_line_count(buffer)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_text(buffer, last - 1, -1, last - 1, -1, vim.split(text:gsub("\r", ""), "\n", { plain = true }))
  vim.bo[buffer].modifiable = false
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    if vim.api.nvim_win_get_cursor(window)[1] >= last then -- where somebody reads further up, the view stays
      vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(buffer), 0 })
    end
  end
end

---@param cited { path: string, start_line: integer, end_line: integer, retrieved: boolean, changed: boolean }
---@return string
local function source(cited)
  local lines = cited.start_line == cited.end_line and cited.start_line or cited.start_line .. "-" .. cited.end_line
  local problem = not cited.retrieved and " (not among the lines that the model was given: it may be made up)"
    or cited.changed and " (changed since it was read)"
    or ""
  return ("- [%s:%s]%s\n"):format((cited.path:gsub("%c", "?")), lines, problem)
end

---@param conversation c2llm.Conversation
---@param line string
local function event(conversation, line)
  local fine, found = pcall(vim.json.decode, line, { luanil = { object = true, array = true } })
  if not fine or type(found) ~= "table" then
    return
  elseif found.event == "text" then
    append(conversation, found.text)
  elseif found.event == "error" then
    append(conversation, "\n\n> " .. found.message:gsub("%c", " ") .. "\n\n")
  elseif found.event == "done" then
    local sources = vim.tbl_map(source, found.citations)
    append(conversation, "\n\n" .. (#sources > 0 and "Sources:\n\n" .. table.concat(sources) .. "\n" or ""))
  end
end

---@param conversation c2llm.Conversation
---@param data? string
local function came(conversation, data)
  local lines = vim.split(conversation.rest .. (data or ""), "\n", { plain = true })
  conversation.rest = table.remove(lines)
  for _, line in ipairs(lines) do
    event(conversation, line)
  end
end

--- Go to the place under the cursor: [path:line] or [path:first-last] in the project. False where there is none.
---@param root string
---@return boolean
function M.jump(root)
  local line, column = vim.api.nvim_get_current_line(), vim.fn.col(".")
  local place = "%[`?([^%[%]]-):L?(%d+)[%d%-, ]*`?%]"
  local first, last, found, digits = line:find(place)
  while first and last do
    local path, number = tostring(found), tonumber(digits) or 1
    if first <= column and column <= last then
      local file = vim.fs.normalize(root .. "/" .. path)
      if path:find("^[/\\]") or not vim.fs.relpath(root, file) or vim.fn.filereadable(file) == 0 then
        say(("There is no file %s in the project."):format(path), vim.log.levels.WARN)
        return false
      end
      vim.cmd("wincmd p")
      vim.cmd.edit(vim.fn.fnameescape(file))
      vim.cmd(tostring(math.min(number, vim.api.nvim_buf_line_count(0))))
      return true
    end
    first, last, found, digits = line:find(place, last + 1)
  end
  return false
end

---@param root string
---@return integer
local function new_buffer(root)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = "hide"
  vim.bo[buffer].filetype = "markdown"
  vim.bo[buffer].modifiable = false
  vim.keymap.set("n", "<CR>", function()
    M.jump(root)
  end, { buffer = buffer, desc = "c2llm: go to the place under the cursor" })
  vim.keymap.set("n", "<C-c>", function()
    M.stop(root)
  end, { buffer = buffer, desc = "c2llm: end the answer" })
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer,
    callback = function()
      M.stop(root)
    end,
  })
  return buffer
end

--- End the conversation of a project, and an answer that is being written.
---@param root string
function M.stop(root)
  local conversation = conversations[root]
  conversations[root] = nil
  if conversation then
    conversation.process:kill("sigint")
  end
end

---@param root string
---@param buffer integer
---@return c2llm.Conversation?
local function start(root, buffer)
  local command, options = life.outside({ "chat", "--events", "--quiet", root })
  local conversation = { buffer = buffer, root = root, rest = "", errors = "" }
  local fine, process = pcall(
    vim.system,
    command,
    {
      cwd = options.cwd,
      env = options.env,
      stdin = true,
      stdout = vim.schedule_wrap(function(_, data)
        came(conversation, data)
      end),
      stderr = function(_, data)
        conversation.errors = (conversation.errors .. (data or "")):sub(-2000)
      end,
    },
    vim.schedule_wrap(function(done)
      if conversations[root] == conversation then
        conversations[root] = nil
        append(conversation, ("\n\n> %s\n\n"):format(vim.trim(conversation.errors):gsub("%c", " ")))
      elseif done.code == 130 then
        append(conversation, "\n\n> Ended.\n\n")
      end
    end)
  )
  if not fine then
    say(tostring(process), vim.log.levels.ERROR)
    return nil
  end
  conversation.process = process
  conversations[root] = conversation
  return conversation
end

---@type table<string, integer?> By root
local buffers = {}

--- Ask a language model about the project of this buffer; the answer comes into a buffer of its own. A question follows those before.
---@param question string
---@param mods? c2llm.Mods
function M.ask(question, mods)
  local client = require("c2llm.ask").client()
  local here = vim.api.nvim_get_current_buf()
  local root = client and client.root_dir or life.root_here()
  for known, buffer in pairs(buffers) do
    root = buffer == here and known or root
  end
  if not root then
    return say("There is no project here to ask about.", vim.log.levels.WARN)
  end
  local buffer = buffers[root]
  if not buffer or not vim.api.nvim_buf_is_valid(buffer) then
    buffer = new_buffer(root)
    buffers[root] = buffer
  end
  local conversation = conversations[root] or start(root, buffer)
  if not conversation then
    return
  end
  if #vim.fn.win_findbuf(buffer) == 0 then
    vim.cmd(vim.tbl_extend("force", { cmd = "sbuffer", args = { tostring(buffer) } }, mods and { mods = mods } or {}))
    vim.api.nvim_set_option_value("wrap", true, { scope = "local" })
  end
  local text = vim.trim(question:gsub("%c", " "))
  append(conversation, ("# %s\n\n"):format(text))
  say(KEYS)
  conversation.process:write(text .. "\n")
end

return M
