"""`python -m c2llm_lsp` is the `c2llm` command. Programs that start it in a folder which they do not trust say
`python -I -m c2llm_lsp`, or run `c2llm`: without -I, Python looks for this package itself in the current directory first.
"""

# Python has put the current directory first: nothing may be imported before it is elsewhere, not even __future__.
import sys

if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # A checkout of this package is still found; `isolate_this_process` keeps the folder for nothing else.
    sys.path.append(sys.path.pop(0))

from c2llm_lsp.cli import main

if __name__ == "__main__":
    main()
