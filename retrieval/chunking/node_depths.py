"""How deep a text is nested at each of its lines: where it can be cut without tearing syntax apart."""

from __future__ import annotations

from retrieval.chunking.parsing import parse


def node_depths(language: str, text: str, count: int) -> list[int] | None:
    """For each boundary before one of `count` lines and after the last, the number of syntax nodes that span it; None without a
    grammar.
    """
    root = parse(language, text.encode("utf-8", "replace"))
    if root is None:
        return None
    depths = [0] * (count + 1)
    nodes = [root]
    while nodes:
        node = nodes.pop()
        first, last = node.start_point[0], node.end_point[0] - (node.end_point[1] == 0)
        if last > first:
            depths[first + 1] += 1
            depths[min(last + 1, count)] -= 1
            nodes.extend(node.children)
    for n in range(1, len(depths)):  # prefix sums
        depths[n] += depths[n - 1]
    return depths
