-- What CodeCompanion documents about extensions: each is a module of its name, set up with its `opts`.
return {
  setup = function(config)
    for name, extension in pairs(config.extensions or {}) do
      require("codecompanion._extensions." .. name).setup(extension.opts or {})
    end
  end,
}
