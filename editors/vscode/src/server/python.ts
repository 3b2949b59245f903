/** The interpreter that the Python extension has chosen. It is asked only when it is there, and never waited for long. */

import * as vscode from "vscode";

const WAIT_MS = 3_000; // its discovery can take long; the server's start should not

interface PythonApi {
  environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  };
}

export async function interpreter(): Promise<string> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) {
    return "";
  }
  const late = new Promise<string>((resolve) => setTimeout(() => resolve(""), WAIT_MS));
  return Promise.race([late, asked(extension)]).catch(() => "");
}

async function asked(extension: vscode.Extension<PythonApi>): Promise<string> {
  const { environments } = await extension.activate();
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const active = environments?.getActiveEnvironmentPath(folder);
  const found = active && (await environments?.resolveEnvironment(active));
  return found?.executable.uri?.fsPath ?? "";
}
