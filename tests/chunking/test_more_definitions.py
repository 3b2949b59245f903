"""What the definitions of further grammars are called: one small file a language, every definition opened."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunk_file, outline
from retrieval.chunking.grammars import GRAMMARS, load
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.more_grammars import MORE_GRAMMARS
from retrieval.chunking.split_points import split_points_of

LANGUAGES = {
    "adb": "ada", "dart": "dart", "f90": "fortran", "fs": "fsharp", "gd": "gdscript", "glsl": "glsl", "tf": "hcl", "jl": "julia",
    "m": "matlab", "nix": "nix", "mm": "objc", "ml": "ocaml", "odin": "odin", "ps1": "powershell",
    "sol": "solidity", "bzl": "starlark", "sv": "verilog", "vhd": "vhdl",
}  # fmt: skip

CASES: dict[str, tuple[str, str]] = {
    "a.adb": (
        """
-- c
with Ada.Text_IO;
package body Till is
   -- doc
   function Count (X : Integer) return Integer is
   begin
      return 1;
   end Count;
   procedure Go;
   type T is record A : Integer; end record;
end Till;
procedure Main is
begin
   null;
end Main;
""",
        "class Till, method Till.Count, method Till.Go, class Till.T, function Main",
    ),
    "a.dart": (
        """
// doc
import 'a.dart';
/// A.
@immutable
class Till extends Base with M {
  final int a = 1;
  /// Doc.
  Till(this.a);
  Till.named(this.a) : super();
  factory Till.fromJson(Map m) => Till(1);
  int count(List<int> xs) { return 1; }
  static int get total => 1;
  set total(int v) { }
  Till operator +(Till o) => o;
}
mixin M on Base { void go() {} }
enum Color { red, blue; void f() {} }
extension Ext on String { int twice() => 2; }
typedef F = int Function(int);
int top(int a) { return a; }
int get g => 1;
const x = 3;
""",
        "class Till, method Till.Till, method Till.count, method Till.total, method Till.total, "
        "method Till.+, class M, class Color, class Ext, block F, function top, function g",
    ),
    "a.f90": (
        """
! c
module shapes
  implicit none
  type :: circle
    real :: r
  contains
    procedure :: area
  end type
contains
  ! doc
  function area(c) result(a)
    real :: a
  end function
  subroutine go(x)
  end subroutine go
end module shapes
program main
end program
subroutine solo(a)
end subroutine
""",
        "class shapes, class shapes.circle, method shapes.area, method shapes.go, function main, function solo",
    ),
    "a.fs": (
        """
module Till
type C(a: int) =
  /// doc
  member this.Go(x) = x
  static member Make() = C(1)
  member val P = 1 with get, set
let rec f x = x
let (|Even|Odd|) n = n
""",
        "class Till.C, method Till.C.Go, method Till.C.Make, function Till.f",
    ),
    "a.gd": (
        """
extends Node
class_name Till
# doc
signal done
const A = 1
var b = 2
enum E { X, Y }
func count(x: int) -> int:
	return 1
static func go():
	pass
class Inner:
	func m():
		pass
""",
        "block Till, block Till.done, block Till.A, block Till.b, class Till.E, function Till.count, "
        "function Till.go, class Till.Inner, method Till.Inner.m",
    ),
    "a.glsl": (
        """
#version 330
struct Light { vec3 p; };
uniform mat4 m;
// doc
vec3 shade(vec3 n) { return n; }
void main() { }
""",
        "class Light, block m, function shade, function main",
    ),
    "a.tf": (
        """
# c
resource "aws_s3_bucket" "logs" {
  bucket = "x"
}
variable "region" { default = "x" }
locals { a = 1 }
module "m" { source = "./m" }
""",
        "class aws_s3_bucket.logs, class variable.region, class locals, class module.m",
    ),
    "a.jl": (
        """
\"\"\"
doc
\"\"\"
function area(c::Circle)
  pi
end
f(x) = x + 1
module Shapes
export area
abstract type Shape end
mutable struct Circle{T} <: Shape
  r::T
end
macro twice(e)
  e
end
function Base.show(io::IO, c::Circle) where T
end
const K = 3
end
""",
        "function area, function f, class Shapes, class Shapes.Shape, class Shapes.Circle, "
        "method Shapes.twice, method Shapes.Base.show",
    ),
    "a.m": (
        """
% c
classdef Till < handle
  properties
    a
  end
  methods
    % doc
    function r = count(obj, xs)
      r = 1;
    end
  end
end
function [a, b] = fit(x)
  a = x;
end
""",
        "class Till, method Till.count, function fit",
    ),
    "a.nix": (
        """
# c
{ pkgs ? import <nixpkgs> {} }:
let
  # doc
  build = x: y: x + y;
  b = { a = 1; };
in {
  foo = build 1 2;
  bar.baz = x: x;
}
""",
        "function build, block b, block foo, method bar.baz",
    ),
    "a.mm": (
        """
#import <F/F.h>
/// Plays.
@interface Song : NSObject <P>
@property (nonatomic) NSString *title;
/// doc
- (BOOL)playFrom:(int)start error:(NSError **)e;
+ (instancetype)shared;
@end
@interface Song (Cat)
- (void)x;
@end
@protocol P <NSObject>
- (void)pause;
@end
@implementation Song
{ int a; }
- (BOOL)playFrom:(int)start error:(NSError **)e { return YES; }
+ (instancetype)shared { return nil; }
@end
static int helper(int a) { return a; }
typedef NS_ENUM(NSInteger, Kind) { A, B };
struct s { int a; };
""",
        "class Song, method Song.playFrom, method Song.shared, class Song, method Song.x, class P, "
        "method P.pause, class Song, method Song.playFrom, method Song.shared, function helper, class Kind, "
        "class s",
    ),
    "a.ml": (
        """
(* c *)
open Base
type t = A | B
type 'a tree = Leaf | Node of 'a
(** doc *)
let rec count xs = match xs with [] -> 0 | _ :: t -> 1 + count t
and other x = x
module M = struct
  let f x = x
  module type S = sig val g : int -> int end
end
module type S = sig
  val g : int -> int
end
class point x = object method m = x end
exception E of int
external e : int -> int = "e"
let () = print ()
""",
        "class t, class tree, class M, method M.f, class M.S, class S, class point, block E, block e",
    ),
    "a.odin": (
        """
package a
// doc
Till :: struct { a: int }
Color :: enum { Red }
count :: proc(x: int) -> int { return x }
K :: 3
""",
        "class Till, class Color, function count, block K",
    ),
    "a.ps1": (
        """
<# doc #>
function Get-Till {
  param([int]$a)
  $a
}
filter F { $_ }
class Till : Base {
  [int]$a
  Till([int]$a) { $this.a = $a }
  [int] Count([int]$x) { return 1 }
}
enum Color { Red }
$x = 3
""",
        "function Get-Till, function F, class Till, method Till.Till, method Till.Count, class Color",
    ),
    "a.sol": (
        """
// SPDX
pragma solidity ^0.8.0;
/// @title T
contract Till is Base {
  uint public a;
  event E(uint a);
  struct S { uint a; }
  modifier only() { _; }
  constructor() { }
  /// doc
  function count(uint x) public returns (uint) { return x; }
  receive() external payable {}
}
interface I { function f() external; }
library L { function g() internal {} }
function free(uint a) pure returns (uint) { return a; }
error Bad(uint a);
enum En { A }
""",
        "class Till, class Till.S, method Till.only, method Till.constructor, method Till.count, "
        "method Till.receive, class I, class L, function free, block Bad, class En",
    ),
    "a.bzl": (
        """
# c
load("a", "b")
def _impl(ctx):
    return 1
rule_x = rule(implementation = _impl)
cc_library(
    name = "x",
)
""",
        "function _impl, block rule_x, block cc_library.x",
    ),
    "a.sv": (
        """
module a(x); input x; endmodule
class C; function void go(); endfunction
task automatic t(); endtask
function new(); endfunction
endclass
interface I(input x); endinterface
""",
        "class a, class C, method C.t, class I",
    ),
    "a.vhd": (
        """
-- c
library ieee;
entity adder is
  port (a : in bit; s : out bit);
end entity;
architecture rtl of adder is
  signal x : bit;
  function f(a : bit) return bit is
  begin
    return a;
  end function;
begin
  p: process(a)
  begin
    s <= a;
  end process;
end architecture;
package pk is
  procedure go(a : in bit);
end package;
""",
        "class adder, class rtl, method rtl.f, method rtl.p, class pk, method pk.go",
    ),
}


@pytest.mark.parametrize("path", CASES)
def test_definitions_have_their_names_and_scopes(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "MAX_WHOLE_WEIGHT", 0)
    monkeypatch.setattr(outline, "MIN_SEARCHED_BYTES", 0)
    monkeypatch.setattr(outline, "MIN_SEARCHED_IN_FUNCTION_BYTES", 10**9)
    code, expected = CASES[path]
    language = LANGUAGES[path.rpartition(".")[2]]
    if load(language) is None and GRAMMARS[language].extra:
        pytest.skip(f"needs the extra {GRAMMARS[language].extra}")
    labels = dict.fromkeys(point.label for point in split_points_of(language, LineIndex(code)))
    assert [f"{label.kind} {label.inside}" for label in labels if label.symbol] == expected.split(", ")


def test_there_is_a_case_for_every_further_grammar() -> None:
    assert set(LANGUAGES.values()) == set(MORE_GRAMMARS)


def test_the_body_of_a_dart_function_belongs_to_it() -> None:
    body = "".join(f"  print('a long line of output number {number} of the function');\n" for number in range(80))
    chunks = chunk_file("a.dart", f"int small() => 1;\n\nvoid long(int a) {{\n{body}}}\n\nint other() => 2;\n")
    assert {chunk.symbol for chunk in chunks if chunk.start_line > 4 and chunk.end_line < 84} == {"long"}


def test_the_class_name_of_a_gdscript_file_is_the_scope_of_what_follows() -> None:
    body = "".join(f"\tprint('line {number}')\n" for number in range(60))
    chunks = chunk_file("a.gd", f"class_name Till\nfunc one():\n{body}\nfunc two():\n{body}\n")
    assert {chunk.qualified for chunk in chunks if chunk.symbol} == {"Till", "Till.one", "Till.two"}
