// One window, from "the server is not installed" to a server that crashes at start.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { until } from "./editor.mjs";
import { keptResults, narrowed } from "./results.mjs";
import { assert, first, FUNCTION, notification, probed, script, search, step } from "./steps.mjs";

const INSTALL_MS = 420_000;

async function notInstalled(editor) {
  await step(editor, "not-installed", async () => {
    await notification(editor, "The C2LLM server is not installed").waitFor({ timeout: 30_000 });
    await editor.statusSays(/not installed/);
  });
  await step(editor, "installing", async () => {
    await notification(editor, "not installed").locator(".monaco-button", { hasText: "Install" }).click();
    await notification(editor, "Installing C2LLM").waitFor();
    await notification(editor, /installing|unpacking|[a-z]+-[a-z]+/).waitFor({ timeout: 60_000 });
  });
  await step(editor, "installed", async () => {
    await editor.statusSays(/C2LLM$|indexing/, INSTALL_MS);
    await editor.statusSays(/C2LLM$/, 120_000);
  });
}

async function searching(editor) {
  const { page } = editor;
  await step(editor, "unsaved-function-found", async () => {
    await editor.openFile("prices.py");
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText(FUNCTION);
    await page.locator(".tab.dirty", { hasText: "prices.py" }).waitFor();
    await search(editor, "cost of sending a parcel");
    await first(editor, "shipping_price");
    assert(await page.locator(".tab.dirty", { hasText: "prices.py" }).count(), "prices.py was saved");
  });
  await step(editor, "filter", async () => {
    await page.locator(".quick-input-titlebar .action-label[aria-label^='Filter by']").click();
    await editor.rows().filter({ hasText: /^python/ }).waitFor(); // what the index holds
    await page.keyboard.type("class");
    await page.keyboard.press("Enter");
    await until(async () => (await editor.typed()) === "kind:class cost of sending a parcel", 10_000, "the filter is in the question");
    await until(async () => {
      const icons = await editor.rows().locator(".quick-input-list-label .codicon").evaluateAll((all) => all.map((one) => one.className));
      return icons.length > 3 && icons.every((name) => name.includes("symbol-class"));
    }, 10_000, "classes only");
    await page.keyboard.type(" by weight"); // goes on behind the filter
    assert((await editor.typed()) === "kind:class cost of sending a parcel by weight", await editor.typed());
  });
  await step(editor, "rank-kept", async () => {
    await page.keyboard.press("Control+a");
    await page.keyboard.type("search", { delay: 25 });
    await editor.rows().filter({ hasText: ":" }).nth(5).waitFor();
    await page.waitForTimeout(600);
    const labels = await editor.rows().locator(".label-name").allInnerTexts();
    const sorted = [...labels].sort((a, b) => a.localeCompare(b));
    assert(labels.join() !== sorted.join(), "the editor sorted the results by letters");
  });
  await step(editor, "preview", async () => {
    await page.keyboard.press("Control+a");
    await page.keyboard.type("which files does git ignore", { delay: 25 });
    await editor.rows().filter({ hasText: /ignore/i }).first().waitFor();
    await page.waitForTimeout(800);
    await page.keyboard.press("ArrowDown");
    const place = await page.locator(".quick-input-widget .monaco-list-row.focused .label-description").innerText();
    const [path, line] = place.split(":");
    await page.locator(".tab.active", { hasText: path.split("/").at(-1) }).waitFor();
    await page.locator(".editor-instance .line-numbers").getByText(line, { exact: true }).waitFor();
    await page.waitForTimeout(1_000); // for the picture: colours come after the text
  });
  await step(editor, "escape-goes-back", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".tab.active", { hasText: "prices.py" }).waitFor();
    await until(async () => (await page.locator(".tab").count()) === 1, 5_000, "the previewed tab is closed");
    await page.keyboard.press("Control+Shift+e");
    await page.locator(".explorer-folders-view .monaco-list-row", { hasText: /^search$/ }).waitFor();
    const unfolded = page.locator(".explorer-folders-view .monaco-list-row[aria-expanded='true'][aria-level='1']");
    assert((await unfolded.count()) === 0, "the preview has unfolded the Explorer");
  });
  await step(editor, "jump", async () => {
    await search(editor, "cost of sending a parcel");
    await first(editor, "shipping_price");
    await page.keyboard.press("Enter");
    await page.locator(".statusbar-item", { hasText: /Ln 4, Col 5/ }).waitFor({ timeout: 5_000 });
  });
}

async function fromCode(editor) {
  const { page } = editor;
  await step(editor, "explain", async () => {
    await editor.command("C2LLM: Explain This Match");
    await until(async () => (await page.locator(".view-overlays [class*=ced-]").count()) > 5, 10_000, "heat-map");
  });
  await step(editor, "escape-clears", async () => {
    await page.keyboard.press("Escape");
    await until(async () => (await page.locator(".view-overlays [class*=ced-]").count()) === 0, 5_000, "heat-map gone");
  });
  await step(editor, "similar", async () => {
    await search(editor, "merge ranked lists");
    await editor.rows().filter({ hasText: ":" }).first().waitFor();
    await page.keyboard.press("Enter");
    // Until it is there it would take the focus from what comes next.
    await page.locator(".tab.active:not([aria-label^='prices.py'])").waitFor();
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await editor.command("C2LLM: Find Similar Code");
    await page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).nth(1).waitFor({ timeout: 10_000 });
  });
  await step(editor, "similar-to-selection", async () => {
    await page.locator(".editor-instance .view-lines").first().click();
    await page.keyboard.press("Control+Home");
    for (let n = 0; n < 12; n += 1) {
      await page.keyboard.press("Shift+ArrowDown");
    }
    await editor.command("C2LLM: Find Similar Code");
    await page.locator(".pane-body", { hasText: /Like search\/merging\.py:1-1\d/ }).waitFor({ timeout: 10_000 });
    // The list before, of a function, has these lines.
    const itself = page.locator(".pane-body .monaco-list-row", { hasText: /merging\.py:1\D*$/ });
    await until(async () => (await itself.count()) === 0, 10_000, "without the selection itself");
    await page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).nth(1).waitFor();
  });
  await step(editor, "menus", async () => {
    await page.locator(".editor-instance .view-lines").first().click({ button: "right" });
    await page.locator(".monaco-menu .action-item", { hasText: "C2LLM" }).hover();
    for (const title of ["Semantic Search", "Find Similar Code", "Explain This Match", "Copy Context for Prompt"]) {
      await page.locator(".monaco-menu .action-item", { hasText: title }).first().waitFor({ timeout: 5_000 });
    }
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+Shift+e");
    await page.locator(".explorer-folders-view .monaco-list-row", { hasText: /^search$/ }).click({ button: "right" });
    await page.locator(".monaco-menu .action-item", { hasText: "Semantic Search Here" }).click();
    await until(async () => (await editor.typed()) === "path:/search/** ", 10_000, "the folder is in the question");
    await page.keyboard.type("rank"); // goes on behind the filter
    assert((await editor.typed()) === "path:/search/** rank", await editor.typed());
    await editor.rows().filter({ hasText: /search\/\w+\.py:\d+/ }).first().waitFor();
    const places = await editor.rows().locator(".label-description").allInnerTexts();
    assert(places.every((place) => place.startsWith("search/")), `found outside: ${places}`);
    await page.keyboard.press("Escape");
  });
  await step(editor, "peek", async () => {
    await editor.command("C2LLM: Peek All");
    await page.locator(".peekview-widget").waitFor({ timeout: 10_000 });
    await page.waitForTimeout(800);
  });
  await step(editor, "copy-context", async () => {
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
  await step(editor, "code-action", async () => {
    await editor.openFile("merging.py");
    await page.keyboard.press("Control+Shift+r");
    await page.locator(".action-widget .monaco-list-row", { hasText: "Find similar code" }).click({ timeout: 10_000 });
    await page.locator(".pane-body .monaco-list-row", { hasText: /\.py:\d+/ }).first().waitFor({ timeout: 10_000 });
  });
}

async function forAgents(editor) {
  await step(editor, "tool", async () => {
    const { listed, text } = await probed(editor, "Prober: Ask the Tool");
    assert(listed.includes("c2llm_search"), `tools are ${listed}`);
    assert(/## prices\.py:4 \(function shipping_price\)/.test(text), text.slice(0, 300));
  });
}

async function lifecycle(editor) {
  const { page } = editor;
  await step(editor, "reindex", async () => {
    await editor.command("C2LLM: Reindex");
    await page.locator(".statusbar-item", { hasText: "All files are compared with the index" }).waitFor();
    await editor.statusSays(/C2LLM$/);
  });
  await step(editor, "status", async () => {
    await editor.command("C2LLM: Show Status");
    await page.locator(".tab.active", { hasText: "C2LLM Status" }).waitFor();
    const view = page.frameLocator("iframe.webview").frameLocator("iframe");
    await view.locator("td", { hasText: "python" }).waitFor({ timeout: 30_000 });
  });
  await step(editor, "menu", async () => {
    await editor.status().click();
    await editor.rows().filter({ hasText: "Stop the Server" }).waitFor();
  });
  await step(editor, "stop", async () => {
    await editor.rows().filter({ hasText: "Stop the Server" }).click();
    await editor.statusSays(/stopped/);
    await search(editor, "anything");
    await editor.rows().filter({ hasText: "The C2LLM server is stopped" }).waitFor();
    await page.keyboard.press("Escape");
  });
  await step(editor, "start", async () => {
    await editor.command("C2LLM: Start the Server");
    await editor.statusSays(/C2LLM$/);
    await search(editor, "cost of sending a parcel");
    await first(editor, "shipping_price");
    await page.keyboard.press("Escape");
  });
}

async function trouble(editor, command) {
  const crashing = script("crashing", '#!/bin/sh\necho started >> "$0.log"\necho "ModuleNotFoundError: No module named numpy" >&2\nexit 1\n');
  const old = script("old", `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "old-server.mjs")}"\n`);
  await step(editor, "crashes-at-start", async () => {
    editor.set({ "c2llm.server.path": crashing });
    await notification(editor, "crashed three times").waitFor({ timeout: 30_000 });
    const tries = readFileSync(`${crashing}.log`, "utf8").trim().split("\n").length;
    assert(tries === 3, `${tries} tries`);
    await editor.statusSays(/failed/);
    assert((await notification(editor, "C2LLM server").count()) === 1, "more than one message");
  });
  await step(editor, "log", async () => {
    await editor.page.mouse.move(640, 300); // what is shown of the item under it hides the button
    await notification(editor, "crashed three times").locator(".monaco-button", { hasText: "Show Log" }).click();
    await editor.page.locator(".output-view, .panel", { hasText: "ModuleNotFoundError" }).first().waitFor();
  });
  await step(editor, "old-server", async () => {
    editor.set({ "c2llm.server.path": old });
    await notification(editor, "too old").waitFor({ timeout: 30_000 });
  });
  await step(editor, "wrong-path", async () => {
    editor.set({ "c2llm.server.path": "/nowhere/c2llm" });
    await notification(editor, "/nowhere/c2llm").waitFor({ timeout: 30_000 });
  });
  await step(editor, "message-goes-with-its-cause", async () => {
    editor.set({ "c2llm.server.path": command });
    await editor.statusSays(/C2LLM$|indexing/);
    await notification(editor, "/nowhere/c2llm").waitFor({ state: "hidden", timeout: 10_000 });
  });
}

/** All of it; without the installation where a server is given. */
export async function oneWindow(editor, given) {
  if (given) {
    await editor.statusSays(/C2LLM$/, 120_000);
  } else {
    await notInstalled(editor);
  }
  await step(editor, "progress", async () => {
    const seen = await editor.statuses();
    assert(seen.some((text) => /indexing \d+ %/.test(text)), `the status bar said ${seen.join(", ")}`);
  });
  await searching(editor);
  await fromCode(editor);
  await forAgents(editor);
  await narrowed(editor);
  await keptResults(editor);
  await lifecycle(editor);
  await trouble(editor, given ?? join(editor.managed(), "bin", "c2llm"));
}
