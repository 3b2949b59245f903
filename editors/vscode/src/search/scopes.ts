/** Where to search, as the server gets it, and as it is called in a title. */

import * as vscode from "vscode";

import type { Answer, FolderState, Scope, Within } from "../protocol.ts";
import { freshness, uncertain } from "./describe.ts";
import type { Question } from "./question.ts";

export const SCOPE_NAMES: Record<Within, [string, string]> = {
  folder: ["This Folder", "the folder of the current file"],
  package: ["This Package", "the package of the current file"],
  open: ["Open Files", "the files in tabs"],
  changed: ["Changed Files", "those that differ from the last commit"],
  "no-tests": ["Except Tests", "all but the files of tests"],
};

/** The file that folder and package are about: the one that is open when a search begins. */
export function currentFile(): string {
  return vscode.window.activeTextEditor?.document.uri.toString() ?? "";
}

/** As a parameter; tabs are those of the moment, also of documents that the editor has not loaded. */
export function scopeOf(within: readonly Within[], file: string): { scope?: Scope } {
  if (within.length === 0) {
    return {};
  }
  const scope = { within: [...within], document: file };
  return { scope: within.includes("open") ? { ...scope, open: tabs() } : scope };
}

/** The title of the box: where is searched, and what is to be said of the answer that is shown. */
export function heading(folders: string, asked: Question, answer: Answer | undefined, states: readonly FolderState[]): string {
  const where = [folders, called(asked.within)].filter(Boolean).join(", ");
  const [note] = answer && answer.hits.length > 0 && !uncertain(answer) ? answer.notes : [];
  const standing = answer ? [...asked.unknown, ...(note === undefined ? [] : [note]), freshness(answer.freshness, states)] : [];
  return [`Semantic Search ${where}`.trim(), standing.join(" · ")].filter(Boolean).join(" — ");
}

/** "in this folder, except tests"; empty without a scope. */
function called(within: readonly Within[]): string {
  return within.map((one) => `${one === "no-tests" ? "" : "in "}${SCOPE_NAMES[one][0].toLowerCase()}`).join(", ");
}

function tabs(): string[] {
  const inputs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).map((tab) => tab.input);
  const uris = inputs.flatMap((input) =>
    input instanceof vscode.TabInputText || input instanceof vscode.TabInputNotebook
      ? [input.uri]
      : input instanceof vscode.TabInputTextDiff
        ? [input.modified]
        : [],
  );
  return [...new Set(uris.filter(({ scheme }) => scheme === "file").map(String))];
}

/** Which workspace folders are searched, where there are several. */
export function searchedFolders(all: boolean, name = ""): string {
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  return several ? `in ${all ? "all folders" : name}` : "";
}
