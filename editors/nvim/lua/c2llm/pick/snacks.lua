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
  }
end

---@param one table
local function format(one)
  return { { one.place, "SnacksPickerFile" }, { "  " }, { one.name, "SnacksPickerLabel" } }
end

---@param opts table
local function pick(opts)
  require("c2llm.pick").load("snacks").picker.pick(vim.tbl_extend("force", {
    source = "c2llm",
    show_empty = true, -- before anything is typed there is nothing to show
    format = format,
    preview = "file",
    sort = { fields = { "score:desc", "idx" } },
    matcher = { sort_empty = false },
  }, opts))
end

function M.list(title, spots)
  pick({ title = title, items = vim.tbl_map(item, spots) })
end

function M.live(search, typed)
  pick({
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
