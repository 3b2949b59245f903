/** From the server's places to the editor's, and back. */

import * as vscode from "vscode";

import type { Hit, Place, Position, Range } from "./protocol.ts";

const MAX_TEXT = 8_000; // characters of a document that no folder has: as much as a model reads

export function toRange(range: Range): vscode.Range {
  return new vscode.Range(toPosition(range.start), toPosition(range.end));
}

export function toPosition(position: Position): vscode.Position {
  return new vscode.Position(position.line, position.character);
}

export function target(hit: Hit): vscode.Location {
  return new vscode.Location(vscode.Uri.parse(hit.uri, true), toPosition(hit.selectionRange.start));
}

/** The name of a hit's folder, where there are several. */
export function folderName(hit: Hit): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length < 2) {
    return "";
  }
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(hit.uri, true));
  return folder?.name ?? "";
}

/** What is selected, or the place of the cursor. The text itself where the document lies outside every folder. */
export function selected(editor: vscode.TextEditor): Place & { text?: string } {
  const { document, selection } = editor;
  if (!isInside(document.uri)) {
    const around = selection.isEmpty ? linesAround(document, selection.active.line) : selection;
    return { text: document.getText(around).slice(0, MAX_TEXT) };
  }
  const textDocument = { uri: document.uri.toString() };
  return selection.isEmpty
    ? { textDocument, position: plain(selection.active) }
    : { textDocument, range: { start: plain(selection.start), end: plain(selection.end) } };
}

export function plain(position: vscode.Position): Position {
  return { line: position.line, character: position.character };
}

export function isInside(uri: vscode.Uri): boolean {
  return uri.scheme === "file" && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
}

/** The folder of the file at hand, else the first. */
export function currentFolder(): vscode.WorkspaceFolder | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return (uri && isInside(uri) ? vscode.workspace.getWorkspaceFolder(uri) : undefined) ?? vscode.workspace.workspaceFolders?.[0];
}

/** Open a place where the person works, or beside it. Says so where the file is gone. */
export async function open(location: vscode.Location, beside = false, preview = true): Promise<void> {
  try {
    await vscode.window.showTextDocument(location.uri, {
      selection: new vscode.Range(location.range.start, location.range.start),
      viewColumn: beside ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active,
      preview,
    });
  } catch {
    void vscode.window.showWarningMessage(`${location.uri.fsPath} cannot be opened: it may be gone since it was indexed.`);
  }
}

function linesAround(document: vscode.TextDocument, line: number): vscode.Range {
  return document.validateRange(new vscode.Range(Math.max(0, line - 20), 0, line + 20, 0));
}
