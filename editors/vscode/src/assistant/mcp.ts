/** The MCP servers that the editor's agents may start: one for each folder, of the program that the language server runs from. */

import * as vscode from "vscode";

import { disposeAll } from "../disposing.ts";
import { localFolders, type Server } from "../server/server.ts";
import { serverSettings } from "../settings.ts";
import { definitions } from "./definitions.ts";

const ID = "c2llm.mcp"; // as in package.json

export function registerMcp(server: Server): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  let offered = "";
  const look = () => {
    const now = JSON.stringify(offer(server));
    if (now !== offered) {
      offered = now;
      changed.fire();
    }
  };
  const parts = [
    changed,
    server.onDidChange(look),
    vscode.workspace.onDidChangeWorkspaceFolders(look),
    vscode.workspace.onDidChangeConfiguration(look),
    vscode.lm.registerMcpServerDefinitionProvider(ID, {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () =>
        offer(server).map(({ label, command, args, env }) => new vscode.McpStdioServerDefinition(label, command, args, env, server.version)),
    }),
  ];
  return new vscode.Disposable(() => disposeAll(parts));
}

/** None before a server runs: a program that does not start is nothing to offer. */
function offer(server: Server): ReturnType<typeof definitions> {
  if (server.command === "" || server.health.kind !== "running") {
    return [];
  }
  return definitions(server.command, localFolders(), serverSettings());
}
