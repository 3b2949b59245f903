-- What stands in for trouble.nvim where it cannot be had: `open` as its documentation has it, which keeps what it is given.
return {
  open = function(opts)
    _G.Trouble = opts
  end,
}
