"""The engine of c2llm-lsp: from files to ranked answers. It knows no LSP and never imports `c2llm_lsp`."""
