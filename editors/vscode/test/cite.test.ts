import assert from "node:assert/strict";
import { test } from "node:test";

import { Citations, given, type Given, type Part, standalone } from "../src/assistant/cite.ts";

function cut(...pieces: string[]): Part[] {
  const citations = new Citations();
  return [...pieces.flatMap((piece) => citations.push(piece)), ...citations.end()];
}

const text = (parts: Part[]): string => parts.map((part) => ("text" in part ? part.text : part.written)).join("");
const cited = (parts: Part[]): string[] =>
  parts.flatMap((part) => ("text" in part ? [] : [`${part.cited.path} ${part.cited.first} ${part.cited.last}`]));

const ANSWER = "Rules [a.py:3-9] and [`b c.ts:4`], in [app/[id]/page.tsx:1–2]; vec![0], x[1:2] [link](http://h) [z.py:8](http://evil) [open";

test("citations are found in whatever pieces an answer comes, and nothing else of it is lost", () => {
  for (const size of [1, 2, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(ANSWER.length / size) }, (_, n) => ANSWER.slice(n * size, (n + 1) * size));
    const parts = cut(...pieces);
    assert.equal(text(parts), ANSWER);
    assert.deepEqual(cited(parts).filter((each) => !each.startsWith("1 ")), ["a.py 3 9", "b c.ts 4 4", "app/[id]/page.tsx 1 2"]);
  }
});

test("text is shown as it comes, but for what may become a citation", () => {
  const citations = new Citations();
  assert.deepEqual(citations.push("so it is [a.p"), [{ text: "so it is " }]);
  assert.deepEqual(citations.push("y:3]. More"), [{ cited: { path: "a.py", first: 3, last: 3 }, written: "[a.py:3]" }, { text: ". More" }]);
  assert.deepEqual(citations.push(`[${"x".repeat(700)}`).length, 1, "a bracket that does not close holds nothing back for long");
});

test("only lines that the model was given are linked", () => {
  const at = (line: number, character = 0) => ({ line, character });
  const piece: Given = { uri: "file:///w/a.py", path: "a.py", range: { start: at(2), end: at(8, 5) } };
  const whole: Given = { ...piece, path: "b.py", range: { start: at(0), end: at(4) } };
  const is = (path: string, first: number, last: number) => given({ path, first, last }, [piece, whole]) !== undefined;
  assert.deepEqual([is("a.py", 3, 9), is("a.py", 2, 9), is("a.py", 3, 10), is("c.py", 3, 9), is("a.py", 9, 3)], [true, false, false, false, false]);
  assert.deepEqual([is("b.py", 1, 4), is("b.py", 1, 5)], [true, false]);
});

test("a follow-up that the model makes no question of is searched for with the one before", () => {
  assert.equal(standalone(' "where are rules applied"\n', "rules", "where"), "where are rules applied");
  for (const wrong of ["", "a\nb", "x".repeat(500)]) {
    assert.equal(standalone(wrong, "rules", "where"), "rules where");
  }
});
