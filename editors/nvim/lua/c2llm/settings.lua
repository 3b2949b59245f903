-- The settings of the server and their defaults. Made by: python editors/settings.py

local M = {}

---@class c2llm.Settings
---@field encoder? string Embedding model: `embedded`, the folder of a model, a checkpoint on the hub or the address of a server.
---@field cache_dir? string Folder for indexes and vectors; empty means the system's cache folder for this program.
---@field exclude? string[] Additional ignore patterns, written as in .gitignore.
---@field max_file_bytes? integer Bytes; larger files are left out and counted.
---@field threads? integer CPU threads for the embedding model; 0 chooses by the machine.
---@field device? string Where a model from the hub runs: `cpu`, `cuda`, `cuda:1`, `mps`; `auto` uses a GPU if there is one.
---@field dtype? string Precision of a model from the hub: `bf16`, `fp16`, `fp32`; `auto` chooses by the device.
---@field results? integer Number of results, unless a search says how many.
---@field debounce_ms? integer Milliseconds without changes before an edit of a file or open buffer is indexed.
---@field shared_vectors? string PostgreSQL from which vectors of the team are fetched before code is embedded: `postgresql://USER@HOST/DATABASE`; empty for none. Hashes are sent, never code.
---@field near_duplicates? boolean Report code in an open file that is a near duplicate of other code.

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
  debounce_ms = 150,
  shared_vectors = "",
  near_duplicates = false,
}

return M
