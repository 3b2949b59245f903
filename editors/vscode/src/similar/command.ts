/** Find Similar Code: like what is selected, or what the cursor is in. */

import * as vscode from "vscode";

import { selected } from "../places.ts";
import { type Answer, SIMILAR, type SimilarParams } from "../protocol.ts";
import { freshness, nothing } from "../search/describe.ts";
import type { Server } from "../server/server.ts";
import { working } from "../working.ts";
import type { Results } from "./results.ts";

export async function findSimilar(server: Server, results: Results, asked?: SimilarParams): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const params = asked ?? (editor && selected(editor));
  if (params === undefined) {
    void vscode.window.showInformationMessage("Open a file first: similar code is found for what the cursor is in.");
    return;
  }
  const answer = await working("Finding similar code", (token) => server.request<Answer>(SIMILAR, params, token));
  if (answer === undefined) {
    return;
  }
  const { health } = server;
  const folders = health.kind === "running" ? health.folders : [];
  const standing = answer.hits.length === 0 ? nothing(answer) : freshness(answer.freshness, folders);
  await results.show(answer.hits, like(params), standing);
}

/** What it is like, for the view: `path:line`, or the lines of a selection. */
function like({ textDocument, position, range }: SimilarParams): string {
  const line = range?.start.line ?? position?.line;
  if (textDocument === undefined || line === undefined) {
    return "Like the selection";
  }
  const last = range === undefined ? line : range.end.line - (range.end.character === 0 ? 1 : 0);
  const lines = last > line ? `${line + 1}-${last + 1}` : `${line + 1}`;
  return `Like ${vscode.workspace.asRelativePath(vscode.Uri.parse(textDocument.uri))}:${lines}`;
}
