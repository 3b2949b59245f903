-- Questions to the server. Nothing blocks, and the latest question of a kind replaces the one before.

local say = require("c2llm.say")

local M = {}

local ABSENT =
  'c2llm does not run here. vim.lsp.enable("c2llm") starts it in files of a project; :checkhealth c2llm says more.'
local NO_PROJECT = "c2llm searches projects, and neither this file nor the working directory is in one: "
  .. "a folder that has %s."
local SILENT = "c2llm does not answer; :C2llm log has what it said."

---@type table<any, { client: vim.lsp.Client, id: integer }?>
local asked = {}

--- The server of this buffer, else any that runs.
---@return vim.lsp.Client?
function M.client()
  return vim.lsp.get_clients({ name = "c2llm", bufnr = 0 })[1] or vim.lsp.get_clients({ name = "c2llm" })[1]
end

--- Give up what is being asked.
---@param kind any The method, or what was given in its place
function M.forget(kind)
  local before = asked[kind]
  asked[kind] = nil
  if before then
    before.client:cancel_request(before.id)
  end
end

---@param method string
---@param params table
---@param answer fun(result: any, client: vim.lsp.Client)
---@param failed? fun(message: string) In place of a message to the person
---@param kind? any What is asked with the same replaces this; without it the method
function M.ask(method, params, answer, failed, kind)
  failed = failed or function(message)
    say(message, vim.log.levels.WARN)
  end
  local client = M.client()
  if not client then
    local life = require("c2llm.life")
    if not life.trouble() and life.enabled() and not life.root_here() then
      return failed(NO_PROJECT:format(life.markers()))
    end
    local again = function()
      M.ask(method, params, answer, failed, kind)
    end
    return not life.start_here(again) and failed(life.trouble() or ABSENT) or nil
  end
  kind = kind or method
  M.forget(kind)
  local id ---@type integer?
  local sent, number = client:request(method, params, function(err, result)
    local current = asked[kind]
    if not current or current.id ~= id then
      return
    end
    asked[kind] = nil
    if err then
      failed(err.message)
    else
      answer(result, client)
    end
  end, vim.api.nvim_get_current_buf())
  if sent and number then
    id = number
    asked[kind] = { client = client, id = number }
  else
    failed(SILENT)
  end
end

return M
