// The extension in a real VS Code, from "the server is not installed" to the end. See README.md, "Real-editor run".
//
//   CODE_SERVER=…/code-server/out/node/entry.js PROJECT=…/c2llm-lsp node e2e/run.mjs [GROUP …]
//
// PROJECT is a checkout of this project: its code is what is searched. The server is installed by the button. With C2LLM=…/c2llm,
// a server that is there, single groups of steps can be run: window, and those of GROUPS below.
// Pictures go to $SHOTS (shots/ without it). Exits with 1 when a step fails.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { Editor, required } from "./editor.mjs";
import { assert, folder, NOT_JUDGED, packed, project, results, SHOTS, VSIX, work } from "./steps.mjs";
import { GROUPS } from "./situations.mjs";
import { oneWindow } from "./window.mjs";

/** What stands in for the installed server where C2LLM names one: the installation is left out then. */
const given = process.env.C2LLM;

async function main(wanted) {
  required("CODE_SERVER", "the path of code-server's out/node/entry.js");
  assert(existsSync(VSIX), `${VSIX} is not there: npm run package`);
  assert(given || wanted.length === 0, "Set C2LLM to the path of a server: groups of steps install none.");
  mkdirSync(SHOTS, { recursive: true });
  project();
  const chosen = (name) => wanted.length === 0 || wanted.includes(name);
  const settings = given ? { "c2llm.server.path": given } : {};
  const editor = chosen("window") ? await Editor.open({ vsix: VSIX, extensions: [packed("prober")], folder, settings }) : undefined;
  try {
    if (editor) {
      await oneWindow(editor, given);
    }
    const command = given ?? join(editor.managed(), "bin", "c2llm"); // where it was installed: it goes with its window
    for (const name of Object.keys(GROUPS).filter(chosen)) {
      await GROUPS[name](command);
    }
  } finally {
    await editor?.close();
  }
  rmSync(work, { recursive: true, force: true });
  const counts = ["passed", "failed", NOT_JUDGED].map((how) => [results.filter(([, ended]) => ended === how).length, how]);
  console.log(counts.map((count) => count.join(" ")).join(", "));
  return counts[1][0] === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => process.exit(1));
}
process.exitCode = await main(process.argv.slice(2));
