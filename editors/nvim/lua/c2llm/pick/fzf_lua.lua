-- Results in fzf-lua: lines of path:line:column, which its previewer and its actions for files understand.

local M = {}

local function fzf()
  return require("c2llm.pick").load("fzf-lua")
end

function M.there()
  return require("c2llm.pick").loadable("fzf-lua") and vim.fn.executable("fzf") + vim.fn.executable("sk") > 0
end

---@param spot c2llm.Spot
---@return string
local function line(spot)
  local text = ("%s:%d:%d: %s"):format(spot.file, spot.line, spot.column + 1, spot.label)
  return spot.weak and fzf().utils.ansi_codes.grey(text) or text
end

---@param title string
local function options(title)
  return {
    prompt = "> ",
    winopts = { title = (" %s "):format(title) },
    previewer = "builtin",
    actions = fzf().defaults.actions.files,
    fzf_opts = { ["--no-sort"] = true, ["--delimiter"] = ":" }, -- best first, whatever is typed
  }
end

function M.list(title, spots)
  fzf().fzf_exec(vim.tbl_map(line, spots), options(title))
end

function M.live(search, typed)
  local opts = options("Search by Meaning")
  opts.query = typed
  opts.exec_empty_query = false
  local bound = {} ---@type string[]
  require("c2llm.pick").scope_keys(function(key, within) -- to be deleted as any word: fzf cannot look at what is typed
    local name = key:match("^<[Mm]%-(.)>$")
    bound[#bound + 1] = name and ("alt-%s:put( in:%s )"):format(name, within) or nil
  end)
  opts.fzf_opts["--bind"] = table.concat(bound, ",")
  fzf().fzf_live(function(args)
    local asked = type(args) == "table" and args[1] or args -- a text before 2025
    return function(add)
      if vim.trim(asked or "") == "" then
        return add(nil)
      end
      vim.schedule(function() -- it may be called where next to nothing of Neovim can be
        search(asked, function(spots)
          for _, spot in ipairs(spots) do
            add(line(spot))
          end
          add(nil)
        end)
      end)
    end
  end, opts)
end

return M
