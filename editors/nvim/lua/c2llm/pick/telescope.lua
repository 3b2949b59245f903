-- Results in telescope.nvim. Its fuzzy sorter narrows a list; an answer to what is typed keeps the order of its ranks.

local hits = require("c2llm.hits")
local load = require("c2llm.pick").load

local M = {}

function M.there()
  return require("c2llm.pick").loadable("telescope")
end

---@param spot c2llm.Spot
local function entry(spot)
  local title = hits.titled(spot)
  return {
    value = spot,
    ordinal = title,
    display = spot.weak and function()
      return title, { { { 0, #title }, "Comment" } }
    end or title,
    filename = spot.file,
    bufnr = spot.buffer,
    lnum = spot.line,
    col = spot.column + 1,
    start = spot.line,
    finish = spot.last,
  }
end

local function open()
  local config = load("telescope.config").values
  return load("telescope.pickers"), load("telescope.finders"), config
end

function M.list(title, spots)
  local pickers, finders, config = open()
  local opts = { prompt_title = title, preview_title = "" }
  pickers
    .new(opts, {
      finder = finders.new_table({ results = spots, entry_maker = entry }),
      sorter = config.generic_sorter(opts),
      previewer = config.qflist_previewer(opts),
    })
    :find()
end

function M.live(search, typed)
  local pickers, finders, config = open()
  local opts = { prompt_title = "Search by Meaning", preview_title = "", default_text = typed }
  local function ask(prompt)
    if vim.trim(prompt or "") == "" then
      return {}
    end
    local tell, told = load("plenary.async.control").channel.oneshot()
    search(prompt, tell)
    return told()
  end
  pickers
    .new(opts, {
      finder = finders.new_dynamic({ fn = ask, entry_maker = entry }),
      sorter = load("telescope.sorters").empty(),
      previewer = config.qflist_previewer(opts),
      attach_mappings = function(_, map)
        require("c2llm.pick").scope_keys(function(key, within)
          map({ "i", "n" }, key, function(prompt)
            local state = load("telescope.actions.state")
            local picker = state.get_current_picker(prompt)
            picker:set_prompt(require("c2llm.question").toggled(state.get_current_line(), within))
          end)
        end)
        return true
      end,
    })
    :find()
end

return M
