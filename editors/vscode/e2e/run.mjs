// The extension in a real VS Code, from "the server is not installed" to the end. See README.md, "Real-editor run".
//
//   CODE_SERVER=…/code-server/out/node/entry.js PROJECT=…/c2llm-lsp node e2e/run.mjs [step …]
//
// PROJECT is a checkout of this project: the server is installed from it, and its own code is what is searched.
// Pictures go to $SHOTS (shots/ without it). Exits with 1 when a step fails.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

import { Editor, required, until } from "./editor.mjs";
import { latencies, percentile } from "./latency.mjs";

const PROJECT = resolve(process.env.PROJECT ?? join(import.meta.dirname, "../../.."));
const SHOTS = resolve(process.env.SHOTS ?? "shots");
const VSIX = resolve(process.env.VSIX ?? `c2llm-${JSON.parse(readFileSync("package.json", "utf8")).version}.vsix`);
const BUDGET_MS = 150; // p95, from a key to results on the screen
const INSTALL_MS = 420_000;
const FUNCTION = `

def shipping_price(weight_grams, country):
    """What a parcel costs to send, by its weight and where it goes."""
    zone = {"DE": 1, "FR": 2}.get(country, 3)
    return 4.90 + zone * 2.5 + max(0, weight_grams - 1000) / 1000 * 1.2
`;

const work = mkdtempSync(join(tmpdir(), "c2llm-e2e-project-"));
const folder = join(work, "project");
const results = [];

function project() {
  for (const part of ["retrieval/search", "retrieval/files", "retrieval/chunking", "retrieval/indexing", "c2llm_lsp"]) {
    cpSync(join(PROJECT, part), join(folder, basename(part)), { recursive: true, filter: (file) => !file.includes("__pycache__") });
  }
  writeFileSync(join(folder, "prices.py"), '"""Prices of things."""\n');
  mkdirSync(join(work, "other"));
  writeFileSync(join(work, "other", "greetings.ts"), 'export function welcomeGuest(name: string): string {\n  return `Hello, ${name}`;\n}\n');
}

async function step(editor, name, run) {
  const began = Date.now();
  try {
    await run();
    await editor.shot(join(SHOTS, `${name}.png`));
    results.push([name, true]);
    console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    results.push([name, false]);
    console.log(`FAIL ${name}: ${error.message}`);
    await editor.shot(join(SHOTS, `${name}.png`)).catch(() => undefined);
  }
}

/** An extension of this folder, packed. */
function packed(name) {
  const vsix = join(work, `${name}.vsix`);
  const vsce = resolve("node_modules/@vscode/vsce/vsce");
  const args = ["package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "-o", vsix];
  execFileSync(process.execPath, [vsce, ...args], { cwd: join(import.meta.dirname, name), stdio: "ignore" });
  return vsix;
}

function notification(editor, text) {
  return editor.page.locator(".notification-toast", { hasText: text });
}

async function search(editor, query) {
  await editor.command("C2LLM: Semantic Search");
  await editor.page.locator(".quick-input-title", { hasText: "Semantic Search" }).waitFor();
  await editor.page.keyboard.press("Control+a");
  await editor.page.keyboard.type(query, { delay: 25 });
}

/** Wait until a result is the best one: answers come for each letter typed. */
async function first(editor, name) {
  await until(async () => (await editor.rows().first().innerText().catch(() => "")).includes(name), 15_000, `${name} is first`);
}

function assert(holds, what) {
  if (!holds) {
    throw new Error(what);
  }
}

async function notInstalled(editor) {
  await step(editor, "01-not-installed", async () => {
    await notification(editor, "The C2LLM server is not installed").waitFor({ timeout: 30_000 });
    await editor.statusSays(/not installed/);
  });
  await step(editor, "02-installing", async () => {
    await notification(editor, "not installed").locator(".monaco-button", { hasText: "Install" }).click();
    await notification(editor, "Installing C2LLM").waitFor();
    await notification(editor, /installing|unpacking|[a-z]+-[a-z]+/).waitFor({ timeout: 60_000 });
  });
  await step(editor, "03-installed", async () => {
    await editor.statusSays(/C2LLM$|indexing/, INSTALL_MS);
    await editor.statusSays(/C2LLM$/, 120_000);
  });
}

async function searching(editor) {
  const { page } = editor;
  await step(editor, "04-unsaved-function-found", async () => {
    await editor.openFile("prices.py");
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText(FUNCTION);
    await search(editor, "cost of sending a package");
    await first(editor, "shipping_price");
    assert(await page.locator(".tab.dirty", { hasText: "prices.py" }).count(), "prices.py was saved");
  });
  await step(editor, "05-rank-kept", async () => {
    await page.keyboard.press("Control+a");
    await page.keyboard.type("search", { delay: 25 });
    await editor.rows().filter({ hasText: ":" }).nth(5).waitFor();
    await page.waitForTimeout(600);
    const labels = await editor.rows().locator(".label-name").allInnerTexts();
    const sorted = [...labels].sort((a, b) => a.localeCompare(b));
    assert(labels.join() !== sorted.join(), "the editor sorted the results by letters");
  });
  await step(editor, "06-preview", async () => {
    await page.keyboard.press("Control+a");
    await page.keyboard.type("which files does git ignore", { delay: 25 });
    await editor.rows().filter({ hasText: /ignore/i }).first().waitFor();
    await page.waitForTimeout(800);
    await page.keyboard.press("ArrowDown");
    await page.locator(".tab.active em, .tab.active .monaco-icon-name-container.italic, .tab.active").first().waitFor();
    await page.waitForTimeout(800);
  });
  await step(editor, "07-escape-goes-back", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".tab.active", { hasText: "prices.py" }).waitFor();
    await until(async () => (await page.locator(".tab").count()) === 1, 5_000, "the previewed tab is closed");
  });
  await step(editor, "08-jump", async () => {
    await search(editor, "cost of sending a package");
    await first(editor, "shipping_price");
    await page.keyboard.press("Enter");
    await page.locator(".statusbar-item", { hasText: /Ln 4, Col 5/ }).waitFor({ timeout: 5_000 });
  });
}

async function fromCode(editor) {
  const { page } = editor;
  await step(editor, "09-explain", async () => {
    await editor.command("C2LLM: Explain This Match");
    await until(async () => (await page.locator(".view-overlays [class*=ced-]").count()) > 5, 10_000, "heat-map");
  });
  await step(editor, "10-escape-clears", async () => {
    await page.keyboard.press("Escape");
    await until(async () => (await page.locator(".view-overlays [class*=ced-]").count()) === 0, 5_000, "heat-map gone");
  });
  await step(editor, "11-similar", async () => {
    await search(editor, "merge ranked lists");
    await editor.rows().filter({ hasText: ":" }).first().waitFor();
    await page.keyboard.press("Enter");
    // Until it is there it would take the focus from what comes next.
    await page.locator(".tab.active:not([aria-label^='prices.py'])").waitFor();
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await editor.command("C2LLM: Find Similar Code");
    await page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).nth(3).waitFor({ timeout: 10_000 });
  });
  await step(editor, "12-peek", async () => {
    await editor.command("C2LLM: Peek All");
    await page.locator(".peekview-widget").waitFor({ timeout: 10_000 });
    await page.waitForTimeout(800);
  });
  await step(editor, "13-copy-context", async () => {
    await page.keyboard.press("Escape");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await editor.command("C2LLM: Copy Context for Prompt");
    await page.locator(".quick-input-title", { hasText: "Copy Context" }).waitFor();
    await page.keyboard.type("how are ranked lists merged");
    await page.keyboard.press("Enter");
    await notification(editor, /Copied \d+ places/).waitFor({ timeout: 10_000 });
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert(/\.py:\d+/.test(text), `clipboard has ${text.slice(0, 80)}`);
  });
  await step(editor, "14-code-action", async () => {
    await editor.openFile("merging.py");
    await page.keyboard.press("Control+Shift+r");
    await page.locator(".action-widget .monaco-list-row", { hasText: "Find similar code" }).click({ timeout: 10_000 });
    await page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).first().waitFor({ timeout: 10_000 });
  });
}

async function forAgents(editor) {
  await step(editor, "15-tool", async () => {
    const { listed, text } = await probed(editor, "Prober: Ask the Tool");
    assert(listed.includes("c2llm_search"), `tools are ${listed}`);
    assert(/## prices\.py:4 \(function shipping_price\)/.test(text), text.slice(0, 300));
  });
}

/** What an agent gets to read. */
async function probed(editor, command) {
  const file = editor.env.PROBER_FILE;
  rmSync(file, { force: true });
  await editor.command(command);
  await until(() => existsSync(file) && readFileSync(file, "utf8").endsWith("}"), 30_000, "an answer");
  return JSON.parse(readFileSync(file, "utf8"));
}

async function measured(editor) {
  await step(editor, "16-latency", async () => {
    await editor.command("C2LLM: Semantic Search");
    const { typed, keys } = await latencies(editor);
    for (const [name, times] of [["first results", typed], ["each key", keys]]) {
      const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)];
      console.log(`     ${name}: median ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ${times.length} times`);
    }
    await editor.page.keyboard.press("Escape");
    const [busy, cores] = [loadavg()[0], availableParallelism()];
    if (percentile(typed, 0.95) > BUDGET_MS && busy > cores * 1.5) {
      console.log(`     over ${BUDGET_MS} ms, on a busy machine (load ${busy.toFixed(1)}, ${cores} cores): not judged`);
      return;
    }
    assert(percentile(typed, 0.95) <= BUDGET_MS, `p95 over ${BUDGET_MS} ms`);
  });
}

async function lifecycle(editor) {
  const { page } = editor;
  await step(editor, "17-status", async () => {
    await editor.command("C2LLM: Show Status");
    await page.locator(".tab.active", { hasText: "C2LLM Status" }).waitFor();
    const view = page.frameLocator("iframe.webview").frameLocator("iframe");
    await view.locator("td", { hasText: "python" }).waitFor({ timeout: 30_000 });
  });
  await step(editor, "18-menu", async () => {
    await editor.status().click();
    await editor.rows().filter({ hasText: "Stop the Server" }).waitFor();
  });
  await step(editor, "19-stop", async () => {
    await editor.rows().filter({ hasText: "Stop the Server" }).click();
    await editor.statusSays(/stopped/);
    await search(editor, "anything");
    await editor.rows().filter({ hasText: "The C2LLM server is stopped" }).waitFor();
    await page.keyboard.press("Escape");
  });
  await step(editor, "20-start", async () => {
    await editor.command("C2LLM: Start the Server");
    await editor.statusSays(/C2LLM$/);
    await search(editor, "cost of sending a package");
    await first(editor, "shipping_price");
    await page.keyboard.press("Escape");
  });
}

async function trouble(editor) {
  const crashing = script("crashing", '#!/bin/sh\necho started >> "$0.log"\necho "ModuleNotFoundError: No module named numpy" >&2\nexit 1\n');
  const old = script("old", `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "old-server.mjs")}"\n`);
  await step(editor, "21-crashes-at-start", async () => {
    editor.set({ "c2llm.server.path": crashing });
    await notification(editor, "ended three times").waitFor({ timeout: 30_000 });
    const tries = readFileSync(`${crashing}.log`, "utf8").trim().split("\n").length;
    assert(tries === 3, `${tries} tries`);
    await editor.statusSays(/failed/);
    assert((await editor.page.locator(".notification-toast").count()) === 1, "more than one message");
  });
  await step(editor, "22-log", async () => {
    await notification(editor, "ended three times").locator(".monaco-button", { hasText: "Show Log" }).click();
    await editor.page.locator(".output-view, .panel", { hasText: "ModuleNotFoundError" }).first().waitFor();
  });
  await step(editor, "23-old-server", async () => {
    editor.set({ "c2llm.server.path": old });
    await notification(editor, "too old").waitFor({ timeout: 30_000 });
  });
  await step(editor, "24-wrong-path", async () => {
    editor.set({ "c2llm.server.path": "/nowhere/c2llm" });
    await notification(editor, "/nowhere/c2llm").waitFor({ timeout: 30_000 });
  });
}

async function severalFolders(command) {
  const file = join(work, "both.code-workspace");
  writeFileSync(file, JSON.stringify({ folders: [{ path: folder }, { path: join(work, "other") }] }));
  const editor = await Editor.open({ vsix: VSIX, workspace: file, settings: { "c2llm.server.path": command } });
  try {
    await step(editor, "25-all-folders", async () => {
      await editor.statusSays(/C2LLM$/, 120_000);
      await editor.openFile("__main__.py");
      await search(editor, "greet a visitor by name");
      await editor.rows().filter({ hasText: "other/greetings.ts" }).first().waitFor({ timeout: 10_000 });
    });
    await step(editor, "26-one-folder", async () => {
      await editor.page.locator(".quick-input-titlebar .action-label[aria-label^='Searching All Folders']").click();
      await editor.page.locator(".quick-input-title", { hasText: "in project" }).waitFor();
      await until(async () => (await editor.rows().filter({ hasText: "greetings.ts" }).count()) === 0, 5_000, "other left out");
      await editor.page.keyboard.press("Escape");
      await editor.page.locator(".tab.active", { hasText: "__main__.py" }).waitFor({ timeout: 10_000 });
    });
  } finally {
    await editor.close();
  }
}

async function noFolder(command) {
  const editor = await Editor.open({ vsix: VSIX, settings: { "c2llm.server.path": command } });
  try {
    await step(editor, "27-no-folder", async () => {
      await search(editor, "anything");
      await editor.rows().filter({ hasText: "No folder is open" }).waitFor();
    });
  } finally {
    await editor.close();
  }
}

/** The editor's own MCP client starts our server and asks it. */
async function overMcp(command) {
  const settings = { "c2llm.server.path": command, "chat.disableAIFeatures": false };
  writeFileSync(join(folder, "prices.py"), FUNCTION.trimStart()); // what an agent reads is on the disk
  const editor = await Editor.open({ vsix: VSIX, extensions: [packed("prober")], folder, settings });
  try {
    await step(editor, "28-mcp-server", async () => {
      await editor.statusSays(/C2LLM$/, 120_000);
      await editor.command("MCP: List Servers");
      await editor.rows().filter({ hasText: "C2LLM Code Search" }).first().click();
      await editor.rows().filter({ hasText: "Start Server" }).first().click();
      await editor.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
      await editor.page.waitForTimeout(3_000); // the box of a server that starts comes back once
      await editor.page.keyboard.press("Escape");
      await editor.command("MCP: List Servers");
      await editor.rows().filter({ hasText: /C2LLM Code Search.*Running/s }).first().waitFor({ timeout: 30_000 });
      await editor.rows().filter({ hasText: "C2LLM Code Search" }).first().click();
      await editor.rows().filter({ hasText: "Show Output" }).first().click();
      await editor.page.locator(".view-line", { hasText: /Discovered.4.tools/ }).first().waitFor({ timeout: 60_000 });
    });
    await step(editor, "29-mcp-tool", async () => {
      const { listed, text } = await probed(editor, "Prober: Ask over MCP");
      assert(listed.filter((name) => name.startsWith("mcp_c2llm")).length === 4, `tools are ${listed}`);
      assert(/## prices\.py:1-\d+ \(function shipping_price\)/.test(text), text.slice(0, 300));
      assert(/All of it is current/.test(text), text.slice(0, 300));
    });
  } finally {
    await editor.close();
  }
}

/** A program that lies in the workspace is started when the workspace is trusted, and not before. */
async function restricted(command) {
  const bin = join(folder, "tools");
  mkdirSync(bin);
  const marker = join(work, "started-from-the-workspace");
  const inside = join(bin, "c2llm");
  writeFileSync(inside, `#!/bin/sh\ntouch "${marker}"\nexec "${command}" "$@"\n`);
  chmodSync(inside, 0o755);
  const settings = { "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never" };
  const editor = await Editor.open({ vsix: VSIX, folder, settings, path: `${bin}:/usr/bin:/bin` });
  try {
    await step(editor, "30-restricted", async () => {
      await notification(editor, "not installed").waitFor({ timeout: 30_000 });
      await notification(editor, "not installed").locator(".monaco-button", { hasText: "Install" }).click();
      await notification(editor, "Trust this workspace first").waitFor({ timeout: 10_000 });
      assert(!existsSync(marker), "a program of the workspace was started");
    });
    await step(editor, "31-trusted", async () => {
      await editor.command("Workspaces: Manage Workspace Trust");
      await editor.page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ }).first().click();
      await editor.statusSays(/C2LLM$/, 120_000);
      assert(existsSync(marker), "the program of the trusted workspace was not started");
    });
  } finally {
    await editor.close();
    rmSync(bin, { recursive: true });
  }
}

async function virtual(command) {
  const file = join(work, "virtual.code-workspace");
  writeFileSync(file, JSON.stringify({ folders: [{ uri: "probe:/somewhere" }] }));
  const settings = { "c2llm.server.path": command };
  const editor = await Editor.open({ vsix: VSIX, extensions: [packed("prober")], workspace: file, settings });
  try {
    await step(editor, "32-virtual-workspace", async () => {
      await search(editor, "anything");
      await editor.rows().filter({ hasText: "not on this machine's disk" }).waitFor({ timeout: 20_000 });
    });
  } finally {
    await editor.close();
  }
}

/** The server of the environment that the Python extension has chosen. */
async function ofPython(command) {
  const bin = join(work, "environment", "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "c2llm"), `#!/bin/sh\nexec "${command}" "$@"\n`);
  chmodSync(join(bin, "c2llm"), 0o755);
  const env = { CHOSEN_PYTHON: join(bin, "python") };
  const editor = await Editor.open({ vsix: VSIX, extensions: [packed("python")], folder, env });
  try {
    await step(editor, "33-environment-of-python", async () => {
      await editor.statusSays(/C2LLM$/, 120_000);
    });
    await step(editor, "34-outside-every-folder", async () => {
      const outside = join(work, "elsewhere.py");
      writeFileSync(outside, FUNCTION.trimStart());
      await editor.command("File: Open File...");
      const input = editor.page.locator(".quick-input-widget:visible input.input");
      await until(async () => (await input.inputValue().catch(() => "")).endsWith("/project/"), 10_000, "the dialog is there");
      await input.fill(outside);
      await editor.rows().filter({ hasText: "elsewhere.py" }).first().waitFor();
      await editor.page.keyboard.press("Enter");
      await editor.page.locator(".tab.active", { hasText: "elsewhere.py" }).waitFor({ timeout: 10_000 });
      await editor.command("C2LLM: Find Similar Code");
      await editor.page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).first().waitFor({ timeout: 10_000 });
    });
  } finally {
    await editor.close();
  }
}

async function noPython() {
  const editor = await Editor.open({ vsix: VSIX, folder, path: "/nowhere" });
  try {
    await step(editor, "35-no-python", async () => {
      await notification(editor, "not installed").locator(".monaco-button", { hasText: "Install" }).click({ timeout: 30_000 });
      await notification(editor, "C2LLM needs Python 3.10 to 3.13, which was not found").waitFor({ timeout: 20_000 });
    });
  } finally {
    await editor.close();
  }
}

function script(name, text) {
  const file = join(work, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

/** What stands in for the installed server where C2LLM names one: the installation is left out then. */
const given = process.env.C2LLM;

async function main() {
  required("CODE_SERVER", "the path of code-server's out/node/entry.js");
  assert(existsSync(VSIX), `${VSIX} is not there: npm run package`);
  mkdirSync(SHOTS, { recursive: true });
  project();
  const settings = given ? { "c2llm.server.path": given } : { "c2llm.server.requirement": `${PROJECT}[mcp]` };
  const editor = await Editor.open({ vsix: VSIX, extensions: [packed("prober")], folder, settings });
  let command = given;
  try {
    if (given) {
      await editor.statusSays(/C2LLM$/, 120_000);
    } else {
      await notInstalled(editor);
      command = join(editor.managed(), "bin", "c2llm");
    }
    await searching(editor);
    await fromCode(editor);
    await forAgents(editor);
    await measured(editor);
    await lifecycle(editor);
    await trouble(editor);
    await severalFolders(command);
    await noFolder(command);
    await overMcp(command);
    await restricted(command);
    await virtual(command);
    await ofPython(command);
    await noPython();
  } finally {
    await editor.close();
  }
  rmSync(work, { recursive: true, force: true });
  const failed = results.filter(([, good]) => !good).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => process.exit(1));
}
process.exitCode = await main();
