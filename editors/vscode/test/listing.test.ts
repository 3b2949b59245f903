import assert from "node:assert/strict";
import { test } from "node:test";

import type { Answer, Hit, OutlineAnswer, SymbolAnswer } from "../src/protocol.ts";
import { counted, markdown, ofAnswer, ofOutline, ofUsages, searchEditor } from "../src/results/listing.ts";

const FRESH = { files: 2, chunks: 9, pendingFiles: 0, pendingChunks: 0, stale: false };

function hit(path: string, line: number, text: string, fields: Partial<Hit> = {}): Hit {
  const at = { line, character: 0 };
  return {
    uri: `file:///w/${path}`,
    folder: "file:///w",
    path,
    range: { start: at, end: { line: line + text.split("\n").length, character: 0 } },
    selectionRange: { start: { line, character: 4 }, end: at },
    label: "f",
    language: "python",
    kind: "function",
    symbol: "f",
    scope: "",
    score: 1,
    text,
    salientLines: [],
    answerLine: line,
    marks: [],
    weak: false,
    ...fields,
  };
}

function answer(hits: Hit[], notes: string[] = []): Answer {
  return { hits, freshness: FRESH, encoder: "", seconds: 0, notes };
}

test("results are grouped by file, files in the order of their best result, best lines below", () => {
  const body = "def f(x):\n    y = 1\n\n    return retry(x)";
  const listing = ofAnswer(
    answer([hit("b.py", 10, body, { salientLines: [11, 13], answerLine: 13 }), hit("a.py", 1, "def f():"), hit("b.py", 40, "class B:", { symbol: "B", scope: "M" })]),
    3,
  );
  assert.deepEqual(listing.files.map(({ path }) => path), ["b.py", "a.py"]);
  assert.deepEqual(listing.files[0]?.lines.map(({ line, text }) => [line, text]), [[10, "def f(x):"], [11, "y = 1"], [13, "return retry(x)"], [40, "class B:"]]);
  assert.equal(listing.files[0].lines[0]?.character, 4, "the cursor goes to the name");
  assert.equal(counted(listing), "3 results in 2 files");
  assert.ok(listing.more);
  assert.ok(!ofAnswer(answer([hit("a.py", 1, "x")]), 30).more);
});

test("a line that does not name what it belongs to has it beside it", () => {
  const listing = ofAnswer(answer([hit("a.py", 1, "def g():", { symbol: "g", label: "g", scope: "Rules" }), hit("b.py", 1, "def f():")]), 9);
  assert.deepEqual(listing.files.map(({ lines }) => lines[0]?.note), ["Rules.g", ""]);
});

test("what matches is marked, in the columns of the line that is shown", () => {
  const mark = { start: { line: 3, character: 11 }, end: { line: 3, character: 16 } };
  const listing = ofAnswer(answer([hit("a.py", 2, "def f():\n    return retry", { answerLine: 3, marks: [mark] })]), 9);
  const [, line] = listing.files[0]?.lines ?? [];
  assert.deepEqual(line?.marks, [[7, 12]]);
  assert.equal(line.text.slice(7, 12), "retry");
});

test("weak results are weak, and so is a file that has no other", () => {
  const listing = ofAnswer(answer([hit("a.py", 1, "x"), hit("a.py", 5, "y", { weak: true }), hit("b.py", 1, "z", { weak: true })]), 9);
  assert.deepEqual(listing.files.map(({ weak, lines }) => [weak, lines.map((line) => line.weak)]), [[false, [false, true]], [true, [true]]]);
  const unsure = ofAnswer(answer([hit("a.py", 1, "x", { weak: true })], ["Nothing certain was found: no result …"]), 9);
  assert.deepEqual(unsure.notes, ["Nothing certain was found; this comes closest."]);
});

test("uses of a symbol say how certain they are", () => {
  const usage = { uri: "file:///w/a.py", folder: "", path: "a.py", range: hit("a.py", 4, "").range, kind: "call", symbol: "main", text: "x.get()" };
  const found: SymbolAnswer = { definitions: [], usages: [{ ...usage, certainty: "by name" }], total: 2, near: [], unresolved: [], freshness: FRESH, notes: [] };
  const listing = ofUsages(found);
  assert.deepEqual(listing.files[0]?.lines.map(({ line, note, weak }) => [line, note, weak]), [[4, "main · by name", true]]);
  assert.ok(listing.more);
  assert.deepEqual(ofUsages({ ...found, usages: [], near: ["got"] }).notes, ["Names like it: got."]);
});

test("an outline is indented, and says what had no room", () => {
  const entry = { name: "f", kind: "function", scope: "", line: 1, depth: 1, text: "def f():" };
  const found: OutlineAnswer = { files: [{ uri: "file:///w/a.py", folder: "", path: "a.py", entries: [entry], leftOut: 3 }], filesLeftOut: 2, freshness: FRESH, notes: [] };
  const listing = ofOutline(found);
  assert.deepEqual(listing.files[0]?.lines.map(({ text, note }) => [text, note]), [["  def f():", "3 more"]]);
  assert.deepEqual(listing.notes, ["2 more files had no room."]);
});

test("a list can be copied, and read in an editor as the editor's own search writes it", () => {
  const listing = ofAnswer(answer([hit("src/b.py", 9, "def f(): `x`"), hit("a.py", 1, "y")]), 9);
  assert.match(markdown("retry\nit", listing), /^# retry it\n\n- `src\/b\.py:10`: `def f\(\): 'x'`\n\n- `a\.py:2`/u);
  const text = searchEditor("retry", listing, ({ path }) => path);
  assert.match(text, /^# Query: retry\n\n2 results in 2 files\n\nsrc\/b\.py:\n {3}10: def f/u);
});
