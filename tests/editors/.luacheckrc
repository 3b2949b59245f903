std = "luajit"
max_line_length = 132
globals = { "vim", "_G" } -- tests put themselves in the place of what they watch
