"""What each language's files define, call and import: one small file a language."""

from __future__ import annotations

import pytest

from retrieval.chunking.chunker import chunks_of
from retrieval.chunking.structure import FileStructure, extraction, name_rows, pack, read_row, unpack
from retrieval.chunking.structure.call_tables import CALLS
from retrieval.chunking.structure.imports import imports_of


def structure_of(path: str, text: str) -> FileStructure:
    structure = FileStructure()
    chunks_of(path, text, structure=structure)
    return structure


def shown(structure: FileStructure) -> tuple[str, str, str]:
    """Definitions; calls as `around -> before.name`; imports as `name of module`."""
    names = ["", *(d.qualified for d in structure.definitions)]
    calls = [
        f"{names[use.owner + 1]}>{use.qualifier + '.' if use.qualifier else ''}{use.name}"
        for use in structure.uses
        if use.kind == "call"
    ]
    imports = [f"{use.name}<{use.module}" for use in structure.uses if use.kind == "import"]
    defined = [f"{d.kind} {d.qualified}" for d in structure.definitions]
    return ", ".join(defined), " ".join(calls), " ".join([*imports, *(f"*<{one}" for one in structure.wildcards)])


# path: text, definitions, calls, imports
CASES: dict[str, tuple[str, str, str, str]] = {
    "a.py": (
        "import a.b as c\nfrom . import d\nfrom .e import (f as g, h)\nclass A(B):\n    @deco\n    def m(self):\n"
        "        g(1)\n        self.x.y()\n        make().z()\n        def inner(): h()\nfast = lambda: c.go()\n",
        "class A, method A.m, function A.m.inner, function fast",
        "A>deco A.m>f A.m>self.x.y A.m>?.z A.m>make A.m.inner>h fast>c.go",
        "b<a/b d<./ f<./e h<./e",
    ),
    "a.tsx": (
        "import a, {b as c} from './x';\nimport * as n from 'y';\nexport const F = () => { c(1); n.q(); };\n"
        "class K { run() { this.go(); new Foo(2); return <Bar><div/></Bar>; } }\n",
        "function F, class K, method K.run",
        "F>b F>n.q K.run>this.go K.run>Foo K.run>Bar",
        "b<./x y<y",
    ),
    "a.js": (
        "const {one, two: three} = require('./m');\nfunction f() { one(); three(); obj?.go(); }\n",
        "function f",
        ">require f>one f>two f>obj.go",
        "one<./m two<./m",
    ),
    "a.go": (
        'package a\nimport (\n "x/y"\n z "q/w/v2"\n)\ntype T struct{}\nfunc (t *T) Run() { g(1); y.H(); z.K(); t.s.b(); T{} }\n',
        "class T, method T.Run",
        "T.Run>g T.Run>y.H T.Run>z.K T.Run>t.s.b T.Run>T",
        "y<x/y v2<q/w/v2",
    ),
    "a.rs": (
        "use a::b::{c, d as e};\nuse super::*;\nstruct S;\nimpl S { fn f(&self) { e(1); self.h(); S::k(); v!(1); g::<T>(2); } }\n",
        "class S, method S.f",
        "S.f>d S.f>self.h S.f>S.k S.f>v S.f>g",
        "c<a/b d<a/b *<./",
    ),
    "A.java": (
        "import a.b.C;\nimport a.c.*;\nclass A { void f() { g(1); x.h(); new Foo<String>(2); this.k(); } }\n",
        "class A, method A.f",
        "A.f>g A.f>x.h A.f>Foo A.f>this.k",
        "C<a/b *<a/c",
    ),
    "a.c": (
        '#include "a.h"\nstatic int f(void) { g(1); x.h(); return p->k(); }\n',
        "function f",
        "f>g f>x.h f>p.k",
        "*<a.h",
    ),
    "a.cpp": (
        "#include <v>\nclass A { void in() { b(); } };\nvoid A::f() { x.h(); p->k(); A::b(); new Foo(2); t<int>(3); }\n",
        "class A, method A.in, method A.f",
        "A.in>b A.f>x.h A.f>p.k A.f>A.b A.f>Foo A.f>t",
        "*<v",
    ),
    "a.cs": (
        "using A.B; using C = D.E; class A { void F() { G(1); x.H(); new Foo(2); this.K<int>(3); a?.B(); } }\n",
        "class A, method A.F",
        "A.F>G A.F>x.H A.F>Foo A.F>this.K A.F>a.B",
        "E<D *<A/B",
    ),
    "a.rb": (
        "class A\n  def f\n    g(1)\n    x.h\n    Foo.new(2)\n    self.k(1)\n  end\nend\n",
        "class A, method A.f",
        "A.f>g A.f>x.h A.f>Foo A.f>self.k",
        "",
    ),
    "a.php": (
        "<?php\nuse A\\B as C;\nclass K { function f() { g(1); $x->h(); new Foo(2); A::k(); $this->z(); } }\n",
        "class K, method K.f",
        "K.f>g K.f>$x.h K.f>Foo K.f>A.k K.f>$this.z",
        "B<A",
    ),
    "a.kt": (
        "import a.b.C\nimport a.b.D as E\nclass A { fun f() { g(1); x.h(); Foo(2); this.k { } } }\n",
        "class A, method A.f",
        "A.f>g A.f>x.h A.f>Foo A.f>this.k",
        "C<a/b D<a/b",
    ),
    "a.swift": (
        "import Foo\nclass A { func f() { g(1); x.h(); self.k { } } }\n",
        "class A, method A.f",
        "A.f>g A.f>x.h A.f>self.k",
        "*<Foo",
    ),
    "a.scala": (
        "import a.b.{C, D => E}\nclass A { def f() = { g(1); x.h(); new Foo(2) } }\n",
        "class A, method A.f",
        "A.f>g A.f>x.h A.f>Foo",
        "C<a/b D<a/b",
    ),
    "a.lua": (
        "local m = require('a.b')\nlocal function f() g(1) m.h() x:i() end\n",
        "function f",
        "f>g f>m.h f>x.i",
        "b<a/b",
    ),
    "a.ex": (
        "defmodule A do\n  def f(x) do\n    g(x)\n    D.h(x)\n    x |> k()\n  end\nend\n",
        "class A, method A.f",
        "A.f>g A.f>D.h A.f>k",
        "",
    ),
    "a.dart": ("import 'a.dart';\nvoid f() { g(1); x.h(); }\n", "function f", "f>g f>x.h", "*<a.dart"),
    "a.zig": ("fn f() void { g(1); x.h(); }\n", "function f", "f>g f>x.h", ""),
    "a.sh": ("f() { g 1; }\n", "function f", "f>g", ""),
    "a.jl": ("function f(x)\n  g(x)\n  A.h(x)\nend\n", "function f", "f>g f>A.h", ""),
    "a.ml": ("let f x = g x\n", "function f", "f>g", ""),
    "a.sol": ("contract A { function f() public { g(1); x.h(); } }\n", "class A, method A.f", "A.f>g A.f>x.h", ""),
    "a.m": ("@implementation A\n- (void)f { g(1); [self h:1]; }\n@end\n", "class A, method A.f", "A.f>g A.f>h", ""),
    "a.vue": (
        "<template><p/></template>\n<script>\nimport {b} from './b';\nfunction f() { b(); }\n</script>\n",
        "function f",
        "f>b",
        "b<./b",
    ),
}


@pytest.mark.parametrize("path", CASES)
def test_a_language_names_what_it_defines_calls_and_imports(path: str) -> None:
    text, *expected = CASES[path]
    structure = structure_of(path, text)
    assert list(shown(structure)) == expected
    assert unpack(pack(structure)) == structure


@pytest.mark.parametrize("language", CALLS)
def test_every_table_of_calls_fits_its_grammar(language: str) -> None:
    assert extraction._query(language) is not None


def test_lines_are_those_of_the_file() -> None:
    structure = structure_of(
        "a.vue", "<template>\n</template>\n<script>\n\n// é\nfunction f() {\n  g(1);\n}\n</script>\n"
    )
    (definition,) = structure.definitions
    assert (definition.first, definition.last, definition.line) == (6, 8, 6)
    assert [use.line for use in structure.uses] == [7]


def test_a_row_of_a_name_says_what_is_around_each_use() -> None:
    rows = {
        name: row
        for name, *row in name_rows(structure_of("a.py", "from x import *\nclass A:\n    def f(self):\n        f()\n"))
    }
    count, data = rows["f"]
    definitions, mentions = read_row("f", data)
    assert count == len(definitions) == 1 and definitions[0].qualified == "A.f"
    assert [(m.line, m.around, m.first, m.last, m.module) for m in mentions] == [(4, "A.f", 3, 4, "*")]


def test_what_one_file_may_hold_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "MAX_DEFINITIONS", 3)
    monkeypatch.setattr(extraction, "MAX_USES", 5)
    structure = structure_of("a.py", "".join(f"import m{n}\ndef f{n}():\n    g(h({n}))\n" for n in range(20)))
    assert len(structure.definitions) == 3 and len(structure.uses) == 5
    long_name = "f" * 500
    assert structure_of("a.py", f"{long_name}()\n").uses == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "from"),
        ("python", "import ,,,"),
        ("rust", "use a::{b, {{{{{{{{{{{{c}}}}}}}}}}}};"),
        ("javascript", "import {a as b as c, } from"),
        ("java", "import a b c;"),
        ("go", '"'),
        ("typescript", "import x from 'a\tb'"),
    ],
)
def test_an_import_that_is_none_binds_nothing(language: str, text: str) -> None:
    assert all("\t" not in "".join(one) and one.name for one in imports_of(language, text))
