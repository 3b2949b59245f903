"""C2LLM: configuration, pooling, backbone, ONNX export, and the embedded model.

Torch is imported by the modules that need it (pooling, backbone, c2llm, export), never here: the base install has none.
"""
