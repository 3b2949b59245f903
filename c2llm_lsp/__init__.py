"""The edges of c2llm-lsp: what people and editors touch."""

__version__ = "0.1.0"
