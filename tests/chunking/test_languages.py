"""Language detection."""

from __future__ import annotations

import pytest

from retrieval.chunking import language_of


@pytest.mark.parametrize(
    ("path", "first_line", "language"),
    [
        ("src/a.py", "", "python"),
        ("a.PY", "", "python"),
        ("a.d.ts", "", "typescript"),
        ("a.tsx", "", "tsx"),
        ("a.h", "#pragma once", "c"),
        ("a.h", "//  -*- C++ -*-", "cpp"),
        ("Makefile", "", "make"),
        ("docker/Dockerfile", "", "dockerfile"),
        ("Dockerfile.dev", "", "dockerfile"),
        ("CMakeLists.txt", "", "cmake"),
        ("Rakefile", "", "ruby"),
        ("go.mod", "", "gomod"),
        ("bin/run", "#!/usr/bin/env python3", "python"),
        ("bin/run", "#!/bin/sh -e", "bash"),
        ("bin/run", "#!/usr/bin/env -S node --flag", "javascript"),
        ("bin/run", "#!/usr/local/bin/ruby2.7", "ruby"),
        ("bin/run", "#!/usr/bin/env bats", "bash"),
        ("bin/run", "#!/opt/own/thing", "code"),
        ("run.sh", "#!/usr/bin/env python3", "bash"),
        ("page", "<?xml version='1.0'?>", "xml"),
        (".bashrc", "", "bash"),
        (".py", "", "text"),
        ("README", "", "text"),
        ("a.unknown", "", "text"),
        ("", "", "text"),
    ],
)
def test_name_ending_and_first_line_determine_the_language(path: str, first_line: str, language: str) -> None:
    assert language_of(path, first_line) == language
