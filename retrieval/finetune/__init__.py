"""Fine-tuning on one repository (`c2llm adapt`); a model is kept only if it scores better there on held-out files.

dataset.py collects questions and training pairs, fit.py trains, evaluation.py scores encoders on the questions, registry.py
stores accepted models, finetuning.py runs the steps.
"""
