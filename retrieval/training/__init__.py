"""Training of C2LLM models, in two ways that share one loop (trainer.py).

- The embedded model, from packages: `python -m retrieval.training fetch | mine | prepare | train | export` (recipe.py): pairs are
  tokenized once and stand in batches by language and package (batches.py).
- Any model, on a folder of tasks: `c2llm train` (fit.py): one-task batches under the task's instruction (mixture.py). Tasks come
  from public sets (`convert`, public_datasets.py), from code of one's own (`derive`, pair_sources.py), or are written as
JSON lines.

Every step can be killed and started again.
"""
