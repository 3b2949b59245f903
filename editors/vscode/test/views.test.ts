import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { beside, heat, LEVELS, summary } from "../src/explain/heat.ts";
import type { ExplainAnswer, FolderState } from "../src/protocol.ts";
import { folders, line, page } from "../src/status/text.ts";

function explained(weights: number[], fields: Partial<ExplainAnswer> = {}): ExplainAnswer {
  const at = (character: number) => ({ start: { line: 0, character }, end: { line: 0, character: character + 1 } });
  return {
    uri: "file:///w/a.py",
    path: "a.py",
    range: at(0),
    kind: "function",
    symbol: "f",
    encoder: "embedded",
    looks: weights.map((weight, n) => ({ range: at(n), weight })),
    lines: [],
    unreadFrom: null,
    query: "",
    similarity: null,
    words: [],
    notes: [],
    ...fields,
  };
}

test("the strongest token is hottest however small its share is, and the weakest have no colour", () => {
  for (const scale of [1, 0.001]) {
    const { tokens } = heat(explained([0.5, 0.1, 0.001].map((weight) => weight * scale)));
    assert.equal(tokens[LEVELS - 1]?.length, 1);
    assert.equal(tokens.flat().length, 2);
  }
  assert.equal(heat(explained([])).tokens.flat().length, 0);
  assert.equal(heat(explained([0, 0])).tokens.flat().length, 0);
});

test("only lines that the answer rests on have a bar, strongest first", () => {
  const lines = [0.1, 0.4, -0.2, null].map((effect, n) => ({ line: n, attention: 0.1, effect }));
  assert.deepEqual(heat(explained([], { lines })).lines, [
    { line: 1, effect: 0.4 },
    { line: 0, effect: 0.1 },
  ]);
  assert.equal(beside(0.4, 0.4), "▇▇▇▇▇▇▇▇ 0.400");
  assert.equal(beside(0.001, 0.4), "▇ 0.001");
});

test("the summary is plain words, and what comes from files cannot write Markdown", () => {
  const words = [{ word: "<b>retry</b>", rarity: 3, inName: true, inPath: false, lines: [0, 4] }];
  const text = summary(explained([1], { query: "[x](command:y)", similarity: 0.5, words, unreadFrom: 9 }));
  assert.match(text, /0\.500/u);
  assert.match(text, /name, lines 1, 5/u);
  assert.match(text, /from line 10 on/u);
  assert.doesNotMatch(text, /[^\\]<b>|[^\\]\]\(command/u);
});

function folder(fields: Partial<FolderState> = {}): FolderState {
  return { folder: "file:///w", name: "w", state: "ready", work: null, message: "", pendingEdits: 0, ...fields };
}

test("the status bar shows the worst of all folders", () => {
  const work = { stage: "vectors", done: 300, total: 1200, percentage: 62 };
  const indexing = folder({ state: "indexing", work });
  assert.match(folders([]).text, /opening/u);
  assert.equal(folders([folder()]).alarm, false);
  assert.match(folders([folder(), indexing]).text, /indexing 31 %|indexing 62 %/u);
  assert.match(folders([folder(), folder({ state: "paused" })]).text, /paused/u);
  assert.equal(folders([indexing, folder({ state: "failed", message: "The disk is full." })]).alarm, true);
  assert.equal(line(indexing), "w: indexing 62 %");
  assert.equal(line(folder({ state: "failed", message: "The disk is full.", pendingEdits: 1 })), "w: failed. The disk is full.; 1 edit pending");
});

test("the status page shows what is known, and a folder that is not open without an index", () => {
  const known = {
    ...folder(),
    freshness: { files: 12, chunks: 3400, pendingFiles: 0, pendingChunks: 1, stale: false },
    languages: { go: 2, python: 10 },
    skipped: {},
    index: "/cache/w",
    indexBytes: 1_500_000,
    writerPid: 1,
    notes: ["A note."],
  };
  const unknown = { ...known, name: "v", state: "failed" as const, freshness: null };
  const text = page({ version: "1", protocol: 1, encoder: "embedded", embeddedEdits: 0, folders: [known, unknown] });
  assert.match(text, /python 83 %, go 17 %/u);
  assert.match(text, /by words only so far \| under 1 % of the code/u);
  assert.doesNotMatch(text, /chunk|encoder|protocol/u, "words of developers");
  assert.match(text, /1\.5 MB/u);
  assert.equal(text.match(/\| files \|/gu)?.length, 1);
});

test("nothing is sent anywhere: no source reaches for the network, and the one dependency is the language client", () => {
  const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { dependencies: object };
  assert.deepEqual(Object.keys(dependencies), ["vscode-languageclient"]);
  const folder = new URL("../src/", import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  assert.ok(sources.length > 20);
  const network = /\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|TelemetryLogger|["'](?:node:)?(?:https?|http2|net|tls|dgram)["']/u;
  assert.deepEqual(sources.filter((file) => network.test(readFileSync(new URL(file, folder), "utf8"))), []);
});

test("every command of package.json is registered, and each menu names one", () => {
  const { contributes } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    contributes: { commands: { command: string }[]; menus: Record<string, { command?: string }[]>; keybindings: { command: string }[] };
  };
  const sources = ["commands.ts", "results/view.ts"].map((file) => readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8"));
  const registered = new Set([...sources.join("\n").matchAll(/"(c2llm\.[\w.]+)"(?::|, \()/gu)].map(([, name]) => name));
  const declared = new Set(contributes.commands.map(({ command }) => command));
  assert.deepEqual([...declared].sort(), [...registered].sort());
  const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].flatMap(({ command }) => command ?? []);
  assert.deepEqual(used.filter((command) => !declared.has(command)), []);
});
