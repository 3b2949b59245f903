"""A model tuned on one repository, and kept only where it finds more there on files that it has not seen (`c2llm adapt`).

material.py reads questions and pairs out of the repository, tuning.py learns from the pairs, judging.py asks the questions,
record.py keeps what was found better, adaptation.py does one after the other.
"""
