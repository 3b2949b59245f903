"""The wire to assistants: the Model Context Protocol on standard input and output, or over HTTP on this machine, one file a
tool.
"""
