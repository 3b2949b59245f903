"""What counts as almost the same code."""

from __future__ import annotations

import pytest

from retrieval.search.duplicates import MIN_SIMILARITY, similarity

CODE = '''def deliver(letters, post):
    """Bring letters away."""
    sent = []
    for letter in letters:
        if letter.stamp is None:
            raise ValueError("no stamp")
        post.send(letter.address, letter.text)
        sent.append(letter)
    return sent
'''


@pytest.mark.parametrize(
    "other",
    [
        CODE,
        CODE.replace("deliver", "send_all"),
        CODE.replace("    ", "\t").replace("\n", "\r\n"),
        CODE.replace('"""Bring letters away."""', '"""Something else\n    altogether, at length."""'),
        CODE.replace("    sent = []", "    # don't lose any\n    sent = []  "),
        CODE.replace("letter.text)", "letter.body)"),
    ],
    ids=["copy", "renamed", "layout", "docstring", "comment", "one name"],
)
def test_copies_are_alike(other: str) -> None:
    assert similarity(CODE, other) >= MIN_SIMILARITY


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("letter", "parcel").replace("post", "truck").replace("sent", "gone"),
        CODE.replace("raise ValueError", "post.warn").replace("sent.append(letter)", "sent += [letter]").replace(
            "post.send(letter.address, letter.text)", "post.queue(letter)"
        ),
        "",
        "# a comment\n",
        "# a comment\n" + "x = 1\n" * 20,
    ],
    ids=["other names", "other body", "nothing", "comment", "other code"],
)  # fmt: skip
def test_what_only_looks_alike_is_not(other: str) -> None:
    assert similarity(CODE, other) < MIN_SIMILARITY
    assert similarity(other, CODE) == similarity(CODE, other)


@pytest.mark.parametrize("comment", ["# {}", "// {}", "-- {}", ";; {}", "/* {} */"])
def test_code_behind_a_comment_counts(comment: str) -> None:
    said = comment.format("it's said")
    assert similarity(f"a = b(c)\n{said}\nd = e(f)\n", f"a = b(c)\n{said}\ng = h(i) + j(k)\n") < MIN_SIMILARITY
    assert similarity(f"a = b(c)\n{said}\nd = e(f)\n", "a = b(c)\nd = e(f)\n") == 1.0
