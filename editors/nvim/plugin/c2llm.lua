-- :C2llm and the <Plug> maps. Nothing of the plugin is loaded before one of them is used.

if vim.g.loaded_c2llm then
  return
end
vim.g.loaded_c2llm = true

---@type table<string, fun(words: string, opts: c2llm.Options)>
local commands = {
  search = function(words, opts)
    require("c2llm").search(words, opts)
  end,
  similar = function(_, opts)
    require("c2llm").similar(opts)
  end,
  context = function(words, opts)
    require("c2llm").context(words, opts)
  end,
  ask = function(words, opts)
    require("c2llm").ask(words, opts)
  end,
  explain = function(words, opts)
    require("c2llm").explain(words, opts)
  end,
  clear = function()
    require("c2llm").clear()
  end,
  callers = function(words, opts)
    require("c2llm").relate("callers", words, opts)
  end,
  callees = function(words, opts)
    require("c2llm").relate("callees", words, opts)
  end,
  references = function(words, opts)
    require("c2llm").relate("references", words, opts)
  end,
  outline = function(words, opts)
    require("c2llm").outline(words, opts)
  end,
  resume = function()
    require("c2llm").resume()
  end,
  ["pause-indexing"] = function()
    require("c2llm").pause_indexing()
  end,
  ["resume-indexing"] = function()
    require("c2llm").resume_indexing()
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
  local range = given.range > 0 and { given.line1, given.line2 } or nil
  run(words, { quickfix = given.bang, mods = given.smods, range = range })
end, {
  nargs = "+",
  bang = true,
  range = true,
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
    commands[name]("", {})
  end, { desc = "c2llm: " .. name })
end
vim.keymap.set({ "n", "x" }, "<Plug>(c2llm-search-word)", function()
  commands.search(require("c2llm").words(), {})
end, { desc = "c2llm: search for the selection or the word under the cursor" })
vim.keymap.set({ "n", "x" }, "<Plug>(c2llm-similar-list)", function()
  commands.similar("", { quickfix = true })
end, { desc = "c2llm: similar code, in the quickfix list" })
for _, within in ipairs({ "folder", "package", "open", "changed", "no-tests" }) do
  vim.keymap.set("n", ("<Plug>(c2llm-search-%s)"):format(within), function()
    commands.search("in:" .. within, {})
  end, { desc = "c2llm: search, in: " .. within })
end
