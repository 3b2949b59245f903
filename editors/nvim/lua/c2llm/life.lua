-- The server's life: found, started, started again when it ends by itself, given up after three times.
--
-- vim.lsp starts a server for each buffer that has none, and says of each end how it came about. Here a server that cannot
-- be started is told of once, with what to do, and one that crashes is tried three times in all.

local config = require("c2llm.config")
local say = require("c2llm.say")

local uv = vim.uv --[[@as any]] -- Neovim does not describe it

local M = {}

M.TRIES = 3
M.PAUSES = { 500, 2000 } ---@type integer[] -- milliseconds before the second and third try: what is being installed is soon there
M.STEADY = 60000 -- a server that ran so long had started well: what ends it later is counted anew
local PROTOCOL = 1

local ENDED = "The c2llm server crashed three times and will not be restarted"
local GIVEN_UP = ENDED .. ". :C2llm log has what it said; :C2llm start tries again."
local CHOICES = { "Open the log", "Start it again", "Leave it" } -- what a button would be elsewhere
local NOT_FOUND = "%s cannot be started: it is not on the PATH. Install it from a clone or a release, "
  .. "with Python 3.10 to 3.13 (:help c2llm-install), or name it in vim.g.c2llm.cmd; :checkhealth c2llm says more."
local OLD = "The server%s is too old for this plugin. Install the one that came with it: :help c2llm-install"
local NEWER = "The server%s is newer than this plugin. Update the plugin."

---@class c2llm.Tries
---@field ended integer How often in a row
---@field began integer

---@type table<string, c2llm.Tries?> By root
local tries = {}
---@type string?
local trouble
---@type { code: integer, signal: integer }?
local last
---@type table<integer, true?> Clients that somebody asked to stop
local stopped = {}

--- Why there is no server, in a sentence.
---@return string?
function M.trouble()
  return trouble
end

---@param text string
---@param otherwise? fun() What tells a person in place of a message
local function tell(text, otherwise)
  if trouble ~= text then
    trouble = text
    vim.schedule(otherwise or function() -- an error within an autocommand would be shown with all of its stack
      say(text, vim.log.levels.ERROR)
    end)
  end
end

--- Ask what to do about a server that was given up: with vim.ui.select, as Neovim shows a server's own messages with buttons.
--- What is being typed is not taken for an answer.
local function offer()
  if #vim.api.nvim_list_uis() == 0 then
    return say(GIVEN_UP, vim.log.levels.ERROR) -- nobody is there to be asked
  end
  if vim.api.nvim_get_mode().mode ~= "n" then
    vim.api.nvim_create_autocmd("ModeChanged", { pattern = "*:n", once = true, callback = vim.schedule_wrap(offer) })
    return
  end
  vim.ui.select(CHOICES, { prompt = ENDED .. ":", kind = "c2llm.trouble" }, function(_, chosen)
    if chosen == 1 then
      require("c2llm").log()
    elseif chosen == 2 then
      M.start()
    end
  end)
end

---@return string[]
function M.command()
  local chosen = config.lsp()
  local cmd = chosen and chosen.cmd
  return type(cmd) == "table" and cmd or config.get().cmd --[[@as string[] ]]
end

---@return string
function M.program()
  return M.command()[1] or "c2llm"
end

local WINDOWS = vim.fn.has("win32") == 1

--- The folders of a variable such as PATH; only absolute ones: the others are in whatever folder Neovim is in.
---@param name string
---@return string[]
local function folders(name)
  return vim.tbl_filter(function(folder)
    return folder:find(WINDOWS and "^%a:[/\\]" or "^/") ~= nil
  end, vim.split(vim.env[name] or "", WINDOWS and ";" or ":", { plain = true }))
end

--- Where a program is. The current directory, which may be a folder that nobody trusts, is not looked at.
---@param program string
---@return string?
function M.find(program)
  local named = program:find(WINDOWS and "[/\\]" or "/") ~= nil
  for _, folder in ipairs(named and { "" } or folders("PATH")) do
    local path = vim.fn.exepath(named and program or folder .. "/" .. program)
    if path ~= "" then
      return path
    end
  end
end

--- What a program is run with: outside of the project, because Python looks for modules where it is started.
local function surroundings()
  local modules = table.concat(folders("PYTHONPATH"), WINDOWS and ";" or ":")
  return { cwd = uv.os_homedir(), env = { PYTHONPATH = modules, PYTHONSAFEPATH = "1" } }
end

--- Another subcommand of the program that serves: its command, and what it is run with.
---@param arguments string[]
---@return string[] command
---@return { cwd: string, env: table<string, string> } options
function M.outside(arguments)
  local command = {} ---@type string[]
  for _, part in ipairs(M.command()) do
    if part == "serve" then
      break
    end
    command[#command + 1] = part
  end
  command[1] = M.find(command[1] or "c2llm") or command[1]
  return vim.list_extend(command, arguments), surroundings()
end

--- `cmd` of the server, run outside of the project: Python looks for modules where it is started. How it ended is kept for `ended`,
--- and kept from vim.lsp, which would say it each time.
---@param dispatchers vim.lsp.rpc.Dispatchers
function M.spawn(dispatchers)
  local on_exit = dispatchers.on_exit
  local command = vim.list_slice(M.command())
  command[1] = M.find(command[1] or "c2llm") or command[1]
  return vim.lsp.rpc.start(
    command,
    vim.tbl_extend("force", dispatchers, {
      on_exit = function(code, signal)
        last = { code = code, signal = signal }
        on_exit(0, 0)
      end,
    }) --[[@as vim.lsp.rpc.Dispatchers]],
    surroundings()
  )
end

--- `root_dir` of the server: where it may be started, the folder of the project.
---@param buffer integer
---@param on_dir fun(root?: string)
function M.root(buffer, on_dir)
  if vim.api.nvim_buf_get_name(buffer):find("^%a[%w+.-]+://") then
    return -- on no disk of this machine
  end
  local root = vim.fs.root(buffer, (config.lsp() or {}).root_markers or {})
  if not root then
    return -- a file on its own: there is nothing to index
  end
  local program = M.program()
  if not M.find(program) then
    return tell(NOT_FOUND:format(program))
  end
  if tries[root] and tries[root].ended >= M.TRIES then
    return
  end
  tries[root] = tries[root] or { ended = 0, began = 0 }
  tries[root].began = uv.now()
  on_dir(root)
end

--- Whether vim.lsp.enable was called.
---@return boolean
function M.enabled()
  local lsp = vim.lsp --[[@as table<string, any>]] -- is_enabled came with Neovim 0.12
  if lsp.is_enabled then
    return lsp.is_enabled("c2llm")
  end
  local known = lsp._enabled_configs
  return type(known) ~= "table" or known["c2llm"] ~= nil
end

--- What makes a folder a project, for a sentence.
---@return string
function M.markers()
  local names = {} ---@type string[]
  for _, marker in ipairs((config.lsp() or {}).root_markers or {}) do
    vim.list_extend(names, (type(marker) == "table" and marker or { marker }) --[[@as string[] ]])
  end
  return table.concat(names, ", ", 1, #names - 1) .. " or " .. names[#names]
end

--- The project of the working directory.
---@return string?
function M.root_here()
  return vim.fs.root(vim.fn.getcwd(), (config.lsp() or {}).root_markers or {})
end

--- Start a server for the project of the working directory, of which no file is open, and call `ready` when it answers. False
--- where there is nothing to start.
---@param ready fun()
---@return boolean
function M.start_here(ready)
  local root, same = M.root_here(), config.lsp()
  if not root or not same or not M.enabled() then
    return false
  end
  local program = M.program()
  if not M.find(program) then
    tell(NOT_FOUND:format(program))
    return false
  end
  tries[root] = tries[root] or { ended = 0, began = 0 }
  if tries[root].ended >= M.TRIES then
    return false
  end
  tries[root].began = uv.now()
  local before = same.on_init
  local all = (type(before) == "table" and before or { before }) --[[@as (fun(client: vim.lsp.Client, result: any))[] ]]
  local one = vim.tbl_extend("force", same, {
    name = "c2llm",
    root_dir = root,
    on_init = function(client, result)
      for _, each in ipairs(all) do
        each(client, result)
      end
      if not trouble then
        vim.schedule(ready)
      end
    end,
  })
  return vim.lsp.start(one --[[@as vim.lsp.ClientConfig]], { attach = false }) ~= nil
end

--- `on_init`: a server of another time is told of, and not talked to.
---@param client vim.lsp.Client
---@param result lsp.InitializeResult
function M.greeted(client, result)
  local experimental = result.capabilities.experimental
  local own = type(experimental) == "table" and experimental.c2llm
  local version = type(own) == "table" and own.version
  if version == PROTOCOL then
    trouble = nil
    return
  end
  local named = result.serverInfo and result.serverInfo.version and " " .. result.serverInfo.version or ""
  tell((type(version) == "number" and version > PROTOCOL and NEWER or OLD):format(named))
  tries[client.config.root_dir] = { ended = M.TRIES, began = 0 }
  stopped[client.id] = true
  client:stop()
end

--- `on_exit`: start it again where nobody wanted it to end.
---@param code integer
---@param signal integer
---@param id integer
function M.ended(code, signal, id)
  local how = last or { code = code, signal = signal }
  last = nil
  local client = vim.lsp.get_client_by_id(id)
  local asked = stopped[id] or (client and client.initialized and how.code == 0 and how.signal == 0) or how.signal == 15
  stopped[id] = nil
  vim.schedule(function()
    require("c2llm.status").gone(id)
  end)
  local root = client and client.config.root_dir
  if asked or type(vim.v.exiting) == "number" or not client or type(root) ~= "string" then
    return
  end
  local known = tries[root] or { ended = 0, began = uv.now() }
  tries[root] = known
  known.ended = uv.now() - known.began >= M.STEADY and 1 or known.ended + 1
  if known.ended >= M.TRIES then
    return tell(GIVEN_UP, offer)
  end
  local same, buffers = client.config, vim.tbl_keys(client.attached_buffers)
  vim.defer_fn(function()
    M.again(same, buffers)
  end, M.PAUSES[known.ended] or 0)
end

---@param same vim.lsp.ClientConfig
---@param buffers integer[]
function M.again(same, buffers)
  if not M.enabled() then
    return
  end
  local known = tries[same.root_dir]
  if known then
    known.began = uv.now()
  end
  for _, buffer in ipairs(buffers) do
    if vim.api.nvim_buf_is_valid(buffer) then
      vim.lsp.start(same, { bufnr = buffer })
    end
  end
end

--- Stop all servers. Files that are opened later start one again.
function M.stop()
  for _, client in ipairs(vim.lsp.get_clients({ name = "c2llm" })) do
    stopped[client.id] = true
    client:stop()
  end
end

--- Start a server for each project that has files open, whatever happened before.
function M.start()
  tries, trouble = {}, nil
  vim.lsp.enable("c2llm")
end

--- Stop, and start again when all have ended.
function M.restart()
  M.stop()
  local left = 100 -- 5 seconds: the server promises one
  local function look()
    left = left - 1
    if left == 0 or #vim.lsp.get_clients({ name = "c2llm" }) == 0 then
      return M.start()
    end
    vim.defer_fn(look, 50)
  end
  look()
end

return M
