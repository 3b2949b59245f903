return {
  values = {
    generic_sorter = function()
      return "generic"
    end,
    qflist_previewer = function()
      return "qflist"
    end,
  },
}
