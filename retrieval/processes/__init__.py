"""Starts all child processes: `helpers` starts our own Python processes, `git` runs git, `environment` decides where code,
programs and libraries may come from. A test checks that nothing else starts a process.
"""
