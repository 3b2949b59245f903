-- Without a picker: vim.ui.select, which plugins make prettier.

local hits = require("c2llm.hits")

---@type c2llm.Picker
return {
  there = function()
    return true
  end,
  list = function(title, spots, mods)
    vim.ui.select(spots, { prompt = title, kind = "c2llm", format_item = hits.titled }, function(spot)
      if spot then
        hits.open(spot, mods)
      end
    end)
  end,
}
