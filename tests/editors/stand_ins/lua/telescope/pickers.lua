local function entries(finder, results)
  return vim.tbl_map(finder.entry_maker, results)
end

local function ask(picker, words)
  coroutine.wrap(function()
    local results = picker.finder.fn(words)
    picker.entries = entries(picker.finder, results)
  end)()
end

return {
  new = function(opts, defaults)
    local picker = vim.tbl_extend("force", opts, defaults)
    picker.find = function()
      _G.Picker = picker
      _G.Ask = function(words)
        ask(picker, words)
      end
      if picker.finder.results then
        picker.entries = entries(picker.finder, picker.finder.results)
      elseif opts.default_text ~= "" then
        ask(picker, opts.default_text)
      end
    end
    return picker
  end,
}
