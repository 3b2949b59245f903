return {
  new_table = function(opts)
    return { results = opts.results, entry_maker = opts.entry_maker }
  end,
  new_dynamic = function(opts)
    return { fn = opts.fn, entry_maker = opts.entry_maker }
  end,
}
