-- What a person does in Neovim, done without one. Tells what happened as lines of JSON in the file $TOLD.

local project = vim.env.PROJECT
local told = assert(io.open(vim.env.TOLD, "w"))

local function tell(what, value)
  told:write(vim.json.encode({ [what] = value == nil and vim.NIL or value }) .. "\n")
  told:flush()
end

local function until_(check)
  local found
  assert(
    vim.wait(300000, function()
      found = check()
      return found
    end, 20),
    "it did not happen"
  )
  return found
end

local offered, notified
vim.ui.select = function(items, opts, chosen)
  offered = { prompt = opts.prompt, titles = vim.tbl_map(opts.format_item, items) }
  chosen(items[1])
end
vim.notify = function(text)
  notified = text
end

local function ask(command)
  offered, notified = nil, nil
  vim.cmd(command)
end

local function place()
  return { vim.fs.relpath(project, vim.api.nvim_buf_get_name(0)), unpack(vim.api.nvim_win_get_cursor(0)) }
end

local function scenario()
  local client = until_(function()
    return vim.lsp.get_clients({ name = "c2llm", bufnr = 0 })[1]
  end)
  until_(function()
    return require("c2llm").statusline() == "c2llm"
  end)
  tell("root", client.root_dir)
  tell("encoding", client.offset_encoding)

  -- Search, choose the first, be there.
  ask("C2llm search ignore rule excludes the path")
  until_(function()
    return offered
  end)
  tell("offered", offered)
  tell("jumped", place())
  vim.cmd("normal! \15") -- back, over the jump list
  tell("back", place())

  -- What is written and not saved.
  vim.api.nvim_buf_set_lines(0, -1, -1, false, {
    "",
    "",
    "def shrink_picture(picture, width):",
    '    """Makes a picture 🎉 smaller."""',
    "    return picture.resize(width)",
  })
  ask("C2llm! search make a picture smaller")
  until_(function()
    return vim.fn.getqflist({ title = 0 }).title == "make a picture smaller"
  end)
  tell(
    "list",
    vim.tbl_map(function(item)
      return ("%s:%d:%d %s"):format(vim.fs.relpath(project, vim.fn.bufname(item.bufnr)), item.lnum, item.col, item.text)
    end, vim.fn.getqflist())
  )
  vim.cmd.cfirst()
  tell("first", place())
  vim.cmd.cclose()
  tell("modified", vim.bo.modified)

  -- Similar code: under the cursor, and selected.
  ask("C2llm similar")
  until_(function()
    return offered
  end)
  tell("similar", offered)
  vim.cmd.edit(project .. "/app/ignore.py")
  until_(function()
    return vim.lsp.buf_is_attached(0, client.id)
  end)
  offered = nil
  vim.api.nvim_feedkeys(vim.keycode("5GV3j<Plug>(c2llm-similar)"), "xt", false)
  until_(function()
    return offered
  end)
  tell("selected", offered)
  vim.cmd("normal! \27")

  -- Context, status, a wrong command.
  ask("C2llm context which files are left out")
  until_(function()
    return notified
  end)
  tell("copied", notified)
  tell("register", vim.fn.getreg('"'))
  ask("C2llm status")
  until_(function()
    return notified
  end)
  tell("status", notified)
  ask("C2llm nonsense")
  tell("wrong", notified)
  tell("completion", vim.fn.getcompletion("C2llm s", "cmdline"))

  -- Health, then the end.
  vim.cmd("checkhealth c2llm")
  tell("health", table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"))
  vim.lsp.enable("c2llm", false)
  until_(function()
    return client:is_stopped()
  end)
  until_(function()
    return require("c2llm").statusline() == ""
  end)
  ask("C2llm search anything")
  tell("absent", notified)
end

vim.schedule(function()
  local fine, problem = xpcall(scenario, debug.traceback)
  if not fine then
    tell("problem", problem)
  end
  told:close()
  vim.cmd(fine and "qa!" or "cquit")
end)
