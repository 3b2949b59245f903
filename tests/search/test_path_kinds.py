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
        ("src/test/java/a/TillIT.java", "java", "test"),
        ("it/TillIT.java", "java", "test"),
        ("a/TestTill.java", "java", "test"),
        ("src/androidTest/java/a/TillAndroid.java", "java", "test"),
        ("src/integrationTest/java/a/TillSuite.java", "java", "test"),
        ("src/testFixtures/java/a/Till.java", "java", "test"),
        ("Tests/TillTests.swift", "swift", "test"),
        ("TillTests/Helpers.swift", "swift", "test"),
        ("TillUITests/Flow.swift", "swift", "test"),
        ("Till.Tests/TillShould.cs", "csharp", "test"),
        ("Till.UnitTests/TillShould.cs", "csharp", "test"),
        ("cypress/till.cy.ts", "typescript", "test"),
        ("web/till.cy.ts", "typescript", "test"),
        ("t/till.t", "perl", "test"),
        ("xt/till.t", "perl", "test"),
        ("__tests__/till.jsx", "javascript", "test"),
        ("testing/till_check.py", "python", "test"),
        ("src/till/tests.rs", "rust", "test"),
        ("app/tests.py", "python", "test"),
        ("test_till.c", "c", "test"),
        ("src/till_unittest.cc", "cpp", "test"),
        ("tests/testthat/test-till.R", "r", "test"),
        ("R/test-till.R", "r", "test"),
        ("apps/till/till_SUITE.erl", "erlang", "test"),
        ("lib/till_test.exs", "elixir", "test"),
        ("src/TillSpec.scala", "scala", "test"),
        ("features/till.feature", "text", "test"),
        ("features/step_definitions/till.rb", "ruby", "test"),
        ("src/contest.py", "python", "code"),
        ("src/Latest.java", "java", "code"),
        ("src/Testament.java", "java", "code"),
        ("src/manifest/reader.go", "go", "code"),
        ("src/request/Audit.java", "java", "code"),
        ("src/it.py", "python", "code"),
        ("src/Inspector.cs", "csharp", "code"),
        ("a/Digit.java", "java", "code"),
        ("lib/fastest.rb", "ruby", "code"),
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


def test_code_in_documents_is_prose_and_markup_in_components_is_code() -> None:
    assert kind_of("README.md", "python") == kind_of("a/guide.MDX", "javascript") == "prose"
    assert kind_of("a/analysis.Rmd", "r") == kind_of("a/notes.ipynb", "python") == "code"
    assert kind_of("a/Till.vue", "html") == kind_of("views/till.erb", "html") == "code"
    assert kind_of("a/till.html", "html") == kind_of("a/Till.vue", "css") == "data"
