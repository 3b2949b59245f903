-- The settings of the server and their defaults. Made by: python editors/settings.py

local M = {}

---@class c2llm.Settings
---@field encoder? string Which encoder makes the vectors: `embedded`, the folder of a model, a checkpoint on the hub or the address of a server.
---@field cache_dir? string Where indexes and vectors are kept; empty means the system's cache folder for this program.
---@field exclude? string[] More ignore patterns, written as in .gitignore; in the environment separated by commas.
---@field max_file_bytes? integer Files larger than this are skipped and counted.
---@field threads? integer CPU threads for the encoder; 0 lets it choose by the machine.
---@field device? string Where a checkpoint computes: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` takes a GPU where there is one.
---@field dtype? string In which precision a checkpoint computes: `bf16`, `fp16`, `fp32`; `auto` chooses by the device.
---@field results? integer How many results are shown where -k is not given.
---@field context_lines? integer Lines shown before and after each salient line where --context-lines is not given.
---@field link? string What a result's path links to in a terminal, with {path} and {line}; empty for no links.
---@field debounce_ms? integer How long files and open buffers must be quiet before a change is indexed.
---@field near_duplicates? boolean Hint at code in an open file that is almost the same as code elsewhere.

---@type c2llm.Settings
M.defaults = {
  encoder = "embedded",
  cache_dir = "",
  exclude = {},
  max_file_bytes = 1048576,
  threads = 0,
  device = "auto",
  dtype = "auto",
  results = 10,
  context_lines = 0,
  link = "file://{path}",
  debounce_ms = 150,
  near_duplicates = false,
}

return M
