-- What stands in for fzf-lua where it cannot be had: fzf_exec and fzf_live as its documentation has them, which keep the
-- lines that fzf would show in _G.Picker.entries. _G.Ask(words) does what typing does.
local function fill(contents)
  _G.Picker.entries = {}
  contents(function(line)
    if line then
      table.insert(_G.Picker.entries, line)
    else
      _G.Picker.complete = true
    end
  end)
end

return {
  utils = {
    ansi_codes = {
      grey = function(text)
        return "\27[0;90m" .. text .. "\27[0m"
      end,
    },
  },
  defaults = { actions = { files = "files" } },
  fzf_exec = function(contents, opts)
    _G.Picker = { opts = opts, entries = contents, complete = true }
  end,
  fzf_live = function(contents, opts)
    _G.Picker = { opts = opts, entries = {} }
    _G.Ask = function(words)
      fill(contents({ words }))
    end
  end,
}
