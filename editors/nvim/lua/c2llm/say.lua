-- One way to tell a person something.

---@param text string
---@param level? integer One of vim.log.levels
return function(text, level)
  vim.notify(text, level or vim.log.levels.INFO, { title = "c2llm" })
end
