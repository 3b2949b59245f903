"""Languages that share a file ending, told apart by their content; prose told from code."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunk_file, language_of
from retrieval.chunking.languages import LANGUAGES, named
from retrieval.chunking.shared_endings import (
    LINE_CHARS,
    RULES,
    SAMPLE_CHARS,
    is_prose,
    shared_language,
    without_comments,
)

CASES = [
    ("a.h", "#pragma once\n\nint add(int a, int b);\n", "c"),
    ("a.h", "/* a class of numbers; namespace std::x */\n// template <class T>\nstruct point { int x; };\n", "c"),
    ("a.h", '#include <stdio.h>\n#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n', "c"),
    ("a.h", "/* license */\nclass API_EXPORT Till final : public Base {\n  int a;\n};\n", "cpp"),
    ("a.h", "#include <vector>\nextern int a;\n", "cpp"),
    ("a.h", "typedef int x;\ninline auto f(std::string s);\n", "cpp"),
    ("a.h", "namespace shop {\nint f();\n}\n", "cpp"),
    ("a.h", "#import <Foundation/Foundation.h>\nextern NSString *name;\n", "objc"),
    ("a.h", "NS_ASSUME_NONNULL_BEGIN\n@protocol Playable\n- (void)pause;\n@end\n", "objc"),
    ("a.h", "// vim: set ft=cpp:\nint f();\n", "cpp"),
    ("a.m", "function y = fit(x)\n% doc\ny = x;\nend\n", "matlab"),
    ("a.m", "x = [1 2 3];\nplot(x)\n", "matlab"),
    ("a.m", "#include <stdio.h>\nint main() { return 0; }\n", "objc"),
    ("a.m", "@implementation A\n- (int)f { return 1; }\n@end\n", "objc"),
    ("a.m", ":- module a.\n:- interface.\n:- pred main(io::di, io::uo) is det.\n", "mercury"),
    ("a.m", '(* package *)\nBeginPackage["A`"]\nf[x_] := x + 1\n', "mathematica"),
    ("a.v", "module adder(input a, output s);\nassign s = a;\nendmodule\n", "verilog"),
    ("a.v", "Require Import Arith.\nTheorem a : 1 = 1.\nProof. reflexivity. Qed.\n", "coq"),
    ("a.v", "module main\n\nfn main() {\n\tprintln('a')\n}\n", "v"),
    ("a.pl", "use strict;\nmy $a = 1;\n", "perl"),
    ("a.pl", ":- module(a, [b/1]).\nb(X) :- c(X).\n", "prolog"),
    ("a.pl", "likes(mary, wine).\nlikes(john, X) :- likes(mary, X).\n", "prolog"),
    ("a.pl", "#!/usr/bin/env swipl\n:- initialization(main).\n", "prolog"),
    ("a.cls", "\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{a}\n", "tex"),
    ("a.cls", "public with sharing class A {\n}\n", "apex"),
    ("a.cls", 'VERSION 1.0 CLASS\nAttribute VB_Name = "A"\nPublic Sub F()\nEnd Sub\n', "vb"),
    ("a.cl", "(defun f (x) x)\n", "lisp"),
    ("a.cl", "__kernel void f(__global float *a) { }\n", "opencl"),
    ("a.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS/>\n', "xml"),
    ("a.ts", "export const a: number = 1;\n", "typescript"),
    ("a.tsx", "export const A = () => <b/>;\n", "tsx"),
    ("a.inc", "<?php\nfunction f() {}\n", "php"),
    ("a.inc", "#define A 1\nstatic int f(int a) { return a; }\n", "c"),
    ("a.inc", 'SUMMARY = "a"\ninherit cmake\n', "bitbake"),
    ("a.inc", "procedure Go;\nbegin\nend;\n", "pascal"),
    ("a.pro", "QT += core gui\nSOURCES = main.cpp\n", "qmake"),
    ("a.pro", "f(X) :- g(X).\n", "prolog"),
    ("a.pro", "pro plot_it, x\n  plot, x\nend\n", "idl"),
    ("a.fs", "module A\nlet f x = x + 1\n", "fsharp"),
    ("a.fs", "#version 330\nvoid main() { gl_FragColor = vec4(1.0); }\n", "glsl"),
    ("a.fs", ": square ( n -- n ) dup * ;\n", "forth"),
    ("a.d", "import std.stdio;\nvoid main() {}\n", "d"),
    ("a.d", "out/main.o: src/main.c include/a.h\n", "make"),
    ("a.pp", "class ntp { package { 'ntp': ensure => present } }\n", "puppet"),
    ("a.pp", "unit A;\ninterface\nimplementation\nend.\n", "pascal"),
    ("a.sc", "object A extends App { println(1) }\n", "scala"),
    ("a.ml", "let f x = x + 1\n", "ocaml"),
    ("a.ml", "structure A = struct\n  fun f x = x\nend\n", "sml"),
    ("a.rs", "fn main() {}\n", "rust"),
    ("a.t", "use Test::More;\nok(1);\n", "perl"),
    ("a.r", "f <- function(x) x\n", "r"),
    ("old.cgi", "#!/usr/bin/perl -w\nprint 1;\n", "perl"),
    ("a.py", "# -*- coding: utf-8 -*-\nx = 1\n", "python"),
    ("script", "# -*- mode: ruby -*-\nputs 1\n", "ruby"),
    ("script", "x = 1\n" * 30 + "# vim: ts=4 ft=python\n", "python"),
    ("config.h.in", '#cmakedefine A\n#define B "@B@"\n', "c"),
    ("settings.yml.example", "a: 1\n", "yaml"),
    ("a.coffee", "f = (x) -> x\n", "coffeescript"),
    ("a.vala", "void main () { }\n", "vala"),
    ("a.strange", "func go(a) {\n  return a + 1;\n}\n", "code"),
    ("a.strange", "This is a note about the shop. It has sentences, with commas.\nAnd another line of it.\n", "text"),
    ("INSTALL", "Run the installer, then read the rest of this page.\n", "text"),
    ("a.log", "x = f(1);\n", "text"),
]


@pytest.mark.parametrize(("path", "text", "language"), CASES)
def test_the_content_decides_between_languages_that_share_an_ending(path: str, text: str, language: str) -> None:
    assert language_of(path, text) == language
    assert language_of(path, text.replace("\n", "\r\n")) == language


def test_every_language_that_the_rules_tell_is_one_that_filters_accept() -> None:
    told = {language for rules in RULES.values() for language, _ in rules} - {""}
    assert {language for language in told if named(language) != language} == set()


def test_only_the_beginning_of_a_file_and_of_each_line_is_read() -> None:
    assert language_of("a.v", "x\n" + " " * LINE_CHARS + "endmodule\nfn main() {\n") == "v"
    assert language_of("a.h", "int a;\n" * SAMPLE_CHARS + "class A {};\n") == "c"
    assert language_of("a.h", "int a;\n" * 100 + "class A {};\n") == "cpp"


def test_comments_go_and_the_rest_stays() -> None:
    assert without_comments("a /* b */ c // d\ne / f /") == "a  c \ne / f /"
    assert without_comments("a /* b") == "a "
    assert without_comments("") == ""


def test_prose_is_told_from_code() -> None:
    assert is_prose("Dear reader,\n\nthis (short) letter is prose - mostly.\n")
    assert is_prose("")
    assert not is_prose("x = 1\ny = f(x)\n")
    assert not is_prose("\n".join(f"go {number};" for number in range(20)))


def test_dialects_are_cut_along_the_syntax_of_their_language() -> None:
    body = "".join(f"    total = total + {number};\n" for number in range(70))
    apex = chunk_file(
        "A.cls",
        f"global with sharing class Till {{\n  global static Decimal totalOf(List<A__c> rows) {{\n{body}  }}\n}}\n",
    )
    assert {"Till", "totalOf"} <= {chunk.symbol for chunk in apex}
    opencl = chunk_file(
        "a.cl", f"int other(int a) {{\n{body}}}\n\n__kernel void scale(__global float* data) {{\n{body}}}\n"
    )
    assert {chunk.symbol for chunk in opencl} == {"other", "scale"}
    cuda = chunk_file(
        "a.cuh",
        f"__device__ __forceinline__ float add(const float* x) {{\n{body}}}\n__global__ void go() {{\n{body}}}\n",
    )
    assert {chunk.symbol for chunk in cuda} == {"add", "go"}


def test_names_of_languages_are_known_to_filters() -> None:
    assert named("coffeescript") == "coffeescript" and named("vala") == "vala" and named(".coffee") == "coffeescript"
    assert named("no such language") is None
    assert {"code", "apex", "opencl", "matlab", "prolog"} <= set(LANGUAGES)


def test_an_ending_of_one_language_needs_no_content() -> None:
    assert shared_language("py", "x") is None


@pytest.mark.parametrize(
    ("path", "beside", "expected"),
    [
        ("a.h", {"cc", "h"}, "cpp"),
        ("a.h", {"m"}, "objc"),
        ("a.h", {"c", "cc"}, "c"),
        ("config.h.in", {"cpp"}, "cpp"),
        ("a.cls", {"bas"}, "vb"),
        ("a.inc", {"php"}, "php"),
        ("a.sc", {"scd"}, "supercollider"),
    ],
)
def test_files_beside_decide_where_the_content_does_not(path: str, beside: set[str], expected: str) -> None:
    assert language_of(path, "x\n", lambda: beside) == expected


def test_the_content_goes_before_the_files_beside() -> None:
    assert language_of("a.h", "namespace shop {\n}\n", lambda: {"c"}) == "cpp"
