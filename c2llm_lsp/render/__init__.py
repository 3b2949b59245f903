"""Hits to text: a terminal's, a pipe's, a program's. Knows the nouns only: no store, no workspace, no settings."""
