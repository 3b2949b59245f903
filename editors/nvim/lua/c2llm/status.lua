-- How the servers stand, as they say it themselves, and a word on it for the statusline.

local M = {}

---@class c2llm.Work
---@field stage string "scan", "words" or "vectors"
---@field done integer
---@field total integer
---@field percentage integer

---@class c2llm.FolderState
---@field folder string URI
---@field name string
---@field state "opening"|"indexing"|"ready"|"paused"|"following"|"failed"
---@field work? c2llm.Work
---@field message string
---@field pendingEdits integer

---@type table<integer, c2llm.FolderState[]>
local known = {}

--- A server says how its folders stand.
---@param params { folders: c2llm.FolderState[] }
---@param client_id integer
function M.changed(params, client_id)
  known[client_id] = params.folders
  vim.api.nvim_exec_autocmds("User", { pattern = "C2llmStatus", modeline = false })
  vim.cmd.redrawstatus()
end

--- A server has ended.
---@param client_id integer
function M.gone(client_id)
  known[client_id] = nil
  vim.cmd.redrawstatus()
end

--- The folders of all servers.
---@return c2llm.FolderState[]
function M.folders()
  local all = {}
  for _, folders in pairs(known) do
    vim.list_extend(all, folders)
  end
  return all
end

--- Whether something is being indexed, or nothing is known yet.
---@return boolean
function M.indexing()
  local folders = M.folders()
  for _, folder in ipairs(folders) do
    if folder.state == "indexing" or folder.state == "opening" then
      return true
    end
  end
  return #folders == 0
end

--- Call back once when nothing is being indexed any more.
---@param ready fun()
function M.when_ready(ready)
  if not M.indexing() then
    return ready()
  end
  vim.api.nvim_create_autocmd("User", {
    pattern = "C2llmStatus",
    once = true,
    callback = function()
      M.when_ready(ready)
    end,
  })
end

local WORST = { failed = 1, opening = 2, indexing = 3, paused = 4, following = 5, ready = 6 }

--- What matters most, for the statusline: "c2llm 42%" while it indexes, "c2llm" when all is in, "" where no server runs.
---@return string
function M.statusline()
  local folders = M.folders()
  table.sort(folders, function(a, b)
    return WORST[a.state] < WORST[b.state]
  end)
  local first = folders[1]
  if not first then
    return ""
  end
  if first.state == "indexing" and type(first.work) == "table" then
    return ("c2llm %d%%%%"):format(first.work.percentage)
  end
  return first.state == "ready" and "c2llm" or "c2llm " .. first.state
end

return M
