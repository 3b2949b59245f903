import assert from "node:assert/strict";
import { test } from "node:test";

import { chosen, type Inspected } from "../src/server/chosen.ts";
import { serverEnvironment } from "../src/server/process.ts";
import { STEADY_MS, TRIES, Tries } from "../src/server/tries.ts";
import { fit } from "../src/server/versions.ts";
import { Latest } from "../src/search/latest.ts";

test("a server that crashes at start is tried three times in all", () => {
  const tries = new Tries();
  const pauses = Array.from({ length: TRIES }, () => tries.ended(10));
  assert.ok(pauses.slice(0, -1).every((pause) => pause !== undefined && pause > 0));
  assert.equal(pauses.at(-1), undefined);
});

test("a server that had run well, or a person who asks, begins the count anew", () => {
  const tries = new Tries();
  tries.ended(10);
  tries.ended(10);
  assert.notEqual(tries.ended(STEADY_MS), undefined);
  assert.notEqual(tries.ended(10), undefined);
  tries.forget();
  assert.notEqual(tries.ended(10), undefined);
});

test("the server's Python gets nothing that would make it run code of the folder it is started in", () => {
  const given = { PATH: "/bin", PYTHONPATH: ":.:src:/opt/modules", PYTHONHOME: ".", PYTHONSTARTUP: "x.py" };
  const kept = { PATH: "/bin", PYTHONPATH: "/opt/modules", PYTHONSAFEPATH: "1", PYTHONUNBUFFERED: "1" };
  assert.deepEqual(serverEnvironment(given, false), kept);
  assert.equal("PYTHONPATH" in serverEnvironment({ PYTHONPATH: "." }, false), false);
});

test("a server that says nothing of our requests is old; a later protocol is newer than the extension", () => {
  assert.equal(fit({ c2llm: { version: 1 } }), "fits");
  for (const old of [undefined, null, {}, { c2llm: null }, { c2llm: { version: "1" } }, { c2llm: { version: 0 } }]) {
    assert.equal(fit(old), "old server");
  }
  assert.equal(fit({ c2llm: { version: 2 } }), "new server");
});

test("only what a person set is sent to the server, defaults are not", () => {
  const set: Record<string, Inspected> = { results: { globalValue: 20 }, exclude: { workspaceValue: ["*.gen"] }, threads: {} };
  const section = { get: (name: string) => `effective ${name}`, inspect: (name: string) => set[name] };
  const sent = chosen(["results", "exclude", "threads", "encoder"], section);
  assert.deepEqual(sent, { results: "effective results", exclude: "effective exclude" });
});

function cancellable(): { token: { cancelled: boolean }; cancel(): void } {
  const token = { cancelled: false };
  const cancel = () => {
    token.cancelled = true;
  };
  return { token, cancel };
}

test("the latest question wins: an earlier one is cancelled, and what it still brings is dropped", async () => {
  const latest = new Latest(cancellable);
  const tokens: { cancelled: boolean }[] = [];
  const answers: ((text: string) => void)[] = [];
  const ask = () =>
    latest.run(
      (token) =>
        new Promise<string>((resolve) => {
          tokens.push(token);
          answers.push(resolve);
        }),
    );
  const [first, second] = [ask(), ask()];
  assert.deepEqual(tokens.map(({ cancelled }) => cancelled), [true, false]);
  answers[1]?.("second");
  answers[0]?.("first");
  assert.equal(await first, undefined);
  assert.equal(await second, "second");
});

test("a failure is told, unless its question is no longer asked", async () => {
  const latest = new Latest(cancellable);
  const dropped = latest.run(() => Promise.reject<string>(new Error("cancelled")));
  const told = latest.run(() => Promise.reject(new Error("no server")));
  assert.equal(await dropped, undefined);
  await assert.rejects(told, /no server/);
});
