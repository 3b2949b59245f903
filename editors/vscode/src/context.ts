/** Copy Context for Prompt: what an assistant should read, as Markdown, on the clipboard. */

import * as vscode from "vscode";

import { selected } from "./places.ts";
import { CONTEXT, type ContextAnswer, type ContextParams } from "./protocol.ts";
import { count } from "./search/describe.ts";
import type { Server } from "./server/server.ts";
import { own } from "./settings.ts";
import { working } from "./working.ts";

export async function copyContext(server: Server, asked?: ContextParams): Promise<void> {
  const params = asked ?? (await question());
  if (params === undefined) {
    return;
  }
  const limited = { budget: own().budget, ...params };
  const answer = await working("Collecting context", (token) =>
    server.request<ContextAnswer>(CONTEXT, limited, token),
  );
  if (answer === undefined) {
    return;
  }
  if (answer.pieces.length === 0) {
    void vscode.window.showInformationMessage(answer.notes[0] ?? "Nothing was found.");
    return;
  }
  await vscode.env.clipboard.writeText(answer.text);
  await copied(answer);
}

/** About the selection; without one about what a person asks, or else what the cursor is in. */
async function question(): Promise<ContextParams | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (editor && !editor.selection.isEmpty) {
    return inside(editor);
  }
  const query = await vscode.window.showInputBox({
    title: "Copy Context for Prompt",
    prompt: editor ? "What is the prompt about? Empty: the code at the cursor" : "What is the prompt about?",
  });
  if (query === undefined || (query.trim() === "" && editor === undefined)) {
    return undefined;
  }
  return query.trim() !== "" ? { query: query.trim() } : editor && inside(editor);
}

/** A document that no folder has is known to the server while it is open; it takes the text from there. */
function inside(editor: vscode.TextEditor): ContextParams {
  const { text: _, ...place } = selected(editor);
  const { start, end } = editor.selection;
  const range = { start: { line: start.line, character: start.character }, end: { line: end.line, character: end.character } };
  return place.textDocument ? place : { textDocument: { uri: editor.document.uri.toString() }, range };
}

async function copied(answer: ContextAnswer): Promise<void> {
  const left = answer.leftOut > 0 ? `; ${count(answer.leftOut, "place")} more had no room` : "";
  const show = "Show";
  const said = `Copied ${count(answer.pieces.length, "place")} in ${count(answer.tokens, "token")}${left}.`;
  if ((await vscode.window.showInformationMessage(said, show)) === show) {
    const document = await vscode.workspace.openTextDocument({ language: "markdown", content: answer.text });
    await vscode.window.showTextDocument(document, { preview: true });
  }
}
