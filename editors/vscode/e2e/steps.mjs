// What all steps have in common: the project that is searched, how a step is run and told of, what is done again and again.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

import { until } from "./editor.mjs";

export const PROJECT = resolve(process.env.PROJECT ?? join(import.meta.dirname, "../../.."));
export const SHOTS = resolve(process.env.SHOTS ?? "shots");
export const VSIX = resolve(process.env.VSIX ?? `c2llm-${JSON.parse(readFileSync("package.json", "utf8")).version}.vsix`);
export const NOT_JUDGED = "not judged"; // neither passed nor failed: the machine was busy
export const FUNCTION = `

def shipping_price(weight_grams, country):
    """What a parcel costs to send, by its weight and where it goes."""
    zone = {"DE": 1, "FR": 2}.get(country, 3)
    return 4.90 + zone * 2.5 + max(0, weight_grams - 1000) / 1000 * 1.2
`;

export const work = mkdtempSync(join(tmpdir(), "c2llm-e2e-project-"));
export const folder = join(work, "project");
export const results = [];

export function project() {
  for (const part of ["retrieval/search", "retrieval/files", "retrieval/chunking", "retrieval/indexing", "c2llm_lsp"]) {
    cpSync(join(PROJECT, part), join(folder, basename(part)), { recursive: true, filter: (file) => !file.includes("__pycache__") });
  }
  writeFileSync(join(folder, "prices.py"), '"""Prices of things."""\n');
  mkdirSync(join(work, "other"));
  writeFileSync(join(work, "other", "greetings.ts"), 'export function welcomeGuest(name: string): string {\n  return `Hello, ${name}`;\n}\n');
}

export async function step(editor, name, run) {
  const began = Date.now();
  try {
    const judged = (await run()) !== NOT_JUDGED;
    await editor.shot(join(SHOTS, `${name}.png`)).catch(() => console.log(`     no picture of ${name}`));
    results.push([name, judged ? "passed" : NOT_JUDGED]);
    console.log(`${judged ? "ok  " : "????"} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    results.push([name, "failed"]);
    console.log(`FAIL ${name}: ${error.message}`);
    await editor.shot(join(SHOTS, `${name}.png`)).catch(() => undefined);
  }
}

/** An extension of this folder, packed. */
export function packed(name) {
  const vsix = join(work, `${name}.vsix`);
  const vsce = resolve("node_modules/@vscode/vsce/vsce");
  const args = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "-o", vsix];
  execFileSync(process.execPath, [vsce, ...args], { cwd: join(import.meta.dirname, name), stdio: "ignore" });
  return vsix;
}

export function script(name, text) {
  const file = join(work, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

/** What an agent gets to read. */
export async function probed(editor, command) {
  const file = editor.env.PROBER_FILE;
  rmSync(file, { force: true });
  await editor.command(command);
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("}"), 30_000, "an answer");
  return JSON.parse(readFileSync(file, "utf8"));
}

export function notification(editor, text) {
  return editor.page.locator(".notification-toast", { hasText: text });
}

export async function search(editor, query) {
  await editor.command("C2LLM: Semantic Search");
  await editor.page.locator(".quick-input-title", { hasText: "Semantic Search" }).waitFor();
  await editor.page.keyboard.press("Control+a");
  await editor.page.keyboard.type(query, { delay: 25 });
}

/** Wait until a result is the best one: answers come for each letter typed. */
export async function first(editor, name) {
  await until(async () => (await editor.rows().first().innerText().catch(() => "")).includes(name), 15_000, `${name} is first`);
}

export function assert(holds, what) {
  if (!holds) {
    throw new Error(what);
  }
}
