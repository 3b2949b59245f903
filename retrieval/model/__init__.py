"""C2LLM: configuration, checkpoints and their download, the model in three forms, ONNX export, and the embedded model.

- c2llm.py, backbone.py: by transformers, padded batches; the reference, for export and adapters
- right_padded.py: the same modules in fewer operations, for training
- packed.py, attention.py: for encoding; no padding, no transformers
Names and shapes of tensors are in tensor_layout.py, files in checkpoint.py, downloads in hub.py.

Torch, transformers, onnx and the hub's client are imported by the modules that need them, never here: the base install has none.
"""
