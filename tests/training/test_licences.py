from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrieval.training.licences import is_permissive, licence_of, licences_of, of_text, read_table, write_table
from tests.training.test_mining import deb, tarball, wheel

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 A
License: Own

Files: src/gnu/* lib/regex.c
Copyright: 2021 B
License: GPL-2+

Files: debian/*
Copyright: 2022 C
License: GPL-3

License: Own
 Redistribution and use in source and binary forms, with or without
 modification, are permitted.

License: GPL-2+
 The GNU General Public License version 2.
"""


@pytest.mark.parametrize(
    "expression",
    [
        "MIT", "MIT License", "Apache-2.0", "Apache License, Version 2.0", "BSD-3-Clause", "3-Clause BSD License", "PSF-2.0",
        "ISC License (ISCL)", "Boost Software License 1.0 (BSL-1.0)", "GPL-2.0 OR MIT", "(MIT or Apache-2.0) and BSD-2-clause",
        "CC0-1.0", "MIT/Apache-2.0", "The Unlicense (Unlicense)", "Expat",
    ],
)  # fmt: skip
def test_permissive_expressions(expression: str) -> None:
    assert is_permissive(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "GPL-3.0",
        "MIT AND GPL-2.0",
        "MPL-2.0",
        "LGPL-2.1 OR EPL-2.0",
        "UNKNOWN",
        "Own",
        "MIT-like but not free",
        "SEE LICENSE IN x",
    ],
)
def test_what_is_not_known_to_be_permissive_is_not(expression: str) -> None:
    assert not is_permissive(expression)


def test_a_text_with_copyleft_in_it_is_no_permissive_text() -> None:
    mit = "Permission is hereby granted, free of charge,\n to any person obtaining a copy"
    assert of_text(mit) == "MIT"
    assert of_text(mit + " Parts are under the GNU General Public License.") == ""


@pytest.mark.parametrize(
    ("metadata", "permissive"),
    [
        ("License-Expression: MIT\nClassifier: License :: OSI Approved :: GNU General Public License (GPL)", True),
        ("Classifier: License :: OSI Approved :: MIT License", True),
        ("Classifier: License :: OSI Approved :: BSD License\nClassifier: License :: Other/Proprietary License", False),
        ("License: Apache 2.0", True),
        ("License: UNKNOWN", False),
        ("Author: nobody", False),
    ],
)
def test_wheels_say_it_in_their_metadata(tmp_path: Path, metadata: str, permissive: bool) -> None:
    path = wheel(tmp_path, "p", {"p-1.0.dist-info/METADATA": f"Name: p\n{metadata}\n\nProse about the GPL"})
    found = licence_of(path)
    assert (found.package, found.version, found.permissive) == ("p", "1.0", permissive)


def test_the_text_decides_where_metadata_say_nothing(tmp_path: Path) -> None:
    text = "Permission is hereby granted, free of charge, to any person obtaining a copy"
    path = wheel(tmp_path, "p", {"p-1.0.dist-info/METADATA": "Name: p\n", "p-1.0.dist-info/licenses/LICENSE": text})
    assert licence_of(path).licence == "MIT"


@pytest.mark.parametrize(
    ("values", "permissive"),
    [
        ({"license": "MIT"}, True),
        ({"licenses": [{"type": "GPL-2.0"}, {"type": "MIT"}]}, True),
        ({"license": "SEE LICENSE IN LICENSE.md"}, False),
        ({}, False),
        ([], False),
    ],
)
def test_npm_packages_say_it_in_package_json(tmp_path: Path, values: object, permissive: bool) -> None:
    path = tmp_path / "p-2.1.0.tgz"
    path.write_bytes(tarball({"package/package.json": json.dumps(values)}))
    found = licence_of(path)
    assert (found.version, found.permissive) == ("2.1.0", permissive)


def test_files_under_another_licence_are_left_out_of_a_debian_package(tmp_path: Path) -> None:
    found = licence_of(deb(tmp_path, "p", {"./usr/share/doc/p/copyright": COPYRIGHT}))
    assert (found.licence, found.permissive, found.refused) == ("Own", True, ("src/gnu/*", "lib/regex.c"))
    assert found.allows("p/src/main.c")
    assert not found.allows("p/src/gnu/list.c")
    assert not found.allows("regex.c")


def test_a_source_package_has_its_copyright_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "p_1.0.orig.tar.gz").write_bytes(tarball({"p-1.0/PKG-INFO": "License: MIT\n\n"}))
    (tmp_path / "p_1.0-1.debian.tar.gz").write_bytes(tarball({"debian/copyright": "Files: *\nLicense: GPL-2\n"}))
    found = licence_of(tmp_path / "p_1.0.orig.tar.gz")
    assert (found.version, found.licence, found.permissive) == ("1.0", "GPL-2", False)


def test_an_archive_that_does_not_unpack_has_no_licence(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    assert not licence_of(tmp_path / "broken-1.0-py3-none-any.whl").permissive


def test_the_table_survives_the_disk_and_saves_reading_again(tmp_path: Path) -> None:
    path = deb(tmp_path, "p", {"./usr/share/doc/p/copyright": COPYRIGHT})
    first = licences_of([path], tmp_path / "licences.tsv", processes=1)
    path.write_bytes(b"gone")
    assert licences_of([path], tmp_path / "licences.tsv", processes=1) == first
    write_table(first, tmp_path / "again.tsv")
    assert read_table(tmp_path / "again.tsv") == first
