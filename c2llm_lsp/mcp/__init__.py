"""The wire to assistants: the Model Context Protocol on standard input and output, one file a tool.

The SDK has no sessions and no roots any more, so that a server is for the one workspace that it was started with.
"""
