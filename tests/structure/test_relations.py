"""Callers, callees and references in a small project of several languages, and how certain they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from retrieval.encoders.token_overlap import OverlapEncoder
from retrieval.engine import Workspace
from retrieval.errors import QueryError
from retrieval.structure import Relation, SymbolAnswer, SymbolRequest
from retrieval.structure.modules import module_match
from retrieval.types import Filters, Location

PROJECT = {
    "shop/store.py": "LIMIT = 3\n\n\nclass Store:\n    def save(self, item):\n"
    "        self.check(item)\n        encode(item)\n\n"
    "    def check(self, item):\n        return item\n\n\ndef encode(item):\n    return item\n",
    "shop/__init__.py": "from shop.store import Store\n",
    "app.py": "from shop import Store\nfrom shop.store import encode as pack, LIMIT\nimport json\n\n\n"
    "def run(store):\n    pack(LIMIT)\n    store.save(1)\n    json.encode(2)\n    Store().save(3)\n    return helper()\n\n\n"
    "def helper():\n    return Store()\n",
    "other.py": "def encode(x):\n    return x\n\n\ndef unrelated():\n    encode(1)\n    # a Store is mentioned\n",
    "web/list.ts": "import {draw} from './draw';\nexport function list() { draw(1); return Draw(); }\n",
    "web/draw.ts": "export function draw(x: number) { return x; }\n",
    "core/a.go": "package core\n\nfunc Push() { wake() }\n",
    "core/b.go": "package core\n\nfunc wake() {}\n",
    "core/sub/c.go": 'package sub\n\nimport "x.org/y/core"\n\nfunc Go() { core.Push() }\n',
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root, cache = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("cache")
    for path, text in PROJECT.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with Workspace.open(root, encoder=OverlapEncoder(), cache_dir=cache) as workspace:
        workspace.refresh()
        yield workspace


def ask(workspace: Workspace, relation: Relation, symbol: str, **more: object) -> SymbolAnswer:
    return workspace.symbols.relate(SymbolRequest(relation, symbol, **more))  # type: ignore[arg-type]


def shown(answer: SymbolAnswer) -> list[str]:
    return [f"{u.path}:{u.line} {u.certainty} {u.symbol}" for u in answer.usages]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("shop.store.encode", []),  # a scope is one of names in the file, not of folders
        ("encode", ["app.py:7 certain run", "other.py:6 certain unrelated", "shop/store.py:7 certain Store.save"]),
        ("Store.check", ["shop/store.py:6 certain Store.save"]),
        ("Store.save", ["app.py:8 likely run", "app.py:10 likely run"]),
        ("Store", ["app.py:10 certain run", "app.py:15 certain helper"]),
        ("helper", ["app.py:11 certain run"]),
        ("draw", ["web/list.ts:2 certain list"]),
        ("wake", ["core/a.go:3 certain Push"]),
        ("Push", ["core/sub/c.go:5 certain Go"]),
        ("run()", []),
    ],
)
def test_callers_say_how_certain_they_are(workspace: Workspace, symbol: str, expected: list[str]) -> None:
    assert shown(ask(workspace, "callers", symbol)) == expected


def test_one_of_several_definitions_is_chosen_by_its_place(workspace: Workspace) -> None:
    at = Location("shop/store.py", 14, 14)
    assert shown(ask(workspace, "callers", "", location=at)) == [
        "app.py:7 certain run",
        "shop/store.py:7 certain Store.save",
    ]


def test_callees_are_where_they_are_defined_and_the_rest_is_named(workspace: Workspace) -> None:
    answer = ask(workspace, "callees", "run")
    assert [(u.path, u.symbol, u.certainty, u.calls) for u in answer.usages] == [
        ("shop/store.py", "encode", "certain", (7,)),
        ("shop/store.py", "Store", "certain", (10,)),
        ("app.py", "helper", "certain", (11,)),
        ("shop/store.py", "Store.save", "likely", (8, 10)),
    ]
    assert answer.unresolved == ("encode",)  # that of json
    assert answer.usages[0].text == "def encode(item):"


def test_references_are_definitions_calls_imports_and_mentions(workspace: Workspace) -> None:
    answer = ask(workspace, "references", "Store")
    assert [(u.path, u.line, u.kind, u.certainty) for u in answer.usages] == [
        ("app.py", 1, "import", "certain"),
        ("app.py", 10, "call", "certain"),
        ("app.py", 15, "call", "certain"),
        ("shop/__init__.py", 1, "import", "certain"),
        ("shop/store.py", 4, "definition", "certain"),
        ("other.py", 7, "mention", "by name"),
    ]
    assert {u.line for u in ask(workspace, "references", "LIMIT").usages if u.path == "app.py"} == {2, 7}


def test_filters_and_limit_count(workspace: Workspace) -> None:
    answer = ask(workspace, "callers", "encode", filters=Filters(paths=("!app.py",)), limit=1)
    assert shown(answer) == ["other.py:6 certain unrelated"] and answer.total == 2
    assert not ask(workspace, "callers", "encode", filters=Filters(languages=("go",))).usages


def test_an_unknown_name_has_names_like_it(workspace: Workspace) -> None:
    for unknown, near in (("Stroe", "Store"), ("un_related", "unrelated"), ("Helper", "helper")):
        answer = ask(workspace, "callers", unknown)
        assert not answer.definitions and near in answer.near, unknown


@pytest.mark.parametrize("symbol", ["", "  ", "two words", "..", "::", "()"])
def test_what_is_no_name_is_refused(workspace: Workspace, symbol: str) -> None:
    with pytest.raises(QueryError, match="not a symbol"):
        ask(workspace, "callers", symbol)


@pytest.mark.parametrize("place", [Location("app.py", 4, 4), Location("none.py", 1, 1)])
def test_a_place_without_a_definition_is_refused(workspace: Workspace, place: Location) -> None:
    with pytest.raises(QueryError, match=r"defined around|not indexed"):
        ask(workspace, "callers", "", location=place)


def test_an_open_buffer_answers_with_its_present_text(workspace: Workspace) -> None:
    text = "from shop.store import encode\n\n\ndef added():\n    encode(1)\n"
    workspace.set_buffer("other.py", text)
    try:
        assert shown(ask(workspace, "callers", "encode")) == [
            "app.py:7 certain run",
            "other.py:5 certain added",
            "shop/store.py:7 certain Store.save",
        ]
        assert not ask(workspace, "callers", "unrelated").definitions
        assert ask(workspace, "callees", "added").usages[0].path == "shop/store.py"
    finally:
        workspace.close_buffer("other.py")
    assert ask(workspace, "callers", "unrelated").definitions


@pytest.mark.parametrize(
    ("module", "original", "importer", "path", "expected"),
    [
        ("shop/store", "f", "app.py", "src/shop/store.py", "exact"),
        ("shop", "store", "app.py", "shop/store.py", "exact"),
        ("shop", "f", "app.py", "shop/inner/store.py", "package"),
        ("./", "f", "shop/a.py", "shop/__init__.py", "exact"),
        ("./../b", "f", "shop/in/a.py", "shop/b.py", "exact"),
        ("./b", "f", "web/a.ts", "other/b.ts", ""),
        ("./b.js", "f", "web/a.ts", "web/b.ts", "exact"),
        ("json", "", "app.py", "shop/store.py", ""),
        ("github.com/x/y/core", "", "m.go", "core/q.go", "exact"),
        ("com/x/Foo", "bar", "A.java", "src/main/java/com/x/Foo.java", "exact"),
        ("queue.h", "", "a.c", "src/queue.c", "exact"),
    ],
)
def test_an_import_names_files(module: str, original: str, importer: str, path: str, expected: str) -> None:
    language = {"py": "python", "ts": "typescript", "go": "go", "java": "java", "c": "c"}[path.rpartition(".")[2]]
    assert module_match(module, original, importer, path, language) == expected
