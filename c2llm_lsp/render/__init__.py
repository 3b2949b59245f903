"""Answers as text: for a terminal, a pipe, a program, a browser, a language model. No store, no workspace, no settings."""
