from __future__ import annotations

import pytest

from retrieval.search.path_kinds import kind_of, name_of


@pytest.mark.parametrize(
    ("path", "language", "expected"),
    [
        ("tests/test_app.py", "python", "test"),
        ("src/app.test.ts", "typescript", "test"),
        ("pkg/server_test.go", "go", "test"),
        ("src/test/java/FooTest.java", "java", "test"),
        ("spec/user_spec.rb", "ruby", "test"),
        ("src/click/testing.py", "python", "code"),
        ("src/attestation.py", "python", "code"),
        ("src/latest.py", "python", "code"),
        ("examples/app/main.go", "go", "example"),
        ("types/index.d.ts", "typescript", "declaration"),
        ("pkg/__init__.py", "python", "reexport"),
        ("src/v3/legacy/parse.ts", "typescript", "legacy"),
        ("httpx/_compat.py", "python", "legacy"),
        ("README.md", "markdown", "prose"),
        ("package.json", "json", "data"),
        ("lib/core.py", "python", "code"),
    ],
)
def test_the_kind_of_a_file_shows_in_its_path(path: str, language: str, expected: str) -> None:
    assert kind_of(path, language) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b/session.test.ts", ("session", "a/b")),
        ("a/b/__init__.py", ("b", "a")),
        ("index.js", ("index", "")),
        (".bashrc", (".bashrc", "")),
    ],
)
def test_a_nameless_file_goes_by_its_folder(path: str, expected: tuple[str, str]) -> None:
    assert name_of(path) == expected
