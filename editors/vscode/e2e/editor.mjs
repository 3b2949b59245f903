// A real VS Code: code-server in a home of its own, driven through Chromium.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CODE_SERVER = required("CODE_SERVER", "the path of code-server's out/node/entry.js");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SIZE = { width: 1280, height: 800 };
const START_MS = 60_000;

const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Dark Modern",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "workbench.tips.enabled": false,
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "editor.minimap.enabled": false,
  "editor.autoIndent": "none", // what is put in stays as it is
  "files.autoSave": "off",
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
};

export class Editor {
  static async open({ vsix, extensions = [], folder, settings = {}, path = "/usr/bin:/bin", workspace, env = {} }) {
    const editor = new Editor();
    editor.home = mkdtempSync(join(tmpdir(), "c2llm-e2e-"));
    editor.data = join(editor.home, "data");
    // Settings of the scope "machine" count from the machine's file alone where the editor runs in a browser.
    for (const [kind, values] of [["User", { ...SETTINGS, ...settings }], ["Machine", settings]]) {
      mkdirSync(join(editor.data, kind), { recursive: true });
      writeFileSync(join(editor.data, kind, "settings.json"), JSON.stringify(values));
    }
    editor.env = {
      PATH: path,
      HOME: editor.home,
      LANG: "C.UTF-8",
      C2LLM_CACHE_DIR: join(editor.home, "cache"),
      PROBER_FILE: join(editor.home, "prober.json"),
      VSCODE_CLI: "1", // PATH as it is here, not as a login shell makes it
      ...pip(),
      ...env,
    };
    editor.common = [CODE_SERVER, "--user-data-dir", editor.data, "--extensions-dir", join(editor.home, "extensions")];
    for (const one of [vsix, ...extensions]) {
      editor.installs(one);
    }
    const port = await freePort();
    const args = [...editor.common, "--bind-addr", `127.0.0.1:${port}`, "--auth", "none", "--disable-telemetry"];
    editor.server = spawn(process.execPath, [...args, "--disable-update-check", "--disable-getting-started-override"], {
      env: editor.env,
      cwd: editor.home,
      stdio: ["ignore", "pipe", "pipe"],
    });
    process.once("exit", () => editor.server.kill()); // it must not outlive a run that was stopped
    editor.output = "";
    editor.server.stdout.on("data", (text) => (editor.output += text));
    editor.server.stderr.on("data", (text) => (editor.output += text));
    await until(() => /HTTP server listening/.test(editor.output), START_MS, "code-server listens");
    editor.browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    editor.page = await editor.browser.newPage({ viewport: SIZE });
    const query = workspace ? `workspace=${workspace}` : folder ? `folder=${folder}` : "ew=true";
    await editor.page.addInitScript(noteStatuses);
    await editor.page.goto(`http://127.0.0.1:${port}/?${query}`);
    await editor.page.waitForSelector(".monaco-workbench .statusbar", { timeout: START_MS });
    return editor;
  }

  /** Change settings while the editor runs. */
  set(settings) {
    writeFileSync(join(this.data, "Machine", "settings.json"), JSON.stringify(settings));
  }

  /** The environment that the extension makes for itself. */
  managed() {
    return join(this.data, "User", "globalStorage", "c2llm.c2llm", "environment");
  }

  installs(vsix) {
    const args = [...this.common, "--install-extension", vsix];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: this.env, encoding: "utf8" });
    if (status !== 0) {
      throw new Error(`${stdout}\n${stderr}`);
    }
  }

  /** Run a command by its title. */
  async command(title) {
    const { page } = this;
    const input = page.locator(".quick-input-widget:visible input.input");
    // A preview that goes back to where one was takes the focus, and with it the palette, away.
    for (let left = 4, open = false; !open; left -= 1) {
      await page.keyboard.press("F1");
      try {
        await input.fill(`>${title}`, { timeout: 3_000 });
        open = true;
      } catch (error) {
        if (left === 0) {
          throw error;
        }
      }
    }
    const row = page.locator(".quick-input-widget .monaco-list-row", { hasText: title }).first();
    // The palette lists what is there when it is asked, and just after the start not all commands are.
    for (let n = 0; n < 30 && !(await row.isVisible()); n += 1) {
      await input.fill(`>${title}${" ".repeat(n % 2)}`);
      await page.waitForTimeout(500);
    }
    await row.click();
  }

  async openFile(path) {
    const { page } = this;
    await page.keyboard.press("Control+p");
    const input = page.locator(".quick-input-widget:visible input.input");
    await input.waitFor();
    await input.fill(path);
    await page.locator(".quick-input-widget .monaco-list-row", { hasText: path.split("/").at(-1) }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".tab.active", { hasText: path.split("/").at(-1) }).waitFor();
    await page.locator(".editor-instance .monaco-editor.focused").waitFor(); // what is typed before is lost
  }

  status() {
    return this.page.locator(".statusbar-item", { hasText: "C2LLM" }).first();
  }

  async statusSays(pattern, withinMs = 60_000) {
    await until(async () => pattern.test(await this.status().innerText({ timeout: 1_000 }).catch(() => "")), withinMs, `status ${pattern}`);
  }

  /** All that the item has said since the window was opened, or since it was forgotten. */
  statuses() {
    return this.page.evaluate(() => globalThis.c2llmStatuses);
  }

  forgetStatuses() {
    return this.page.evaluate(() => globalThis.c2llmStatuses.splice(0));
  }

  /** What stands in the box. */
  typed() {
    return this.page.locator(".quick-input-widget:visible input.input").inputValue();
  }

  rows() {
    return this.page.locator(".quick-input-widget .monaco-list-row");
  }

  async shot(file) {
    await this.page.screenshot({ path: file });
  }

  async close() {
    await this.browser?.close();
    this.server?.kill("SIGTERM");
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/** In the page: what the status-bar item says, however shortly. */
function noteStatuses() {
  const seen = (globalThis.c2llmStatuses = []);
  const look = () => {
    for (const item of document.querySelectorAll(".statusbar-item")) {
      const text = item.textContent.trim();
      if (text.includes("C2LLM") && seen.at(-1) !== text) {
        seen.push(text);
      }
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}

export async function until(holds, withinMs, what) {
  const end = Date.now() + withinMs;
  while (Date.now() < end) {
    if (await holds()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Not within ${withinMs} ms: ${what}`);
}

export function required(name, what) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`Set ${name} to ${what}.`);
  }
  return value;
}

/** pip in the editor's process asks the index that this shell would. */
function pip() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PIP_|HTTPS?_PROXY|SSL_|REQUESTS_)/i.test(name)));
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
