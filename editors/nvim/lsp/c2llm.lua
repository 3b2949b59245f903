-- The language server, for vim.lsp.enable("c2llm"). What is here can be changed with vim.lsp.config("c2llm", { ... }).

---@type vim.lsp.Config
return {
  cmd = function(dispatchers)
    return require("c2llm.life").spawn(dispatchers)
  end,
  -- All filetypes. Without a folder there is nothing to index, so a file on its own starts no server.
  root_markers = { ".c2llm.toml", { ".git", ".hg", ".jj", ".svn" } },
  root_dir = function(buffer, on_dir)
    require("c2llm.life").root(buffer, on_dir)
  end,
  handlers = {
    ["c2llm/statusChanged"] = function(_, params, ctx)
      require("c2llm.status").changed(params, ctx.client_id)
    end,
  },
  -- Code actions: what the server would open as a file and as a list is copied and picked from here.
  commands = {
    ["c2llm.server.context"] = function(command)
      require("c2llm").copy((command.arguments or {})[1] or {})
    end,
    ["c2llm.server.similar"] = function(command)
      require("c2llm").similar_to((command.arguments or {})[1] or {})
    end,
  },
  on_init = function(client, result)
    require("c2llm.life").greeted(client, result)
  end,
  on_exit = function(code, signal, client_id)
    require("c2llm.life").ended(code, signal, client_id)
  end,
}
