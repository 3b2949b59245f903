/** Puts the parts together. What can live in the server does; nothing here knows how code is searched. */

import * as vscode from "vscode";

import { registerMcp } from "./assistant/mcp.ts";
import { registerParticipant } from "./assistant/participant.ts";
import { registerTool } from "./assistant/tool.ts";
import { type Parts, registerCommands, takeCommand } from "./commands.ts";
import { HeatMap } from "./explain/map.ts";
import { question } from "./results/sources.ts";
import { Results } from "./results/view.ts";
import { Memory } from "./search/memory.ts";
import { registerPreviews } from "./search/preview.ts";
import { currentFile } from "./search/scopes.ts";
import { offerUpdate, tellOfTrouble } from "./server/install.ts";
import { Server } from "./server/server.ts";
import { changesServer } from "./settings.ts";
import { Bar } from "./status/bar.ts";
import { registerPage } from "./status/page.ts";

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("C2LLM", { log: true });
  const environment = vscode.Uri.joinPath(context.globalStorageUri, "environment").fsPath;
  const { version } = context.extension.packageJSON as { version: string };
  const extension = { path: context.extensionPath, version };
  const server: Server = new Server(environment, extension, log, takeCommand(() => parts));
  const memory = new Memory(context.workspaceState);
  const results = new Results(server, (typed) => question(server, typed, undefined, currentFile()));
  const search = {
    server,
    memory,
    keep: (typed: string, folder: string | undefined, file: string) => void results.show(question(server, typed, folder, file)),
  };
  const parts: Parts = { server, search, log, results, map: new HeatMap(server, memory) };
  context.subscriptions.push(
    log,
    server,
    parts.results,
    parts.map,
    new Bar(server),
    tellOfTrouble(server),
    offerUpdate(server),
    tellWhetherItRuns(server),
    ...registerCommands(parts),
    registerTool(server),
    registerParticipant(server),
    registerMcp(server),
    registerPage(),
    registerPreviews(),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesServer(event)) {
        void server.restart();
      }
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      // Between folders and none the server comes and goes; between some and others it follows by itself.
      if (server.health.kind === "no folder" || vscode.workspace.workspaceFolders === undefined) {
        void server.start();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (server.health.kind === "missing") {
        void server.start();
      }
    }),
  );
  void server.start();
}

/** For the walkthrough, whose first step is done when a server runs. */
function tellWhetherItRuns(server: Server): vscode.Disposable {
  let told = false;
  return server.onDidChange(({ kind }) => {
    const runs = kind === "running";
    if (runs !== told) {
      told = runs;
      void vscode.commands.executeCommand("setContext", "c2llm.running", runs);
    }
  });
}
