import assert from "node:assert/strict";
import { test } from "node:test";

import { type Pick, Rows } from "../src/search/rows.ts";

interface Row {
  name: string;
  version: number;
}

function box(): { pick: Pick<Row>; rows: Rows<Row>; fill: (...names: string[]) => void; active: () => string | undefined } {
  const pick: Pick<Row> = { items: [], activeItems: [] };
  const rows = new Rows<Row>(pick, (one, other) => one.name === other.name, ({ name }) => name.startsWith("—"));
  let version = 0;
  const fill = (...names: string[]) => {
    version += 1;
    pick.activeItems = [];
    rows.fill(names.map((name) => ({ name, version })));
    if (pick.activeItems.length === 0) {
      pick.activeItems = pick.items.filter(({ name }) => !name.startsWith("—")).slice(0, 1); // as the editor does
    }
    rows.moved(pick.activeItems[0]);
  };
  return { pick, rows, fill, active: () => pick.activeItems[0]?.name };
}

function move({ pick, rows }: ReturnType<typeof box>, name: string): void {
  pick.activeItems = pick.items.filter((row) => row.name === name);
  rows.moved(pick.activeItems[0]);
}

test("the row that was made active by an answer gives way to a better one", () => {
  const shown = box();
  shown.fill("a", "b");
  shown.fill("c", "a", "b");
  assert.equal(shown.active(), "c");
  shown.fill("—", "d", "c");
  assert.equal(shown.active(), "d", "what is no result is passed over");
});

test("the row that a person moved to stays, wherever it comes to stand", () => {
  const shown = box();
  shown.fill("a", "b", "c");
  move(shown, "b");
  shown.pick.activeItems = shown.pick.items.slice(1, 2);
  const kept = shown.pick.activeItems;
  shown.rows.fill(["d", "a", "b"].map((name) => ({ name, version: 9 })));
  assert.deepEqual(kept.map(({ name }) => name), ["b"]);
  assert.deepEqual(shown.pick.activeItems, [{ name: "b", version: 9 }]);
});

test("a new question forgets the row that was moved to", () => {
  const shown = box();
  shown.fill("a", "b");
  move(shown, "b");
  shown.rows.forget();
  shown.fill("c", "b");
  assert.equal(shown.active(), "c");
});
