-- The list that stays: quickfix, in trouble.nvim where that is chosen and there.

local hits = require("c2llm.hits")

local M = {}

---@param title string
---@param spots c2llm.Spot[]
function M.list(title, spots)
  vim.fn.setqflist({}, " ", { title = title, items = hits.entries(spots) })
  if require("c2llm.config").get().list == "trouble" and require("c2llm.pick").loadable("trouble") then
    return require("c2llm.pick").load("trouble").open({ mode = "qflist", focus = true })
  end
  vim.cmd("botright copen")
end

return M
