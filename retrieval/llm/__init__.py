"""Language models that answer questions: which one a setting names, and its answer as a stream of text.

OpenAI's chat API, which llama.cpp, vLLM, Ollama and most providers speak, and Anthropic's are asked by httpx2, which remote
encoders use already: their own packages add 22 and 75 MB and 1.4 s of CPU to a start. Any other is a llama-index LLM.
"""

from __future__ import annotations

from retrieval.llm.choose import NOT_SET, language_model
from retrieval.llm.types import ChatModel, Message, Role

__all__ = ["NOT_SET", "ChatModel", "Message", "Role", "language_model"]
