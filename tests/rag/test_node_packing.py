"""Nodes of a retriever fitted into a budget."""

from __future__ import annotations

import pytest
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode

from retrieval.errors import QueryError
from retrieval.rag.node_packing import PackingPostprocessor
from retrieval.rag.token_estimate import estimate_tokens


def node(path: str, first: int, lines: list[str], score: float = 0.5) -> NodeWithScore:
    place = {"path": path, "start_line": first, "end_line": first + len(lines) - 1, "language": "python"}
    return NodeWithScore(node=TextNode(text="\n".join(lines), metadata=place), score=score)


LINES = [f"line_{n} = call({n})" for n in range(1, 61)]


def test_lines_that_nodes_share_are_given_once() -> None:
    nodes = [node("a.py", 1, LINES[:20], 0.9), node("a.py", 11, LINES[10:30], 0.7)]
    packed = PackingPostprocessor(budget=4_000).postprocess_nodes(nodes, QueryBundle("call"))
    text = "\n".join(each.node.get_content(MetadataMode.NONE) for each in packed)
    assert [text.count(line) for line in LINES[:30]] == [text.count(f"line_{n} ") for n in range(1, 31)] == [1] * 30
    assert packed[0].score == 0.9
    assert (packed[0].node.metadata["start_line"], packed[-1].node.metadata["end_line"]) == (1, 30)


@pytest.mark.parametrize("budget", [1, 50, 200, 1_000])
def test_the_budget_holds(budget: int) -> None:
    nodes = [node(f"f{n}.py", 1, LINES, 1 / (n + 1)) for n in range(8)]
    packed = PackingPostprocessor(budget=budget).postprocess_nodes(nodes, QueryBundle("call"))
    assert sum(estimate_tokens(each.node.get_content(MetadataMode.NONE)) for each in packed) <= budget
    assert packed or budget < 50


def test_tests_come_last_unless_they_are_asked_for() -> None:
    nodes = [node("tests/test_a.py", 1, LINES[:5], 0.9), node("a.py", 1, LINES[10:15], 0.8)]
    packer = PackingPostprocessor()
    first = packer.postprocess_nodes(nodes, QueryBundle("call"))[0]
    assert first.node.metadata["path"] == "a.py"
    first = packer.postprocess_nodes(nodes, QueryBundle("the test of call"))[0]
    assert first.node.metadata["path"] == "tests/test_a.py"


def test_nodes_without_lines_stay_as_far_as_there_is_room() -> None:
    prose = NodeWithScore(node=TextNode(text="Read this first."), score=0.4)
    long = NodeWithScore(node=TextNode(text="word " * 9_000), score=0.3)
    packed = PackingPostprocessor(budget=500).postprocess_nodes([node("a.py", 1, LINES[:3]), long, prose])
    assert [each.node.get_content(MetadataMode.NONE) for each in packed][1:] == ["Read this first."]


def test_a_budget_below_one_is_an_error_and_settings_are_written_and_read_again() -> None:
    with pytest.raises(QueryError, match="budget"):
        PackingPostprocessor(budget=0).postprocess_nodes([node("a.py", 1, LINES)])
    assert PackingPostprocessor.from_dict(PackingPostprocessor(budget=7).to_dict()).budget == 7
