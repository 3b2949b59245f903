/** A request that a person waits for: shown as work, cancelled when they cancel it, its failure said in a sentence. */

import * as vscode from "vscode";

import { NotRunning } from "./server/health.ts";

/** undefined where it failed or was cancelled. */
export async function working<T>(
  title: string,
  work: (token: vscode.CancellationToken) => Promise<T>,
): Promise<T | undefined> {
  const where = { location: vscode.ProgressLocation.Window, title };
  const source = new vscode.CancellationTokenSource();
  try {
    return await vscode.window.withProgress(where, () => work(source.token));
  } catch (error) {
    await say(error);
    return undefined;
  } finally {
    source.dispose();
  }
}

export async function say(error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof NotRunning)) {
    void vscode.window.showErrorMessage(message);
    return;
  }
  const { title, command } = error.offer;
  if ((await vscode.window.showWarningMessage(message, title)) === title) {
    await vscode.commands.executeCommand(command);
  }
}
