-- Where the model looks, as colours over the code, and what each line does for a query, behind it.

local say = require("c2llm.say")

local M = {}

local space = vim.api.nvim_create_namespace("c2llm-heat")
local LEVELS = 4
local SHARES = { 0.15, 0.3, 0.45, 0.6 } -- of the accent in the background
local CONTRAST = 4.5 -- of text on it, at least
-- Where there are no true colours: numbers of the 256.
local PALETTES = {
  dark = { background = 0x14161b, text = 0xe0e2ea, accent = 0xd08a00, cterm = { 236, 58, 94, 130 } },
  light = { background = 0xe0e2ea, text = 0x14161b, accent = 0xf0a000, cterm = { 230, 229, 222, 215 } },
}
local LEGEND = "Darker or stronger colour: more of the model's attention. Behind a line: its share"
local LEGEND_QUERY = ", and how much it raises or lowers the match with the query"
local SHOWN = 0.02 -- a line below that share, and that does next to nothing for the query, gets no figures

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

---@param colour integer 0xRRGGBB
---@return [number, number, number]
local function channels(colour)
  return { math.floor(colour / 65536), math.floor(colour / 256) % 256, colour % 256 }
end

--- The linear value of a channel, as WCAG defines it.
---@param channel number
---@return number
local function linear(channel)
  local value = channel / 255
  return value <= 0.04045 and value / 12.92 or ((value + 0.055) / 1.055) ^ 2.4
end

--- Relative luminance, as WCAG defines it.
---@param colour integer
---@return number
local function luminance(colour)
  local red, green, blue = unpack(channels(colour))
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
end

---@param one integer
---@param other integer
---@return number
function M.contrast(one, other)
  local a, b = luminance(one), luminance(other)
  return (math.max(a, b) + 0.05) / (math.min(a, b) + 0.05)
end

---@param from integer
---@param to integer
---@param share number
---@return integer
local function blend(from, to, share)
  local r1, g1, b1 = unpack(channels(from))
  local r2, g2, b2 = unpack(channels(to))
  ---@param a number
  ---@param b number
  ---@return integer
  local function mixed(a, b)
    return math.floor(a + (b - a) * share + 0.5)
  end
  return mixed(r1, r2) * 65536 + mixed(g1, g2) * 256 + mixed(b1, b2)
end

local own = {} ---@type table<integer, table> What this file has set, by level

--- Set the colours for the colour scheme that there is. What somebody else has set stays.
function M.colours()
  local palette = PALETTES[vim.o.background] or PALETTES.dark
  local normal = vim.api.nvim_get_hl(0, { name = "Normal" })
  local background, text = normal.bg or palette.background, normal.fg or palette.text
  for level, share in ipairs(SHARES) do
    local colour = blend(background, palette.accent, share)
    while M.contrast(colour, text) < CONTRAST and share > 0.02 do
      share = share - 0.02
      colour = blend(background, palette.accent, share)
    end
    local name = "C2llmHeat" .. level
    local before = vim.api.nvim_get_hl(0, { name = name })
    if vim.tbl_isempty(before) or vim.deep_equal(before, own[level]) then
      vim.api.nvim_set_hl(0, name, { bg = colour, ctermbg = palette.cterm[level] })
      own[level] = vim.api.nvim_get_hl(0, { name = name })
    end
  end
  vim.api.nvim_set_hl(0, "C2llmHeatText", { link = "Comment", default = true })
end

M.colours()
vim.api.nvim_create_autocmd("ColorScheme", { callback = M.colours, desc = "c2llm: colours of explanations" })

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
  local legend = LEGEND
  for _, line in ipairs(explained.lines) do
    local effect = type(line.effect) == "number" and line.effect or nil
    legend = effect and LEGEND .. LEGEND_QUERY or legend
    if line.attention >= SHOWN or math.abs(effect or 0) >= 0.005 then
      local text = ("%d%%"):format(math.floor(line.attention * 100 + 0.5))
      text = effect and ("%s %+.2f"):format(text, effect) or text
      vim.api.nvim_buf_set_extmark(buffer, space, line.line, 0, { virt_text = { { text, "C2llmHeatText" } } })
    end
  end
  say(legend .. ". :C2llm clear removes it.")
  vim.api.nvim_create_autocmd({ "TextChanged", "InsertEnter", "BufHidden" }, {
    buffer = buffer,
    once = true,
    callback = function()
      M.clear(buffer)
    end,
  })
end

return M
