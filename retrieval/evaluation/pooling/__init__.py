"""Which pooling? The experiments that the C2LLM report leaves open, on a backbone small enough for a processor.

PMA, mean and EOS pooling are trained on one backbone that starts alike, on the same batches, for as many steps, with several
seeds (runs.py, variants.py). Each result is measured on packages held out of the training data, on prose
(text_retrieval.py), on the code-search benchmark (scores.py), and taken apart where it looks (attention.py,
token_kinds.py). report.py and plots.py tell what came out.
`c2llm evaluate pooling` runs all of it, and goes on where it was stopped.
"""
