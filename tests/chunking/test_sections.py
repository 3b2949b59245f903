"""Prose by heading."""

from __future__ import annotations

from retrieval.chunking import chunk_file

WORDS = "Some words that say what this part is about, at some length, so that it can stand alone.\n" * 4


def found(path: str, text: str) -> list[str]:
    return [f"{chunk.qualified} {chunk.start_line}-{chunk.end_line}" for chunk in chunk_file(path, text)]


def test_markdown_sections_have_the_headings_above_as_scope() -> None:
    text = f"# Title\n\n{WORDS}\n## First part\n\n{WORDS}\n### `deep` [link](x) #\n\n{WORDS}\n## Second\n\n{WORDS}"
    assert found("a.md", text) == [
        "Title 1-6",
        "Title.First part 8-13",
        "Title.First part.deep link 15-20",
        "Title.Second 22-27",
    ]


def test_underlined_headings_count_and_tables_do_not() -> None:
    text = f"Title\n=====\n\n{WORDS}\nPart\n---\n\n{WORDS}\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{WORDS}\n---\n\n{WORDS}"
    assert [name.rpartition(" ")[0] for name in found("a.md", text)] == ["Title", "Title.Part"]


def test_headings_in_fenced_code_are_code() -> None:
    text = f"# Title\n\n{WORDS}\n```sh\n# no heading\n~~~\n```\n\n````\n```\n# neither\n````\n\n## Part\n\n{WORDS}"
    assert [name.rpartition(" ")[0] for name in found("a.md", text)] == ["Title", "Title.Part"]


def test_front_matter_is_not_a_heading() -> None:
    assert [name.rpartition(" ")[0] for name in found("a.md", f"---\ntitle: x\n---\n\n# Title\n\n{WORDS}")] == ["Title"]


def test_a_heading_with_nothing_below_joins_the_next_section() -> None:
    assert found("a.md", f"# Title\n\n## Part\n\n{WORDS}") == ["Title.Part 1-8"]


def test_long_sections_are_split_at_paragraphs() -> None:
    chunks = chunk_file("a.md", "# Title\n\n" + (WORDS + "\n") * 12)
    assert len(chunks) > 2
    assert {chunk.symbol for chunk in chunks} == {"Title"}
    assert all(chunk.text.startswith(("# Title", "Some words")) for chunk in chunks)


def test_restructured_text_has_levels_by_underline() -> None:
    text = f"=====\nTitle\n=====\n\n{WORDS}\nPart\n----\n\n{WORDS}\nDeep\n~~~~\n\n{WORDS}\nOther\n-----\n\n{WORDS}"
    assert [name.rpartition(" ")[0] for name in found("a.rst", text)] == [
        "Title",
        "Title.Part",
        "Title.Part.Deep",
        "Title.Other",
    ]


def test_plain_text_is_split_at_paragraphs() -> None:
    chunks = chunk_file("notes.txt", (WORDS + "\n") * 12)
    assert {chunk.kind for chunk in chunks} == {"section"}
    assert all(chunk.text.startswith("Some words") for chunk in chunks)


def test_definitions_by_pattern_end_before_the_next_block() -> None:
    body = "".join(f"  set(value_{n} compute_{n})\n" for n in range(14))
    text = f"project(x)\n\n# makes it\nfunction(make_it name)\n{body}endfunction()\n\nset(OTHER 1)\n{body}"
    chunks = chunk_file("a.cmake", text)
    assert [(chunk.kind, chunk.symbol) for chunk in chunks] == [("function", "make_it"), ("block", "")]
