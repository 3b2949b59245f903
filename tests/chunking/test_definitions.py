"""What each grammar's definitions are called: one small file a language, every definition opened."""

from __future__ import annotations

import pytest

from retrieval.chunking import chunker, outline
from retrieval.chunking.line_index import LineIndex
from retrieval.chunking.split_points import split_points_of


def definitions(path: str, code: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(outline, "MAX_WHOLE_WEIGHT", 0)
    monkeypatch.setattr(outline, "MIN_SEARCHED_BYTES", 0)
    monkeypatch.setattr(outline, "MIN_SEARCHED_IN_FUNCTION_BYTES", 10**9)
    split_points = split_points_of(chunker.language_of(path, code.partition("\n")[0]), LineIndex(code))
    labels = list(dict.fromkeys(point.label for point in split_points if point.label.symbol))
    return [f"{label.kind} {label.inside}" for label in labels]


CASES: dict[str, tuple[str, str]] = {
    "a.py": (
        """
import os
LIMIT = 3
@decorated
def top(a):
    return a
class Big(Base):
    field = 1
    def method(self):
        pass
    @property
    async def other(self):
        pass
    class Inner:
        def deep(self): pass
if True:
    def conditional(): pass
double = lambda x: 2 * x
type Alias = int
""",
        "block LIMIT, function top, class Big, method Big.method, method Big.other, class Big.Inner, "
        "method Big.Inner.deep, function conditional, function double, block Alias",
    ),
    "a.js": (
        """
const fs = require('fs');
const arrow = (x) => { return x };
exports.shown = function () { return 1 };
module.exports.other = () => 1;
Router.prototype.use = function use(fn) { return fn };
const api = {
  get() { return 1 },
  post: function () { return 2 },
  put: async () => 3,
};
export default class Widget extends Base {
  static #hidden = 1;
  handle = () => { return 1 };
  constructor() { super() }
  get value() { return 1 }
}
export const later = async function () { return 1 };
function* steps() { yield 1 }
const Memo = memo((one) => { return [
  one.number.0,
  one.number.1,
  one.number.2,
  one.number.3,
  one.number.4,
  one.number.5,
  one.number.6,
  one.number.7,
  one.number.8,
  one.number.9,
  one.number.10,
  one.number.11,
  one.number.12,
  one.number.13,
  one.number.14,
  one.number.15
] });
export const a = 1, b = 2;
""",
        "block fs, function arrow, function shown, function other, method Router.use, block api, function api.get, "
        "function api.post, function api.put, class Widget, method Widget.handle, method Widget.constructor, "
        "method Widget.value, function later, function steps, function Memo",
    ),
    "a.ts": (
        """
export interface Shape { area(): number }
type Pair<T> = [T, T];
export enum Color { Red, Green }
namespace Tools {
  export function helper(): void {}
}
export abstract class Base<T> {
  private count = 1;
  abstract run(): void;
  protected stop = (): void => {};
  close(): void {}
}
export function over(a: string): void;
export function over(a: any) { return a }
declare module "other" {
  function inside(): void;
}
""",
        "class Shape, class Pair, class Color, function Tools.helper, class Base, method Base.stop, method Base.close, "
        "block over, function over, block other.inside",
    ),
    "a.tsx": (
        """
export const Button: React.FC<Props> = ({ label }) => {
  return <button>{label}</button>;
};
export function App() { return <Button label="x" />; }
""",
        "function Button, function App",
    ),
    "a.go": (
        """
package a
type Server struct { port int }
type (
	Reader interface { Read() }
	Writer interface { Write() }
)
const Limit = 1
func (s *Server) Start(port int) error { return nil }
func (l List[T]) Len() int { return 0 }
func New() *Server { return nil }
""",
        "class Server, class Reader, class Writer, block Limit, method Server.Start, method List.Len, function New",
    ),
    "a.rs": (
        """
pub struct Map<K> { key: K }
enum Kind { A, B }
pub trait Walk {
    fn step(&self);
    fn run(&self) { }
}
impl<K> Walk for Map<K> {
    fn step(&self) { }
}
impl Map<u8> {
    pub fn new() -> Self { todo!() }
}
mod inner {
    pub fn hidden() { }
}
macro_rules! make { () => { } }
const MAX: usize = 1;
#[cfg(test)]
mod tests {
    #[test]
    fn works() { }
}
""",
        "class Map, class Kind, class Walk, method Walk.run, method Map.step, method Map.new, function inner.hidden, "
        "function make, block MAX, function tests.works",
    ),
    "a.java": (
        """
package a;
public class Outer<T> extends Base {
    private int field = 1;
    public Outer(int a) { }
    @Override
    public <R> R go() { return null; }
    enum Kind {
        A, B;
        void each() { }
    }
    interface Shape {
        void draw();
    }
    record Point(int x) { }
    @interface Mark { }
}
""",
        "class Outer, method Outer.Outer, method Outer.go, class Outer.Kind, method Outer.Kind.each, "
        "class Outer.Shape, method Outer.Shape.draw, class Outer.Point, class Outer.Mark",
    ),
    "a.c": (
        """
#include <stdio.h>
#define LIMIT 3
#define MAX(a, b) ((a) > (b) ? (a) : (b))
struct point { int x; };
typedef struct { int y; } other_t;
typedef struct node { struct node *next; } node_t;
enum kind { A, B };
static const char *const names[] = { "a", "b" };
static int *find(struct point *p) { return 0; }
int (*choose(int a))(int) { return 0; }
void declared(int a);
#ifdef X
void guarded(void) { }
#endif
""",
        "block LIMIT, block MAX, class point, class other_t, class node, class kind, block names, function find, "
        "function choose, block declared, function guarded",
    ),
    "a.cpp": (
        """
namespace a::b {
template <typename T>
class Box : public Base {
 public:
  explicit Box(int a) { }
  ~Box() { }
  T get() const { return 1; }
  Box& operator=(const Box& other) { return *this; }
};
template <class T>
T Box<T>::put(int a) { return 1; }
using Alias = int;
}
LIB_BEGIN_NAMESPACE
struct Plain { int x; };
extern "C" {
int exported(void) { return 1; }
}
std::string Plain::Inner::name() { return ""; }
""",
        "class a.b.Box, method a.b.Box.Box, method a.b.Box.~Box, method a.b.Box.get, method a.b.Box.operator=, "
        "method a.b.Box.put, block a.b.Alias, class Plain, function exported, method Plain.Inner.name",
    ),
    "a.cs": (
        """
using System;
namespace A.B
{
    [Serializable]
    public class Order : Base
    {
        private int id = 1;
        public int Total { get { return 1; } set { } }
        public Order(int id) { }
        public async Task<int> Load() { return 1; }
        public int this[int i] => 1;
        private enum State { Open }
    }
    interface IShape
    {
        void Draw();
    }
    public record Point(int X);
    struct Size { }
}
""",
        "class A.B.Order, method A.B.Order.Total, method A.B.Order.Order, method A.B.Order.Load, "
        "method A.B.Order.this, class A.B.Order.State, class A.B.IShape, method A.B.IShape.Draw, class A.B.Point, "
        "class A.B.Size",
    ),
    "a.rb": (
        """
require 'set'
module Shop
  class Cart < Base
    LIMIT = 3
    attr_reader :items
    def add(item)
      @items << item
    end
    def self.build(*items)
      new
    end
    class << self
      def open; end
    end
  end
end
def top; end
""",
        "class Shop, class Shop.Cart, method Shop.Cart.add, method Shop.Cart.build, method Shop.Cart.open, "
        "function top",
    ),
    "a.php": (
        """<?php
namespace App\\Http;
use Foo\\Bar;
#[Attribute]
abstract class Handler extends Base
{
    const LIMIT = 1;
    private $x = 1;
    public function handle(Request $r): int { return 1; }
    private static function make() { return 2; }
}
interface Shape {
    public function draw();
}
trait Logs {
    function log() { }
}
enum Suit { case Hearts; }
function helper() { return 1; }
$closure = function () { return 1; };
""",
        "class Handler, method Handler.handle, method Handler.make, class Shape, method Shape.draw, class Logs, "
        "method Logs.log, class Suit, function helper, function closure",
    ),
    "a.kt": (
        """
package a.b
class Account(val id: Int) : Base() {
    val total = 1
    companion object {
        fun create() = Account(1)
    }
    fun pay(amount: Int): Int { return 1 }
}
interface Shape {
    fun draw()
}
object Registry {
    fun find() {}
}
fun String.shout(): String = uppercase()
typealias Name = String
val answer = 42
""",
        "class Account, method Account.create, method Account.pay, class Shape, method Shape.draw, class Registry, "
        "method Registry.find, function shout, block Name, block answer",
    ),
    "a.swift": (
        """
import Foundation
public class Engine: Base {
    var power = 1
    init(power: Int) { self.power = power }
    deinit { }
    func start() -> Int { return 1 }
    subscript(i: Int) -> Int { return 1 }
}
extension Engine: Runs {
    func stop() {}
}
struct Wheel { let size: Int }
enum Gear { case one }
protocol Runs { func stop() }
actor Pool {
    func take() {}
}
func top() {}
typealias Name = String
""",
        "class Engine, method Engine.init, method Engine.deinit, method Engine.start, method Engine.subscript, "
        "class Engine, method Engine.stop, class Wheel, class Gear, class Runs, class Pool, method Pool.take, "
        "function top, block Name",
    ),
    "a.scala": (
        """
package a.b
import x.y
class Queue(size: Int) extends Base {
  val limit = 1
  def push(x: Int): Unit = {
    x
  }
}
object Queue {
  def apply(): Queue = new Queue(1)
}
trait Shape {
  def draw(): Unit
}
case class Point(x: Int)
enum Color { case Red }
def top = 1
""",
        "class Queue, method Queue.push, class Queue, method Queue.apply, class Shape, class Point, class Color, "
        "function top",
    ),
    "a.lua": (
        """
local M = {}
function M.open(path) return 1 end
function M:close() end
local function helper() end
M.later = function() end
local quick = function() end
M.table = {
  first = function() end,
  second = 2,
}
return M
""",
        "block M, method M.open, method M.close, function helper, method M.later, function quick, block M.table, "
        "function M.table.first",
    ),
    "a.ex": (
        """
defmodule Shop.Cart do
  @moduledoc "A cart"
  use GenServer
  @doc "adds"
  @spec add(term) :: term
  def add(item) when is_map(item) do
    item
  end
  defp hidden(x), do: x
  defmacro make(x) do
    x
  end
  defmodule Item do
    def price, do: 1
  end
end
defimpl Shape, for: Map do
  def draw(x), do: x
end
""",
        "class Shop.Cart, method Shop.Cart.add, method Shop.Cart.hidden, method Shop.Cart.make, class Shop.Cart.Item, "
        "method Shop.Cart.Item.price, class Shape, method Shape.draw",
    ),
    "a.hs": (
        """
module A.B where
import X
-- | A shape
data Shape = Circle Int | Square deriving Show
newtype Name = Name String
type Alias = Int
class Draws a where
  draw :: a -> Int
  draw _ = 1
instance Draws Shape where
  draw x = 2
-- | Its area
area :: Shape -> Int
area Square = 1
area (Circle n) = n
answer = 42
x <+> y = x
""",
        "class Shape, class Name, class Alias, class Draws, method Draws.draw, method Draws.draw, function area, "
        "function answer, function <+>",
    ),
    "a.zig": (
        """
const std = @import("std");
/// A list
pub const List = struct {
    items: []u8,
    pub fn init(self: *List) void {}
    const Inner = enum { a };
};
pub fn Generic(comptime T: type) type {
    return struct { x: T };
}
test "lists work" { }
""",
        "block std, class List, method List.init, class List.Inner, function Generic, function lists work",
    ),
    "a.sh": (
        """#!/bin/bash
# usage
LIMIT=3
build() {
  echo
}
function clean { echo; }
if true; then
  nested() { :; }
fi
""",
        "block LIMIT, function build, function clean, function nested",
    ),
    "a.toml": ('name = "x"\n[tool.ruff]\nline = 1\n[[items]]\nid = 1\n', "block tool.ruff, block items"),
    "a.yaml": (
        "name: x\njobs:\n  build:\n    steps: 1\n",
        "block name, block jobs, block jobs.build, block jobs.build.steps",
    ),
    "a.json": (
        '{\n  "name": "x",\n  "scripts": {\n    "a.b": "1"\n  }\n}\n',
        "block name, block scripts, block scripts.a.b",
    ),
    "a.sql": (
        "CREATE TABLE IF NOT EXISTS users (\n  id int\n);\n\n"
        "-- all\ncreate or replace function total(x int)\nreturns int;\n",
        "class users, function total",
    ),
    "Makefile": (
        "CC = gcc\n\n.PHONY: all\nall: a b\n\techo\n\nbuild/%.o: %.c\n\tcc\n",
        "function all, function build/%.o",
    ),
    "a.proto": (
        'syntax = "proto3";\n\nmessage User {\n  string name = 1;\n}\n\nservice Api {\n}\n',
        "class User, class Api",
    ),
}


@pytest.mark.parametrize("path", CASES)
def test_definitions_have_their_names_and_scopes(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, expected = CASES[path]
    actual = definitions(path, code, monkeypatch)
    assert actual == [name.strip() for name in expected.split(", ")]


def test_there_is_a_case_for_every_grammar_that_names_things() -> None:
    from retrieval.chunking.grammars import GRAMMARS
    from retrieval.chunking.more_grammars import MORE_GRAMMARS

    tested = {chunker.language_of(path) for path in CASES}
    assert set(GRAMMARS) - tested - set(MORE_GRAMMARS) == {"css", "html", "apex", "opencl"}
