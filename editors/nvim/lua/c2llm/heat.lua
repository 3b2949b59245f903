-- Where the model looks, as colours over the code, and what each line does for a query, behind it.

local M = {}

local space = vim.api.nvim_create_namespace("c2llm-heat")
local LEVELS = 4
local COLOURS = { "#3b3226", "#5a4420", "#80591a", "#b07a10" }

---@class c2llm.Look
---@field range c2llm.Range
---@field weight number

---@class c2llm.LineLook
---@field line integer
---@field attention number
---@field effect? number

---@class c2llm.Explanation
---@field uri string
---@field label? string
---@field looks c2llm.Look[]
---@field lines c2llm.LineLook[]
---@field notes string[]

for level = 1, LEVELS do
  vim.api.nvim_set_hl(0, "C2llmHeat" .. level, { bg = COLOURS[level], default = true })
end
vim.api.nvim_set_hl(0, "C2llmHeatText", { link = "Comment", default = true })

---@param buffer integer
---@param at c2llm.Position
---@param encoding string
---@return integer
local function column(buffer, at, encoding)
  local line = vim.api.nvim_buf_get_lines(buffer, at.line, at.line + 1, false)[1] or ""
  return encoding == "utf-8" and math.min(at.character, #line)
    or vim.str_byteindex(line, encoding --[[@as "utf-16"]], at.character, false)
end

--- Remove the colours of a buffer.
---@param buffer integer
function M.clear(buffer)
  vim.api.nvim_buf_clear_namespace(buffer, space, 0, -1)
end

--- Colour a buffer until it changes.
---@param buffer integer
---@param explained c2llm.Explanation
---@param encoding string
function M.show(buffer, explained, encoding)
  M.clear(buffer)
  local most = 0 ---@type number
  for _, look in ipairs(explained.looks) do
    most = math.max(most, look.weight)
  end
  for _, look in ipairs(explained.looks) do
    local level = math.ceil(look.weight / most * LEVELS)
    if level > 0 then
      vim.api.nvim_buf_set_extmark(buffer, space, look.range.start.line, column(buffer, look.range.start, encoding), {
        end_row = look.range["end"].line,
        end_col = column(buffer, look.range["end"], encoding),
        hl_group = "C2llmHeat" .. level,
      })
    end
  end
  for _, line in ipairs(explained.lines) do
    local text = ("%d%%"):format(math.floor(line.attention * 100 + 0.5))
    if type(line.effect) == "number" then
      text = ("%s %+.2f"):format(text, line.effect)
    end
    vim.api.nvim_buf_set_extmark(buffer, space, line.line, 0, { virt_text = { { text, "C2llmHeatText" } } })
  end
  vim.api.nvim_create_autocmd({ "TextChanged", "InsertEnter", "BufHidden" }, {
    buffer = buffer,
    once = true,
    callback = function()
      M.clear(buffer)
    end,
  })
end

return M
