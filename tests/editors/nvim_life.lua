-- A server that cannot be started, crashes, is of another time, is stopped and started: $CASE says which. What was said to
-- the person goes into $TOLD as JSON.

local told = { said = {} }
vim.notify = function(text, level)
  if not text:find("^:%w") then
    told.said[#told.said + 1] = text
    told.level = level
  end
end

local function until_(check, what)
  assert(vim.wait(300000, check, 20), "it did not happen: " .. what)
end

local function clients()
  return #vim.lsp.get_clients({ name = "c2llm" })
end

local function running()
  return require("c2llm").statusline() == "c2llm"
end

local cases = {}

function cases.missing()
  until_(function()
    return #told.said > 0
  end, "it is said")
  vim.cmd.edit(vim.env.PROJECT .. "/app/invoices.py")
  vim.cmd("C2llm search anything")
  told.clients = clients()
end

function cases.crashing()
  until_(function()
    return require("c2llm.life").trouble() ~= nil
  end, "it is given up")
  vim.cmd.edit(vim.env.PROJECT .. "/app/invoices.py")
  vim.wait(300)
  told.clients = clients()
end

function cases.old()
  until_(function()
    return #told.said > 0 and clients() == 0
  end, "it is said, and stopped")
end

function cases.virtual()
  until_(running, "it runs")
  local buffer = vim.api.nvim_create_buf(true, false)
  vim.api.nvim_buf_set_name(buffer, "scp://host/rules.py")
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { "def rules_exclude(path, rules):", "    return any(rules)" })
  vim.api.nvim_set_current_buf(buffer)
  vim.bo.filetype = "python"
  vim.wait(300)
  told.clients = clients()
  told.attached = #vim.lsp.get_clients({ bufnr = buffer })
  local offered
  vim.ui.select = function(items)
    offered = items
  end
  vim.cmd("C2llm similar")
  until_(function()
    return offered
  end, "similar code is found")
  told.offered = vim.tbl_map(require("c2llm.hits").titled, offered)
end

function cases.lives()
  until_(running, "it runs")
  vim.cmd("C2llm stop")
  until_(function()
    return clients() == 0 and require("c2llm").statusline() == ""
  end, "it stops")
  told.stopped = true
  vim.cmd("C2llm start")
  until_(running, "it runs again")
  vim.uv.kill(
    vim.lsp.get_clients({ name = "c2llm" })[1].rpc.pid or tonumber(vim.fn.readfile(vim.env.PID)[1]),
    "sigkill"
  )
  until_(function()
    return not running()
  end, "it is gone")
  until_(running, "it is started again by itself")
  told.again = true
  -- A file that no folder of the server has.
  vim.cmd.edit(vim.env.OUTSIDE)
  local offered
  vim.ui.select = function(items)
    offered = items
  end
  vim.cmd("C2llm similar")
  until_(function()
    return offered
  end, "similar code is found")
  told.offered = vim.tbl_map(require("c2llm.hits").titled, offered)
  vim.cmd("C2llm explain")
  vim.cmd("C2llm context")
end

vim.schedule(function()
  local fine, problem = xpcall(cases[vim.env.CASE], debug.traceback)
  told.problem = not fine and problem or nil
  vim.fn.writefile({ vim.json.encode(told) }, vim.env.TOLD)
  vim.cmd(fine and "qa!" or "cquit")
end)
