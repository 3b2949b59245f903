"""Writes this program into the configuration of code assistants, and takes it out again without a trace."""
