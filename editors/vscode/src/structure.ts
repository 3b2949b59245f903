/** From the code at the cursor to other code: what is like it, what calls it, what it calls, where it is named; and outlines. */

import * as vscode from "vscode";

import { currentFolder, isInside, plain, selected } from "./places.ts";
import type { Relation, SimilarParams } from "./protocol.ts";
import { outlineOf, similarTo, usesOf } from "./results/sources.ts";
import type { Results } from "./results/view.ts";
import type { Server } from "./server/server.ts";

/** Like what is selected, or what the cursor is in. */
export async function findSimilar(server: Server, results: Results, asked?: SimilarParams): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const params = asked ?? (editor && selected(editor));
  if (params === undefined) {
    void vscode.window.showInformationMessage("Open a file first: similar code is found for what the cursor is in.");
    return;
  }
  await results.show(similarTo(server, params));
}

/** Of the symbol that is defined around the cursor. */
export async function uses(server: Server, results: Results, relation: Relation): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || !isInside(editor.document.uri)) {
    void vscode.window.showInformationMessage(`Open a file of a folder first: ${relation} are found for the definition that the cursor is in.`);
    return;
  }
  const place = { textDocument: { uri: editor.document.uri.toString() }, position: plain(editor.selection.active) };
  await results.show(usesOf(server, relation, place));
}

/** Of a folder or file of the Explorer; else of the current file, or of the folder where none is open. */
export async function outline(server: Server, results: Results, uri?: vscode.Uri): Promise<void> {
  const at = uri ?? vscode.window.activeTextEditor?.document.uri;
  const folder = at && isInside(at) ? vscode.workspace.getWorkspaceFolder(at) : currentFolder();
  if (folder === undefined) {
    void vscode.window.showInformationMessage("Open a folder first: what its files define is outlined.");
    return;
  }
  const path = at && isInside(at) ? vscode.workspace.asRelativePath(at, false) : "";
  const isRoot = path === "" || at?.toString() === folder.uri.toString();
  await results.show(outlineOf(server, { folder: folder.uri.toString(), path: isRoot ? "" : path }, isRoot ? folder.name : path));
}
