import assert from "node:assert/strict";
import { test } from "node:test";

import type { FolderState, Freshness, Hit } from "../src/protocol.ts";
import { forModel } from "../src/assistant/answer.ts";
import { detail, freshness, place, title, uncertain } from "../src/search/describe.ts";
import { compose, parse, pathFilter, toggled, withFilter } from "../src/search/question.ts";

const FRESH: Freshness = { files: 1204, chunks: 9000, pendingFiles: 0, pendingChunks: 0, stale: false };

function hit(fields: Partial<Hit> = {}): Hit {
  const at = { line: 9, character: 4 };
  return {
    uri: "file:///w/src/app.py",
    folder: "file:///w",
    path: "src/app.py",
    range: { start: { line: 8, character: 0 }, end: { line: 11, character: 0 } },
    selectionRange: { start: at, end: at },
    label: "apply",
    language: "python",
    kind: "method",
    symbol: "apply",
    scope: "Rules",
    score: 1,
    text: "@cached\ndef apply(self):\n    # 🙂 all of them\n    return self.rules",
    salientLines: [9, 11],
    answerLine: 11,
    marks: [],
    weak: false,
    ...fields,
  };
}

function folder(fields: Partial<FolderState> = {}): FolderState {
  return { folder: "file:///w", name: "w", state: "ready", work: null, message: "", pendingEdits: 0, ...fields };
}

test("filters are taken out of what is typed, words stay", () => {
  assert.deepEqual(parse("retry lang:python,go requests path:src/** -path:tests/** kind:Function"), {
    query: "retry requests",
    languages: ["python", "go"],
    paths: ["src/**", "!tests/**"],
    kinds: ["function"],
    within: [],
    unknown: [],
  });
  assert.deepEqual(parse('path:"my folder, old/**" x').paths, ["my folder, old/**"]);
});

test("what only looks like a filter is searched for", () => {
  assert.equal(parse("std::path:name http://x -kind:class").query, "std::path:name http://x -kind:class");
  assert.equal(parse("a kind:fun").query, "a");
  assert.equal(parse("   ").query, "");
});

test("a filter is added once, and typing goes on behind it", () => {
  assert.equal(withFilter("", "lang:go"), "lang:go ");
  assert.equal(withFilter("retry ", "lang:go"), "lang:go retry");
  assert.equal(withFilter("lang:go retry", "lang:go"), "lang:go retry");
});

test("the filter for a place in the explorer means exactly that place", () => {
  assert.equal(pathFilter("src", true), "path:/src/**");
  assert.equal(pathFilter("a [1]/b, c.py", false), 'path:"/a \\[1\\]/b, c.py"');
  assert.deepEqual(parse(`${pathFilter("a [1]/b, c.py", false)} x`).paths, ["/a \\[1\\]/b, c.py"]);
});

test("a hit is named by its scope and name, else its file, and placed by the line of its name", () => {
  assert.equal(title(hit()), "Rules.apply");
  assert.equal(title(hit({ scope: "" })), "apply");
  assert.equal(title(hit({ symbol: "", label: "" })), "Rules");
  assert.equal(title(hit({ symbol: "", label: "", scope: "" })), "app.py");
  assert.equal(title(hit({ label: "other" })), "other");
  for (const line of ["elif self.rules:", "else:", "try:", "pass", "} else {", "return (", "x = 1"]) {
    assert.equal(title(hit({ label: line })), "Rules.apply", "a line of code is no name");
  }
  assert.equal(title(hit({ kind: "section", label: "How it works", symbol: "How it works", scope: "" })), "How it works");
  assert.equal(place(hit(), ""), "src/app.py:10");
  assert.equal(place(hit(), "w"), "w/src/app.py:10");
});

test("below a title stands the line that answers, shortened", () => {
  assert.equal(detail(hit({ answerLine: 8 })), "@cached");
  assert.equal(detail(hit({ answerLine: 11 })), "return self.rules");
  assert.equal(detail(hit({ answerLine: 8, text: "y".repeat(500) })).length, 160);
  assert.equal(detail(hit({ answerLine: 40 })), "");
});

test("a kind that there is not is told, with those that there are", () => {
  const { kinds, unknown } = parse("kind:func,class parse it");
  assert.deepEqual(kinds, ["class"]);
  assert.match(unknown.join(), /no kind “func”: there are function, method, class/u);
  assert.deepEqual(parse("kind:method x").unknown, []);
});

test("where to search is a filter, switched on and off by a key", () => {
  assert.deepEqual(parse("retry in:open,no-tests").within, ["open", "no-tests"]);
  assert.match(parse("retry in:opened").unknown.join(), /no in:“opened”: there are folder, package/u);
  assert.equal(toggled("retry", "open"), "in:open retry");
  assert.equal(toggled("in:open retry", "no-tests"), "in:no-tests in:open retry");
  assert.equal(toggled("in:no-tests,open retry it", "no-tests"), "in:open retry it");
  assert.equal(toggled("in:open ", "open"), "");
});

test("a question that was taken apart reads as it was typed", () => {
  const typed = 'lang:python,go kind:class path:src/** -path:"a b/**" in:changed retry requests';
  assert.equal(compose(parse(typed)), typed);
  assert.equal(compose(parse("retry")), "retry");
});

test("an answer says of itself that nothing certain was found", () => {
  const answer = { hits: [], freshness: FRESH, encoder: "", seconds: 0, notes: ["Nothing certain was found: no result …"] };
  assert.ok(uncertain(answer));
  assert.ok(!uncertain({ ...answer, notes: ["“x” is nowhere."] }));
});

test("freshness says what is missing first, and never more than is known", () => {
  assert.equal(freshness(FRESH, [folder()]), "up to date · 1,204 files");
  const work = { stage: "words", done: 1, total: 2, percentage: 26 };
  const busy = freshness({ ...FRESH, pendingFiles: 1, pendingChunks: 5 }, [folder({ state: "indexing", work }), folder()]);
  assert.equal(busy, "indexing 26 %, results so far", "the figure of the status bar, in one line");
  assert.equal(freshness({ ...FRESH, pendingFiles: 1, pendingChunks: 5 }, [folder()]), "1 file pending");
  assert.equal(freshness({ ...FRESH, pendingChunks: 5 }, [folder()]), "some results by words only so far");
  assert.equal(freshness({ ...FRESH, stale: true }, []), "may be out of date");
});

test("a language model reads places, names and code, and that the index is behind", () => {
  const answer = { hits: [hit({ text: "a ```` b" })], freshness: { ...FRESH, stale: true }, encoder: "e", seconds: 0, notes: [] };
  const text = forModel(answer, () => "");
  assert.match(text, /still catching up/u);
  assert.match(text, /## src\/app\.py:10 \(method Rules\.apply\)/u);
  assert.match(text, /`````python\na ```` b\n`````/u);
  assert.equal(forModel({ ...answer, hits: [], notes: ["No folder is open."] }, () => ""), "No folder is open.");
});
