std = "luajit"
max_line_length = 160 -- the texts of settings stand in one line
read_globals = { "vim" }
globals = { "vim.g", "vim.o", "vim.bo", "vim.opt", "vim.v" }

files["lua/c2llm/settings.lua"] = { max_line_length = false } -- made by a program: a description is one line
