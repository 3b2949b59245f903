-- :C2llm and the <Plug> maps. Nothing of the plugin is loaded before one of them is used.

if vim.g.loaded_c2llm then
  return
end
vim.g.loaded_c2llm = true

---@type table<string, fun(words: string, quickfix: boolean)>
local commands = {
  search = function(words, quickfix)
    require("c2llm").search(words, { quickfix = quickfix })
  end,
  similar = function(_, quickfix)
    require("c2llm").similar({ quickfix = quickfix })
  end,
  context = function(words)
    require("c2llm").context(words)
  end,
  explain = function(words)
    require("c2llm").explain(words)
  end,
  status = function()
    require("c2llm").status()
  end,
  log = function()
    require("c2llm").log()
  end,
  start = function()
    require("c2llm.life").start()
  end,
  stop = function()
    require("c2llm.life").stop()
  end,
  restart = function()
    require("c2llm.life").restart()
  end,
}

vim.api.nvim_create_user_command("C2llm", function(given)
  local name, words = given.args:match("^(%S+)%s*(.*)$")
  local run = commands[name]
  if not run then
    local known = vim.tbl_keys(commands)
    table.sort(known)
    return vim.notify(
      ("There is no :C2llm %s; there are %s."):format(name, table.concat(known, ", ")),
      vim.log.levels.ERROR
    )
  end
  run(words, given.bang)
end, {
  nargs = "+",
  bang = true,
  desc = "Search code by meaning",
  complete = function(lead, line)
    if not line:match("^%S*%s+%S*$") then
      return line:match("^%S*%s+search%s") and require("c2llm.question").completed(lead) or {}
    end
    local names = vim.tbl_filter(function(name)
      return vim.startswith(name, lead)
    end, vim.tbl_keys(commands))
    table.sort(names)
    return names
  end,
})

for name in pairs(commands) do
  vim.keymap.set({ "n", "x" }, ("<Plug>(c2llm-%s)"):format(name), function()
    commands[name]("", false)
  end, { desc = "c2llm: " .. name })
end
vim.keymap.set({ "n", "x" }, "<Plug>(c2llm-similar-list)", function()
  commands.similar("", true)
end, { desc = "c2llm: similar code, in the quickfix list" })
