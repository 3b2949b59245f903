"""The text of open documents, and positions in it."""
