-- What stands in for telescope.nvim where it cannot be had: the parts of its documented interface that pickers are made of.
-- A picker that is found is kept in _G.Picker; _G.Ask(words) does what typing does, _G.Choose(n) what Enter does.
return {}
