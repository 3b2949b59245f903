from __future__ import annotations

import pytest

from retrieval.training.decontamination import ExcludedCode, excluded_names, package_is_excluded, path_is_excluded

BODY = """
def resolve_parameters(values, defaults):
    found = dict(defaults)
    for name, value in values.items():
        if value is not None and name in found:
            found[name] = convert(value, type(found[name]))
    return sorted(found.items(), key=lambda item: item[0].lower())
"""


@pytest.mark.parametrize(
    "package", ["click", "Flask", "flask_login", "pytest-httpx", "ruby-redis", "@trpc/server", "librust-serde-dev"]
)
def test_projects_on_the_list_and_their_companions_are_left_out(package: str) -> None:
    assert package_is_excluded(package)


@pytest.mark.parametrize("package", ["numpy", "clickhouse", "golang-github-docker-docker-dev", "zigzag"])
def test_other_packages_stay(package: str) -> None:
    assert not package_is_excluded(package)


@pytest.mark.parametrize(
    "path", ["pip/_vendor/requests/api.py", "include/fmt/core.h", "lib/axios.js", "deps/libuv-1.44/src/a.c"]
)
def test_vendored_copies_are_left_out_by_their_path(path: str) -> None:
    assert path_is_excluded(path)


def test_a_path_that_only_resembles_one_stays() -> None:
    assert not path_is_excluded("src/requester/clicker.py")


def test_known_code_is_found_however_it_is_laid_out() -> None:
    known = ExcludedCode([BODY * 1])
    assert known.is_copy(BODY.replace("\n    ", "\n\t").upper())
    assert not known.is_copy(
        "def other(a, b):\n    return [transform(x) for x in a if x not in b and x.is_ready() and not x.done]\n"
    )


def test_the_list_is_not_empty() -> None:
    assert {"click", "zod", "nlohmann-json"} <= excluded_names()
