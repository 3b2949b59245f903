"""The `c2llm` command. Starting it must cost next to nothing: a subcommand's file is imported when it is called."""

import sys  # and nothing else: the current directory may still be on the import path


def main() -> None:
    """Entry point of the command; leaves the process with its exit code."""
    from retrieval.processes.environment import isolate_this_process

    isolate_this_process()
    from retrieval.processes.preflight import address_space_problem, open_standard_streams

    open_standard_streams()
    if problem := address_space_problem():
        print(f"c2llm: {problem}", file=sys.stderr)
        sys.exit(2)
    if sys.argv[1:] in (["serve"], ["serve", "--stdio"]):  # an editor waits, and there is nothing to parse
        from c2llm_lsp.server.start import start

        sys.exit(start())
    from c2llm_lsp.cli.app import app

    app(prog_name="c2llm")
