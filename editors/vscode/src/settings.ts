/** What a person can set: the extension's own settings, and the server's, which package.json takes from its schema. */

import * as vscode from "vscode";

import { chosen } from "./server/chosen.ts";

const SECTION = "c2llm";

// The server's settings, in the order of its schema; a test compares them with it.
export const SERVER_SETTINGS = [
  "encoder",
  "cacheDir",
  "exclude",
  "maxFileBytes",
  "threads",
  "device",
  "dtype",
  "results",
  "debounceMs",
  "sharedVectors",
  "nearDuplicates",
] as const;

export interface Own {
  serverPath: string;
  requirement: string;
  logLevel: string;
  preview: boolean;
  allFolders: boolean;
  budget: number;
}

export function own(): Own {
  const section = vscode.workspace.getConfiguration(SECTION);
  return {
    serverPath: section.get("server.path", ""),
    requirement: section.get("server.requirement", ""),
    logLevel: section.get("server.logLevel", "warning"),
    preview: section.get("search.preview", true),
    allFolders: section.get("search.allFolders", true),
    budget: section.get("context.budget", 4000),
  };
}

export function serverSettings(): Record<string, unknown> {
  return chosen(SERVER_SETTINGS, vscode.workspace.getConfiguration(SECTION));
}

/** Whether a change of settings needs a server started anew; the server follows all others itself. */
export function changesServer(event: vscode.ConfigurationChangeEvent): boolean {
  return ["server.path", "server.logLevel"].some((name) => event.affectsConfiguration(`${SECTION}.${name}`));
}
