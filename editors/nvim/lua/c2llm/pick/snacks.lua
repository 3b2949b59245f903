-- Results in the picker of snacks.nvim.
--
-- It sorts by length what scores alike, and waits 200 ms between questions in its live mode: the sort is by score and rank
-- here, and what is typed becomes the finder's question, which it asks after 30 ms.

local M = {}

function M.there()
  return require("c2llm.pick").loadable("snacks.picker")
end

---@param spot c2llm.Spot
local function item(spot)
  return {
    text = spot.place .. " " .. spot.label,
    file = spot.file,
    buf = spot.buffer,
    pos = { spot.line, spot.column },
    end_pos = { spot.last, spot.width },
    place = spot.place,
    name = spot.label,
    weak = spot.weak,
  }
end

---@param one table
function M.format(one)
  local place, name = "SnacksPickerFile", "SnacksPickerLabel"
  if one.weak then
    place, name = "Comment", "Comment"
  end
  return { { one.place, place }, { "  " }, { one.name, name } }
end

---@param opts table
local function pick(opts)
  require("c2llm.pick").load("snacks").picker.pick(vim.tbl_extend("force", {
    source = "c2llm",
    show_empty = true, -- before anything is typed there is nothing to show
    format = M.format,
    preview = "file",
    sort = { fields = { "score:desc", "idx" } },
    matcher = { sort_empty = false },
  }, opts))
end

function M.list(title, spots)
  pick({ title = title, items = vim.tbl_map(item, spots) })
end

--- A key and an action for each part of the project.
---@return table keys
---@return table actions
local function scopes()
  local keys, actions = {}, {}
  require("c2llm.pick").scope_keys(function(key, within)
    local name = "c2llm_" .. within:gsub("%W", "_")
    keys[key] = { name, mode = { "i", "n" } }
    actions[name] = function(picker)
      local typed = require("c2llm.question").toggled(picker.input:get(), within)
      picker.input:set(typed, "")
    end
  end)
  return keys, actions
end

function M.live(search, typed)
  local keys, actions = scopes()
  pick({
    actions = actions,
    win = { input = { keys = keys } },
    title = "Search by Meaning",
    pattern = typed,
    filter = {
      transform = function(_, filter)
        filter.search, filter.pattern = filter.pattern, ""
      end,
    },
    finder = function(_, ctx)
      local asked = ctx.filter.search
      if vim.trim(asked) == "" then
        return {}
      end
      -- Asked here and waited for there: what the picker waits in may call next to nothing of Neovim.
      local found, waiting ---@type c2llm.Spot[]?, any
      search(asked, function(spots)
        found = spots
        if waiting then
          waiting:resume()
        end
      end)
      ---@async
      return function(add)
        if not found then
          waiting = ctx.async
          waiting:suspend()
        end
        for _, spot in ipairs(found or {}) do
          add(item(spot))
        end
      end
    end,
  })
end

return M
