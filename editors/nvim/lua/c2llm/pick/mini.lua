-- Results in mini.pick.

local hits = require("c2llm.hits")

local M = {}

function M.there()
  return require("c2llm.pick").loadable("mini.pick")
end

local function mini()
  local pick = require("c2llm.pick").load("mini.pick")
  if not _G.MiniPick then -- it works after its setup only, which nobody may have called yet
    pick.setup()
  end
  return pick
end

---@param spot c2llm.Spot
local function item(spot)
  return {
    text = hits.titled(spot),
    path = not spot.buffer and spot.file or nil,
    bufnr = spot.buffer,
    lnum = spot.line,
    col = spot.column + 1,
    end_lnum = spot.last + 1, -- to before its start
    end_col = 1,
    spot = spot,
  }
end

---@param one { spot: c2llm.Spot }
local function choose(one)
  local state = mini().get_picker_state()
  vim.api.nvim_win_call(state and state.windows.target or 0, function()
    hits.open(one.spot)
  end)
end

local space = vim.api.nvim_create_namespace("c2llm-weak")

--- As it shows items; weak ones are dimmed.
---@param buffer integer
---@param items { spot: c2llm.Spot }[]
---@param query string[]
local function show_dimmed(buffer, items, query)
  local pick = mini()
  pick.default_show(buffer, items, query, { show_icons = false })
  vim.api.nvim_buf_clear_namespace(buffer, space, 0, -1)
  for line, one in ipairs(items) do
    if one.spot.weak then
      local length = #(vim.api.nvim_buf_get_lines(buffer, line - 1, line, false)[1] or "")
      vim.api.nvim_buf_set_extmark(
        buffer,
        space,
        line - 1,
        0,
        { end_col = length, hl_group = "Comment", priority = 300 }
      )
    end
  end
end

--- What the source of a list and of a live search have in common.
---@param name string
---@param items table[]
---@return table
local function source(name, items)
  return { name = name, items = items, choose = choose, show = show_dimmed }
end

function M.list(title, spots)
  mini().start({ source = source(title, vim.tbl_map(item, spots)) })
end

--- A key for each part of the project.
---@return table
local function mappings()
  local found = {}
  require("c2llm.pick").scope_keys(function(key, within)
    found["c2llm_" .. within] = {
      char = key,
      func = function()
        local typed = table.concat(mini().get_picker_query() or {})
        mini().set_picker_query(vim.fn.split(require("c2llm.question").toggled(typed, within), "\\zs"))
      end,
    }
  end)
  return found
end

function M.live(search, typed)
  local pick = mini()
  local answered ---@type integer? The tick of the question whose answer is shown
  local function match(_, _, query)
    local tick = pick.get_querytick()
    if tick == answered then
      return
    end
    local asked = table.concat(query)
    local function show(spots)
      if pick.is_picker_active() and pick.get_querytick() == tick then
        answered = tick
        pick.set_picker_items(vim.tbl_map(item, spots), { do_match = false, querytick = tick })
      end
    end
    if vim.trim(asked) == "" then
      return show({})
    end
    search(asked, show)
  end
  if typed ~= "" then
    vim.schedule(function()
      pick.set_picker_query(vim.fn.split(typed, "\\zs"))
    end)
  end
  local opened = source("Search by Meaning", {})
  opened.match = match
  pick.start({ source = opened, mappings = mappings() })
end

return M
