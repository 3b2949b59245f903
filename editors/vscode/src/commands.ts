/** The commands, each by its name in package.json; a test compares the two lists. */

import * as vscode from "vscode";

import { copyContext } from "./context.ts";
import type { HeatMap } from "./explain/map.ts";
import {
  type ContextParams,
  SERVER_CONTEXT,
  SERVER_REINDEX,
  SERVER_SIMILAR,
  type SimilarParams,
  STATUS,
  type StatusAnswer,
} from "./protocol.ts";
import type { Results } from "./results/view.ts";
import type { Search } from "./search/box.ts";
import { acceptBeside, keepResults, searchIn, showSearch } from "./search/open.ts";
import { pathFilter } from "./search/question.ts";
import { installServer } from "./server/install.ts";
import type { Server } from "./server/server.ts";
import { findSimilar, outline, uses } from "./structure.ts";
import { menu } from "./status/menu.ts";
import { showPage } from "./status/page.ts";
import { page } from "./status/text.ts";
import { working } from "./working.ts";

const SHOWN_MS = 5_000;

export interface Parts {
  server: Server;
  results: Results;
  map: HeatMap;
  search: Search;
  log: vscode.LogOutputChannel;
}

export function registerCommands(parts: Parts): vscode.Disposable[] {
  const { server, results, map, search, log } = parts;
  const commands: Record<string, (...args: never[]) => unknown> = {
    "c2llm.search": (typed?: unknown) => showSearch(search, typeof typed === "string" ? typed : selectedWords()),
    "c2llm.searchHere": (uri?: vscode.Uri) => searchHere(parts, uri),
    "c2llm.findSimilar": () => findSimilar(server, results),
    "c2llm.copyContext": () => copyContext(server),
    "c2llm.explain": () => map.explain(),
    "c2llm.clearExplanation": () => map.clear(),
    "c2llm.searchBeside": () => acceptBeside(),
    "c2llm.keep": () => keepResults(),
    "c2llm.searchFolder": () => searchIn(search, "folder"),
    "c2llm.searchPackage": () => searchIn(search, "package"),
    "c2llm.searchOpen": () => searchIn(search, "open"),
    "c2llm.searchChanged": () => searchIn(search, "changed"),
    "c2llm.searchWithoutTests": () => searchIn(search, "no-tests"),
    "c2llm.callers": () => uses(server, results, "callers"),
    "c2llm.callees": () => uses(server, results, "callees"),
    "c2llm.references": () => uses(server, results, "references"),
    "c2llm.outline": (uri?: vscode.Uri) => outline(server, results, uri),
    "c2llm.reindex": () => reindex(server),
    "c2llm.resume": () => reindex(server), // it ends a pause
    "c2llm.pause": () => server.pause(),
    "c2llm.showStatus": () => showStatus(server),
    "c2llm.showLog": () => log.show(),
    "c2llm.start": () => server.start(),
    "c2llm.stop": () => server.stop(),
    "c2llm.restart": () => server.restart(),
    "c2llm.install": () => installServer(server, log),
    "c2llm.openServerPath": () => vscode.commands.executeCommand("workbench.action.openSettings", "c2llm.server.path"),
    "c2llm.menu": () => menu(server),
  };
  return Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(name, run));
}

/** The server's code actions name commands of the server; the extension has better ways to show what they find. */
export function takeCommand(parts: () => Parts): (command: string, args: unknown[]) => Promise<unknown> | undefined {
  return (command, [asked]) => {
    switch (command) {
      case SERVER_SIMILAR:
        return findSimilar(parts().server, parts().results, asked as SimilarParams);
      case SERVER_CONTEXT:
        return copyContext(parts().server, asked as ContextParams);
      default:
        return undefined;
    }
  };
}

async function searchHere(parts: Parts, uri?: vscode.Uri): Promise<void> {
  if (uri === undefined || vscode.workspace.getWorkspaceFolder(uri) === undefined) {
    showSearch(parts.search);
    return;
  }
  const path = vscode.workspace.asRelativePath(uri, false);
  const { type } = await vscode.workspace.fs.stat(uri);
  const isRoot = vscode.workspace.workspaceFolders?.some((folder) => folder.uri.toString() === uri.toString());
  const filter = isRoot ? "" : `${pathFilter(path, (type & vscode.FileType.Directory) !== 0)} `;
  showSearch(parts.search, filter);
}

async function reindex(server: Server): Promise<void> {
  const answer = await working("Comparing all files with the index", (token) =>
    server.request("workspace/executeCommand", { command: SERVER_REINDEX, arguments: [{}] }, token),
  );
  if (answer !== undefined) {
    vscode.window.setStatusBarMessage("$(refresh) All files are compared with the index", SHOWN_MS); // it may find nothing to do
  }
}

async function showStatus(server: Server): Promise<void> {
  const status = await working("Asking for the status", (token) => server.request<StatusAnswer>(STATUS, {}, token));
  if (status === undefined) {
    return;
  }
  await showPage(page(status));
}

/** What is selected on one line is what a person wants to find. */
function selectedWords(): string {
  const editor = vscode.window.activeTextEditor;
  return editor?.selection.isSingleLine ? editor.document.getText(editor.selection).trim() : "";
}
