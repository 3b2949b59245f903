"""What is written just so comes first: names, quotations, the few words of a short query."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.encoders import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.search.exact import Literal
from retrieval.search.notes import notes_on
from retrieval.search.query import parse
from retrieval.search.statistics import TermStatistics
from retrieval.types import Answer, SearchRequest

Ask = Callable[[dict[str, str], str], Answer]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """The answer to a query over some files."""

    def answer(files: dict[str, str], query: str, limit: int = 10) -> Answer:
        root = tmp_path / "shop"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
            workspace.refresh()
            return workspace.search(SearchRequest(query, limit=limit))

    return answer


def paths(answer: Answer) -> list[str]:
    return [hit.chunk.path for hit in answer.hits]


NOISE = {
    f"src/{verb}_{noun}.py": f"def {verb}_{noun}(panel, limit):\n    for step in range(limit):\n        {noun}.{verb}(step)\n"
    for verb in ("render", "close", "send")
    for noun in ("panel", "reader", "letter", "grid")
}


@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("panel-render-grid", "web/style.css", ".panel-render-grid {\n  display: grid;\n}\n"),
        ("render.panel.timeout", "conf/app.properties", "render.panel.timeout=30\nrender.panel.colour=blue\n"),
        ("CLOSE-READER-PANEL", "old/PAY.cbl", "       CLOSE-READER-PANEL.\n           ADD 1 TO WS-PAGES.\n"),
        ("E_CLOSE_READER", "docs/errors.md", "# Errors\n\n## E_CLOSE_READER\n\nThe reader was closed.\n"),
        ("sendLetterLimit", "conf/settings.json", '{\n  "sendLetterLimit": 12\n}\n'),
        ("send_letter_token", "tests/test_ci.py", "def test_ci():\n    assert env['send_letter_token']\n"),
    ],
)
def test_a_name_that_stands_in_one_file_is_first_whatever_the_kind_of_file(
    ask: Ask, name: str, path: str, text: str
) -> None:
    answer = ask({**NOISE, path: text}, name)
    assert paths(answer)[0] == path
    assert "exact" in [signal.name for signal in answer.hits[0].signals]


def test_a_definition_comes_before_a_mention_of_its_qualified_name(ask: Ask) -> None:
    files = {
        "client.py": "class Client:\n    def post(self, url):\n        return self.session.request('POST', url)\n",
        "other.py": "class Letter:\n    def post(self, url):\n        return self.office.send(url)\n",
        "notes.md": "# Notes\n\nCall Client.post with an address.\n",
    }
    assert paths(ask(files, "Client.post"))[0] == "client.py"


def test_part_of_a_longer_name_is_no_match() -> None:
    assert stands_in("render", "x.render(y)")
    assert not stands_in("render", "rerender renderer render_all $render")
    assert stands_in("render", "rerender render")
    assert stands_in("last  name was", "the LAST name\n  was changed")
    assert stands_in("größe", "rosa GRÖSSE Größe") and not stands_in("größe", "größer")


def test_a_literal_tells_its_own_case_from_others() -> None:
    assert Literal("maxSize").written_in("a.maxSize")
    assert not Literal("maxSize").written_in("a.maxsize MaxSize maxSizes")


def stands_in(text: str, other: str) -> bool:
    return Literal(text).found_in(other, other.lower())


def test_what_is_quoted_is_in_every_result(ask: Ask) -> None:
    files = {
        "a.py": "def f():\n    # the last name was changed\n    return 1\n",
        "b.py": "def name_was_last(name, last):\n    was = last\n    return name\n",
    }
    answer = ask(files, '"last name was"')
    assert paths(answer) == ["a.py"]
    assert answer.notes == ()
    assert paths(ask(files, "last name was"))[0] == "a.py"


def test_an_answer_says_that_a_quotation_is_nowhere(ask: Ask) -> None:
    answer = ask({"a.py": "def f():\n    return 'name last'\n"}, '"last name"')
    assert paths(answer) == ["a.py"]
    assert answer.notes == ('Nothing contains "last name" as it is written; these results are for its words.',)


def test_quotes_of_code_and_messages_are_no_quotations() -> None:
    assert parse('File "/srv/app.py", line 4, in f').quoted == ()
    assert parse('{"a": 1}').quoted == ()
    assert parse('where is "not found" raised').quoted == ("not found",)
    assert parse("\u201ccurly quotes\u201d").quoted == ("curly quotes",)


def test_a_note_names_the_words_that_are_nowhere_where_no_other_tells_much() -> None:
    statistics = TermStatistics(1_000, {"pars": 500, "quux": 3, "frobnicat": 0})
    assert notes_on(parse("parse frobnicate"), statistics, None) == (
        "No indexed file contains frobnicate; these results are the nearest in meaning.",
    )
    assert notes_on(parse("quux frobnicate"), statistics, None) == ()
    assert notes_on(parse("parse"), statistics, None) == ()


def test_unsaved_text_is_found_as_it_is_written(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "a.py").write_text("def send_letter():\n    return 1\n", encoding="utf-8")
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=tmp_path / "cache") as workspace:
        workspace.refresh()
        workspace.set_buffer("a.py", "def send_letter():\n    # one stamp is missing\n    return 1\n")
        assert paths(workspace.search(SearchRequest('"stamp is missing"'))) == ["a.py"]
        assert workspace.search(SearchRequest('"return 1"')).notes == ()


def test_a_description_that_stands_in_a_test_does_not_put_it_before_the_code(ask: Ask) -> None:
    files = {
        "src/till.py": "def count_coins(till):\n    total = 0\n    for coin in till:\n        total += coin.value\n"
        "    return total\n",
        "tests/test_till.py": "# count coins in the till\ndef test_it():\n    assert count_coins(till()) == 1\n",
    }
    assert paths(ask({**NOISE, **files}, "count coins in the till"))[0] == "src/till.py"
    assert paths(ask({**NOISE, **files}, '"count coins in the till"')) == ["tests/test_till.py"]
