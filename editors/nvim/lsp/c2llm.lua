-- The language server, for vim.lsp.enable("c2llm"). What is here can be changed with vim.lsp.config("c2llm", { ... }).

---@type vim.lsp.Config
return {
  cmd = { "c2llm", "serve" },
  -- All filetypes. Without a folder there is nothing to index, so a file on its own starts no server.
  root_markers = { ".c2llm.toml", { ".git", ".hg", ".jj", ".svn" } },
  workspace_required = true,
  handlers = {
    ["c2llm/statusChanged"] = function(_, params, ctx)
      require("c2llm.status").changed(params, ctx.client_id)
    end,
  },
  on_exit = function(_, _, client_id)
    vim.schedule(function()
      require("c2llm.status").gone(client_id)
    end)
  end,
}
