/** What can be done as things stand: behind the status-bar item, and behind a request that found no server. */

import * as vscode from "vscode";

import { type Health, OPEN_FOLDER, sentence } from "../server/health.ts";
import type { Server } from "../server/server.ts";
import { line } from "./text.ts";

interface Entry extends vscode.QuickPickItem {
  command: string;
}

const ENTRIES = {
  open: { label: `$(folder-opened) ${OPEN_FOLDER.title}…`, command: OPEN_FOLDER.command },
  search: { label: "$(search) Semantic Search", command: "c2llm.search" },
  similar: { label: "$(references) Find Similar Code", command: "c2llm.findSimilar" },
  status: { label: "$(info) Show Status", command: "c2llm.showStatus" },
  reindex: { label: "$(refresh) Reindex", command: "c2llm.reindex" },
  resume: { label: "$(debug-continue) Resume Indexing", command: "c2llm.resume" },
  pause: { label: "$(debug-pause) Pause Indexing", command: "c2llm.pause" },
  start: { label: "$(play) Start the Server", command: "c2llm.start" },
  restart: { label: "$(debug-restart) Restart the Server", command: "c2llm.restart" },
  stop: { label: "$(debug-stop) Stop the Server", command: "c2llm.stop" },
  install: { label: "$(cloud-download) Install the Server", command: "c2llm.install" },
  path: { label: "$(gear) Set the Server's Path", command: "c2llm.openServerPath" },
  log: { label: "$(output) Show Log", command: "c2llm.showLog" },
} satisfies Record<string, Entry>;

export async function menu(server: Server): Promise<void> {
  const chosen = await vscode.window.showQuickPick<Entry>(entries(server.health), {
    title: server.version ? `C2LLM ${server.version}` : "C2LLM",
    placeHolder: standing(server.health),
  });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

function standing(health: Health): string {
  const known = health.kind === "running" ? health.folders.map(line).join(" · ") : "";
  return known || sentence(health);
}

function entries(health: Health): Entry[] {
  const e = ENTRIES;
  switch (health.kind) {
    case "running": {
      const busy = health.folders.some((folder) => folder.work !== null);
      const paused = health.folders.some((folder) => folder.state === "paused");
      const indexing = [...(paused ? [e.resume] : []), ...(busy ? [e.pause] : []), ...(busy || paused ? [] : [e.reindex])];
      return [e.search, e.similar, e.status, ...indexing, e.restart, e.stop, e.log];
    }
    case "installing":
      return [e.log];
    case "starting":
      return [e.stop, e.log];
    case "missing":
      return [e.install, e.path, e.start, e.log];
    case "failed":
      return [e.log, e.restart, e.install, e.path];
    case "stopped":
      return [e.start, e.log];
    case "no folder":
      return [e.open, e.log];
  }
}
