/** The status as a rendered page: a document of a scheme of its own, which no one is asked to save. */

import * as vscode from "vscode";

const PAGE = vscode.Uri.parse("c2llm-status:C2LLM Status.md");
let content = "";
const changed = new vscode.EventEmitter<vscode.Uri>();

export function registerPage(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(PAGE.scheme, {
    onDidChange: changed.event,
    provideTextDocumentContent: () => content,
  });
}

export async function showPage(text: string): Promise<void> {
  content = text;
  changed.fire(PAGE);
  await vscode.commands.executeCommand("markdown.showPreview", PAGE);
}
