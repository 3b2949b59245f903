"""Answers of the kind that the box shows."""

from __future__ import annotations

from retrieval.types import Answer, Chunk, Freshness, Hit


def hit(
    path: str = "src/app.py",
    first: int = 10,
    text: str = "def send(x):\n    return post(x, retry=True)\n",
    name: str = "send",
) -> Hit:
    last = first + text.count("\n") - 1
    chunk = Chunk(path, "python", "function", name, "", first, last, 0, len(text), text)
    return Hit(chunk, first, last, text, 0.5, terms=("retr",))


def answer(*hits: Hit, notes: tuple[str, ...] = (), pending: int = 0) -> Answer:
    return Answer(hits, Freshness(3, 9, pending_files=pending), "c2llm", 0.01, notes)
