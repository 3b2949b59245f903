"""Edits of configuration files keep every byte that they do not mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2llm_lsp.agents import json_format, jsonc, yaml_format
from c2llm_lsp.agents.places import EntryPath
from c2llm_lsp.agents.records import difference, revert

ENTRY = {"command": "/bin/c2llm", "args": ["mcp"]}
MEMBER = EntryPath(("mcpServers", "c2llm"))
ELEMENT = EntryPath(("hooks", "SessionStart"), "/bin/c2llm")

keys = st.sampled_from(["mcpServers", "hooks", "SessionStart", "a", 'q"\\/', "\u00e9 \U0001f600", "// no", "/*"])
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["//", "*/", "}", ",", '"'])
blanks = st.lists(st.sampled_from([" ", "\n", "\t", "\r\n", "/* c */", "// c\n", "/* } , */", '/* " */']), max_size=3)


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> tuple[str, object]:
    """An object as people write it, and what it means."""

    def space() -> str:
        return "".join(draw(blanks))

    members, data = [], {}
    for key in draw(st.lists(keys, max_size=3, unique=True)):
        if depth and (key in ("mcpServers", "hooks") or draw(st.booleans())):
            text, value = draw(objects(depth - 1))
        elif key == "SessionStart":
            items = draw(st.lists(scalars, max_size=2))
            text, value = f"[{','.join(space() + json.dumps(item) + space() for item in items)}{space()}]", items
        else:
            value = draw(scalars)
            text = json.dumps(value, ensure_ascii=draw(st.booleans()))
        members.append(f"{space()}{json.dumps(key)}{space()}:{space()}{text}{space()}")
        data[key] = value
    comma = "," if members and draw(st.booleans()) else ""
    return f"{{{','.join(members)}{comma}{space()}}}", data


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(objects(), st.sampled_from([MEMBER, ELEMENT]), st.sampled_from(["", "// top\n", "\ufeff"]))
def test_an_entry_comes_and_goes_and_all_else_stays(given: tuple[str, object], path: EntryPath, top: str) -> None:
    text, data = f"{top}{given[0]}\n", given[1]
    assert jsonc.parse(text).data == data
    try:
        after = json_format.put(text, path, ENTRY)
    except jsonc.ConfigError:
        return  # a place of another kind
    assert jsonc.parse(after).data == expected(data, path)
    assert json_format.get(after, path) == ENTRY
    edit = difference(text, after)
    assert after.count(edit.after) > 1 or revert(after, edit) == text
    assert text.startswith(text[: text.find(edit.before)])
    without = jsonc.parse(json_format.drop(after, path)).data
    assert pruned(without) == pruned(data)
    assert _comments(after) == _comments(text)
    other = {"command": "other"}
    if not path.marker:
        assert json_format.get(json_format.put(after, path, other), path) == other


def expected(data: object, path: EntryPath) -> object:
    copy = json.loads(json.dumps(data))
    place = copy
    for key in path.keys[:-1]:
        place = place.setdefault(key, {})
    if path.marker:
        place.setdefault(path.keys[-1], []).append(ENTRY)
    else:
        place[path.keys[-1]] = ENTRY
    return copy


def pruned(data: object) -> object:
    """Without what is empty: the places that an entry needed."""
    if not isinstance(data, dict):
        return data
    below = {key: pruned(value) for key, value in data.items()}
    return {key: value for key, value in below.items() if value not in ({}, [])}


def _comments(text: str) -> int:
    return text.count("/* c */") + text.count("// c\n")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[],:"/* \n\\ab1', max_size=40))
def test_garbage_is_refused_or_read_as_json_reads_it(text: str) -> None:
    try:
        read = jsonc.parse(text).data
    except jsonc.ConfigError:
        return
    if "/" not in text and ",}" not in "".join(text.split()) and ",]" not in "".join(text.split()):
        assert read == json.loads(text, strict=False)


names = st.sampled_from(["a", "b-c", "extensions", "read", '"q"'])
values = st.sampled_from(["1", "x y", '"# no"', "|\n    text\n    more", ">-\n    folded", "[1, 2]", "{a: 1}", ""])
notes = st.sampled_from(["", "\n", "# c\n", "\n# c\n\n"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(names, values, notes), max_size=4, unique_by=lambda row: row[0]), st.booleans())
def test_yaml_keeps_its_lines(rows: list[tuple[str, str, str]], ends: bool) -> None:
    text = "".join(f"{note}{name}: {value}\n" for name, value, note in rows if name != "extensions")
    text = text if ends else text.rstrip("\n")
    path = EntryPath(("extensions", "c2llm"))
    after = yaml_format.put(text, path, ENTRY)
    assert yaml_format.get(after, path) == ENTRY
    assert after.startswith(text)
    assert revert(after, difference(text, after)) == text
    assert yaml_format.drop(after, path).startswith(text)
