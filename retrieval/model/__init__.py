"""C2LLM: configuration, checkpoints and their download, three implementations of the model, ONNX export, the embedded model.

- c2llm.py, backbone.py: on transformers, padded batches; the reference, for export and adapters
- right_padded.py: the same modules with fused operations, for training
- packed.py, attention.py: packed sequences without padding or transformers, for encoding
Names and shapes of tensors are in tensor_layout.py, files in checkpoint.py, downloads in hub.py.

The modules that need torch, transformers, onnx or huggingface_hub import them, never this file: the base install has none of them.
"""
