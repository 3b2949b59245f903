"""Which files are tests, by their paths."""

from __future__ import annotations

import re

# Folders, then file names: Python, JavaScript, Go, Ruby, Java, .NET, Swift, Perl, R, Erlang, C and others name tests their own way.
_TEST = re.compile(
    r"(^|/)([Tt]ests?|[Tt]esting|testing_utils|test[-_]?utils?|__tests__|__specs__|[Ss]pecs?|testdata|test[-_]data|testsuites?|"
    r"test[-_]suites?|testthat|unit[-_]?tests?|fixtures|e2e|cypress|playwright|benchmarks?|mocks?|__mocks__|x?t|"
    r"[A-Za-z0-9]*(Unit|Integration|Functional|Acceptance|UI|Ui|E2E)?Tests|[\w.]+\.([A-Za-z]*Tests?|Specs?)|step_definitions)/"
    r"|(^|/)src/([a-z]\w*(Test|Tests|Fixtures|Spec)|test[A-Z]\w*|it)/"
    r"|(^|/)(test[_-][^/]*|tests?|specs?|conftest)\.(py|pyi|rs|rb|c|cc|cpp|cxx|h|hpp|js|mjs|cjs|ts|mts|jsx|tsx|lua|php|r|R|jl|exs?|ml|"
    r"nim|zig|d|cr|m|sh|bats|el|clj|cljs|go|swift|dart|f90|pl)$"
    r"|[._-](test|tests|spec|specs|bench|cy|e2e|it)\.[^/.]+$|_(test|tests|unittest|unittests|spec|specs)\.[^/.]+$"
    r"|[a-z0-9](Test|Tests|TestCase|Spec|Specs|IT|ITCase|UITests)\.[^/.]+$|(^|/)Test[A-Z]\w*\.(java|kt|kts|groovy|scala|hs|php|cs)$"
    r"|_SUITE\.erl$|\.(t|bats|feature|cy)$",
)


def is_test(path: str) -> bool:
    """Whether a path is that of a test, or of what tests need."""
    return bool(_TEST.search(path))
