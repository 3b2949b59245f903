// The search box narrowed down by keys, and the view that keeps results.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { until } from "./editor.mjs";
import { assert, first, folder, notification, search, SHOTS, step } from "./steps.mjs";

const places = (editor) => editor.rows().locator(".label-description").allInnerTexts();
const listed = (page) => page.locator(".pane-body .monaco-list-row");
const message = (page) => page.locator(".pane-body .message");

/** What is not saved stays open. */
async function saved(editor) {
  await editor.command("View: Close Saved Editors in Group");
  await until(async () => (await editor.page.locator(".tab").count()) <= 1, 10_000, "what is saved is closed");
}

/** prices.py is open, with a function that is not saved. */
export async function narrowed(editor) {
  const { page } = editor;
  await step(editor, "question-kept", async () => {
    await search(editor, "which files does git ignore");
    await page.keyboard.press("Escape");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await editor.command("C2LLM: Semantic Search");
    await until(async () => (await editor.typed()) === "which files does git ignore", 5_000, "the last question is there again");
    await page.keyboard.type("x"); // it is selected: typing replaces it
    await until(async () => (await editor.typed()) === "x", 5_000, "typing replaces it");
    await page.keyboard.press("Escape");
  });
  await step(editor, "open-to-the-side", async () => {
    await search(editor, "merge ranked lists");
    await editor.rows().filter({ hasText: ":" }).first().waitFor();
    await page.keyboard.press("Control+Enter");
    await until(async () => (await page.locator(".editor-group-container").count()) === 2, 10_000, "two groups");
    await editor.command("View: Close All Editors in Group");
    await until(async () => (await page.locator(".editor-group-container").count()) === 1, 10_000, "one group");
  });
  await step(editor, "nothing-certain", async () => {
    await search(editor, "xyzzy plugh frobnicate");
    await page.locator(".quick-input-widget", { hasText: "nothing certain was found" }).waitFor({ timeout: 10_000 });
    await editor.shot(join(SHOTS, "nothing-certain-box.png"));
    await page.keyboard.press("Escape");
  });
  await step(editor, "filter-that-matches-nothing", async () => {
    await search(editor, "lang:cobol merge lists");
    await editor.rows().filter({ hasText: /No cobol is indexed; there is python/ }).waitFor({ timeout: 10_000 });
    await page.keyboard.press("Control+a");
    await page.keyboard.type("kind:func merge lists");
    await page.locator(".quick-input-title", { hasText: "no kind “func”: there are function" }).waitFor({ timeout: 10_000 });
    await page.keyboard.press("Escape");
  });
  await step(editor, "open-files", async () => {
    await saved(editor);
    await search(editor, "price of something");
    await page.keyboard.press("Alt+b");
    await until(async () => (await editor.typed()) === "in:open price of something", 5_000, "the scope is in the question");
    await until(async () => (await places(editor)).every((place) => place.startsWith("prices.py:")), 10_000, "open files alone");
    await page.locator(".quick-input-title", { hasText: "in open files" }).waitFor();
    await page.keyboard.press("Alt+b");
    await until(async () => (await editor.typed()).trim() === "price of something", 5_000, "the scope is gone");
    await until(async () => (await places(editor)).some((place) => !place.startsWith("prices.py:")), 10_000, "all files");
  });
  await step(editor, "scope-keys", async () => {
    for (const [key, name] of [["d", "folder"], ["k", "package"], ["c", "changed"], ["t", "no-tests"]]) {
      await page.keyboard.press(`Alt+${key}`);
      await until(async () => (await editor.typed()).startsWith(`in:${name} `), 5_000, `Alt+${key}`);
      await page.keyboard.press(`Alt+${key}`);
    }
    await page.keyboard.press("Escape");
  });
  await step(editor, "changed-files", async () => {
    const git = (...args) => execFileSync("git", ["-c", "user.name=c2llm", "-c", "user.email=c2llm@localhost", ...args], { cwd: folder, stdio: "ignore" });
    git("init");
    git("add", ".");
    git("commit", "-m", "all");
    await editor.command("C2LLM: Search in Changed Files");
    await until(async () => (await editor.typed()).startsWith("in:changed"), 5_000, "the scope is in the box");
    await page.keyboard.type("merge ranked lists", { delay: 25 });
    await editor.rows().filter({ hasText: /No indexed file has changed/ }).waitFor({ timeout: 20_000 });
    await page.keyboard.press("Escape");
  });
}

export async function keptResults(editor) {
  const { page } = editor;
  await step(editor, "results", async () => {
    await search(editor, "merge ranked lists");
    await editor.rows().filter({ hasText: "merging.py" }).first().waitFor();
    await page.keyboard.press("Alt+Enter");
    await listed(page).filter({ hasText: /merging\.py:\d+/ }).first().waitFor({ timeout: 10_000 });
    await message(page).filter({ hasText: /merge ranked lists — 30 results in \d+ files · up to date/ }).waitFor();
    assert((await listed(page).locator(".highlight").count()) > 2, "what matches is not marked");
    await page.waitForTimeout(800);
  });
  await step(editor, "results-more", async () => {
    const files = async () => Number(/in (\d+) files/.exec(await message(page).innerText())?.[1]);
    const before = await files();
    await editor.command("C2LLM: Show More Results");
    await until(async () => (await files()) > before, 10_000, "more files");
  });
  await step(editor, "results-filter", async () => {
    await listed(page).filter({ hasText: /^Filters/ }).click();
    await listed(page).filter({ hasText: /^Kind/ }).click();
    await editor.rows().filter({ hasText: /^class/ }).first().click();
    await page.keyboard.press("Enter");
    await message(page).filter({ hasText: /kind:class merge ranked lists/ }).waitFor({ timeout: 10_000 });
    await page.waitForTimeout(500);
  });
  await step(editor, "results-follow-edits", async () => {
    await editor.openFile("prices.py");
    await search(editor, "cost of sending a parcel");
    await first(editor, "shipping_price");
    await page.keyboard.press("Alt+Enter");
    await listed(page).filter({ hasText: /prices\.py:4/ }).waitFor({ timeout: 10_000 });
    await page.locator(".editor-instance .view-lines").first().click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await listed(page).filter({ hasText: /prices\.py:6/ }).waitFor({ timeout: 20_000 });
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
  });
  await step(editor, "results-open-at-line", async () => {
    await listed(page).filter({ hasText: /prices\.py:4/ }).click({ timeout: 20_000 });
    await page.locator(".statusbar-item", { hasText: /Ln 4, Col 5/ }).waitFor({ timeout: 5_000 });
  });
  await step(editor, "results-copied", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await editor.command("C2LLM: Copy Results as Context");
    await notification(editor, /Copied \d+ places/).first().waitFor({ timeout: 10_000 });
    assert(/prices\.py:\d/.test(await page.evaluate(() => navigator.clipboard.readText())), "the clipboard has something else");
  });
  await step(editor, "results-in-a-search-editor", async () => {
    await editor.command("C2LLM: Open Results in a Search Editor");
    await page.locator(".view-line", { hasText: /#.Query:.cost.of.sending/ }).waitFor({ timeout: 10_000 });
    await page.waitForTimeout(800);
    await editor.command("View: Revert and Close Editor");
  });
  await step(editor, "results-open-all", async () => {
    await search(editor, "path:/search/** kind:class merge");
    await editor.rows().filter({ hasText: ":" }).first().waitFor();
    await page.keyboard.press("Alt+Enter");
    await message(page).filter({ hasText: /kind:class merge — / }).waitFor({ timeout: 10_000 });
    const files = Number(/in (\d+) file/.exec(await message(page).innerText())?.[1]);
    await editor.command("C2LLM: Open All Results");
    if (files > 15) {
      await page.locator(".monaco-dialog-box .monaco-button", { hasText: "Open All" }).click();
    }
    await until(async () => (await page.locator(".tab").count()) > files, 20_000, `${files} tabs`);
  });
  await step(editor, "callers", async () => {
    await saved(editor);
    await search(editor, "path:merging.py kind:function merge");
    await first(editor, "merging.py:");
    await page.keyboard.press("Enter");
    await page.locator(".tab.active", { hasText: "merging.py" }).waitFor({ timeout: 10_000 });
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await editor.command("C2LLM: Show Callers");
    await message(page).filter({ hasText: /Callers of merge — \d+ results? in/ }).waitFor({ timeout: 10_000 });
    await listed(page).filter({ hasText: /pipeline\.py:\d+/ }).first().waitFor();
  });
  await step(editor, "outline", async () => {
    await editor.command("C2LLM: Show Outline");
    await message(page).filter({ hasText: /Outline of search\/merging\.py — \d+ results in 1 file/ }).waitFor({ timeout: 10_000 });
    await page.waitForTimeout(500);
    await saved(editor);
  });
}
