"""A model tuned on one repository, and kept only where it finds more there on files that it has not seen (`c2llm adapt`).

dataset.py reads questions and pairs out of the repository, fit.py learns from the pairs, evaluation.py asks the questions,
registry.py keeps what was found better, finetuning.py does one after the other.
"""
