/** Choosing a filter: what can be chosen is what the index holds, and the choice is written into the question. */

import * as vscode from "vscode";

import { KINDS, STATUS, type StatusAnswer } from "../protocol.ts";
import type { Server } from "../server/server.ts";
import { count } from "./describe.ts";
import { withFilter } from "./question.ts";

interface Choice extends vscode.QuickPickItem {
  filter?: string;
}

const PATH = "path:";

/** The question with a filter more; as it was where none is chosen. */
export async function addFilter(server: Server, typed: string): Promise<string> {
  const chosen = await vscode.window.showQuickPick(choices(server), {
    title: "Filter by Language, Kind or Path",
    placeHolder: "Only …",
  });
  if (chosen?.filter === undefined) {
    return typed;
  }
  if (chosen.filter !== PATH) {
    return withFilter(typed, chosen.filter);
  }
  const glob = await vscode.window.showInputBox({
    title: "Filter by Path",
    prompt: "A pattern as in .gitignore, such as src/** or *.py; ! before it leaves out",
  });
  if (!glob) {
    return typed;
  }
  return withFilter(typed, glob.startsWith("!") ? `-${PATH}${glob.slice(1)}` : `${PATH}${glob}`);
}

async function choices(server: Server): Promise<Choice[]> {
  const chunks = await languages(server);
  return [
    separator("Language"),
    ...[...chunks].map(([name, n]) => ({ label: name, description: count(n, "chunk"), filter: `lang:${name}` })),
    separator("Kind"),
    ...KINDS.map((kind) => ({ label: kind, filter: `kind:${kind}` })),
    separator("Path"),
    { label: "Path…", filter: PATH },
  ];
}

/** Languages of the index, and how many chunks each has, most first. */
async function languages(server: Server): Promise<Map<string, number>> {
  const chunks = new Map<string, number>();
  try {
    const { folders } = await server.request<StatusAnswer>(STATUS, {});
    for (const [name, n] of folders.flatMap((folder) => Object.entries(folder.languages))) {
      chunks.set(name, (chunks.get(name) ?? 0) + n);
    }
  } catch {
    // Kinds and paths can be chosen all the same.
  }
  return new Map([...chunks].sort(([, a], [, b]) => b - a));
}

function separator(label: string): Choice {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
