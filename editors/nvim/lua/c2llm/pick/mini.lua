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

function M.list(title, spots)
  mini().start({ source = { name = title, items = vim.tbl_map(item, spots), choose = choose } })
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
  pick.start({ source = { name = "Search by Meaning", items = {}, match = match, choose = choose } })
end

return M
