"""`python -m c2llm_lsp` is the `c2llm` command."""

from __future__ import annotations

from c2llm_lsp.cli import main

if __name__ == "__main__":
    main()
