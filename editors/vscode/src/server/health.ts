/** How the server is, in a sentence, and what can be done about it. */

import * as vscode from "vscode";

import type { FolderState } from "../protocol.ts";

export type Health =
  | { kind: "no folder" } // nothing to search
  | { kind: "missing"; setting: string } // no server found, or none where the setting says
  | { kind: "installing" }
  | { kind: "starting" }
  | { kind: "running"; folders: readonly FolderState[] }
  | { kind: "stopped" } // the person asked for it
  | { kind: "failed"; message: string };

/** Why there is no answer, in a plain sentence, and what to do about it. */
export class NotRunning extends Error {
  constructor(health: Health) {
    super(sentence(health));
    this.offer = offer(health);
  }

  readonly offer: Offer;
}

export interface Offer {
  title: string;
  command: string;
}

export const OPEN_FOLDER: Offer = { title: "Open Folder", command: "workbench.action.files.openFolder" };

function offer(health: Health): Offer {
  const isEmpty = health.kind === "no folder" && !vscode.workspace.workspaceFolders?.length;
  return isEmpty ? OPEN_FOLDER : { title: "Show Options", command: "c2llm.menu" };
}

export function sentence(health: Health): string {
  switch (health.kind) {
    case "no folder":
      return vscode.workspace.workspaceFolders?.length
        ? "The folders of this workspace are not on this machine's disk, so C2LLM cannot read them."
        : "No folder is open.";
    case "missing":
      return health.setting
        ? `The setting c2llm.server.path names ${health.setting}, which cannot be started from there.`
        : "The C2LLM server is not installed.";
    case "installing":
      return "The C2LLM server is being installed.";
    case "starting":
      return "The C2LLM server is starting.";
    case "stopped":
      return "The C2LLM server is stopped.";
    case "failed":
      return health.message;
    case "running":
      return "The C2LLM server is running.";
  }
}

export function foldersOf(health: Health): readonly FolderState[] {
  return health.kind === "running" ? health.folders : [];
}

/** Whether the index grows, and answers with it. */
export function atWork(health: Health): boolean {
  return health.kind === "starting" || foldersOf(health).some(({ work }) => work !== null);
}
