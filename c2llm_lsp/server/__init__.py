"""The language server: `greeting` answers at once, `serving` runs the rest, `messages` has a file for each message."""
