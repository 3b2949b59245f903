"""Training of C2LLM models: mine pairs out of packages, make a tokenizer, train with InfoNCE, export.

`python -m retrieval.training --help` lists the steps; each can be killed and started again.
"""
