import assert from "node:assert/strict";
import { test } from "node:test";

import { locate, type Surroundings } from "../src/server/locate.ts";

const BASE: Surroundings = {
  setting: "",
  path: "/usr/bin:/home/me/.local/bin",
  python: "/home/me/project/.venv/bin/python",
  managed: "/home/me/storage/environment",
  home: "/home/me",
  windows: false,
  trusted: true,
  folders: ["/home/me/project"],
  real: () => undefined,
};
const EVERYWHERE = [
  "/home/me/tools/c2llm",
  "/home/me/.local/bin/c2llm",
  "/home/me/project/.venv/bin/c2llm",
  "/home/me/storage/environment/bin/c2llm",
];

function found(files: string[], around: Partial<Surroundings> = {}): string {
  const located = locate({ ...BASE, real: (file) => (files.includes(file) ? file : undefined), ...around });
  return located.kind === "found" ? `${located.source} ${located.command}` : located.kind;
}

test("the setting comes first, then PATH, the Python extension's environment and our own", () => {
  assert.equal(found(EVERYWHERE, { setting: "~/tools/c2llm" }), "setting /home/me/tools/c2llm");
  assert.equal(found(EVERYWHERE), "path /home/me/.local/bin/c2llm");
  assert.equal(found(EVERYWHERE.slice(2)), "python /home/me/project/.venv/bin/c2llm");
  assert.equal(found(EVERYWHERE.slice(3)), "managed /home/me/storage/environment/bin/c2llm");
  assert.equal(found([]), "none");
});

test("a setting that names nothing is said, not passed over", () => {
  assert.equal(found(EVERYWHERE, { setting: "/nowhere/c2llm" }), "wrong");
  assert.equal(found(["c2llm"], { setting: "c2llm" }), "wrong");
});

test("in a workspace that is not trusted nothing inside it is started, however it is named", () => {
  const inside = ["/home/me/project/.venv/bin/c2llm"];
  assert.equal(found(inside, { trusted: false }), "none");
  assert.equal(found(inside, { trusted: false, path: "/home/me/project/.venv/bin" }), "none");
  assert.equal(found(inside, { trusted: false, setting: inside[0] ?? "" }), "wrong");
  assert.equal(found(inside, { path: "/home/me/project/.venv/bin" }), `path ${inside[0] ?? ""}`);
});

test("a folder whose name begins with two dots is still inside", () => {
  const around = { trusted: false, folders: ["/w"], path: "/w/..bin" };
  assert.equal(found(["/w/..bin/c2llm"], around), "none");
});

test("links do not hide that a server lies inside the workspace", () => {
  const links: Record<string, string> = { "/usr/bin/c2llm": "/real/w/c2llm", "/w": "/real/w", "/other/c2llm": "/real/v/c2llm" };
  const around = { trusted: false, folders: ["/w"], python: "", real: (file: string) => links[file] };
  assert.equal(found([], { ...around, path: "/usr/bin" }), "none");
  assert.equal(found([], { ...around, path: "/usr/bin:/other" }), "path /other/c2llm");
});

test("entries of PATH that are not absolute are never looked at", () => {
  assert.equal(found(["c2llm", "bin/c2llm", "./c2llm"], { path: ".:bin::./", python: "" }), "none");
});

test("Windows has another name, another separator and another folder for it", () => {
  const windows = { windows: true, path: "C:\\Tools;D:\\bin", python: "", managed: "C:\\s\\environment", folders: ["C:\\w"] };
  assert.equal(found(["D:\\bin\\c2llm.exe"], windows), "path D:\\bin\\c2llm.exe");
  assert.equal(found(["C:\\s\\environment\\Scripts\\c2llm.exe"], windows), "managed C:\\s\\environment\\Scripts\\c2llm.exe");
  assert.equal(found(["C:\\w\\c2llm.exe"], { ...windows, path: "c:\\W", trusted: false }), "none");
});
