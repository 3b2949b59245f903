/** Choosing a filter: what can be chosen is what the index holds, and the choice is written into the question. */

import * as vscode from "vscode";

import type { Field } from "../results/rows.ts";
import { KINDS, STATUS, type StatusAnswer, type Within } from "../protocol.ts";
import type { Server } from "../server/server.ts";
import { share } from "./describe.ts";
import { compose, parse, type Question, toggled, WITHIN, withFilter } from "./question.ts";
import { SCOPE_NAMES } from "./scopes.ts";

interface Choice extends vscode.QuickPickItem {
  change?: (typed: string) => string | Promise<string>;
}

/** The question with a filter more; as it was where none is chosen. */
export async function addFilter(server: Server, typed: string): Promise<string> {
  const chosen = await vscode.window.showQuickPick(choices(server), { title: "Filter", placeHolder: "Only …", matchOnDescription: true });
  return (await chosen?.change?.(typed)) ?? typed;
}

/** The question with one of its filters changed; as it was where nothing is chosen. */
export async function addTo(server: Server, typed: string, field: Field): Promise<string> {
  const found = parse(typed);
  switch (field) {
    case "query":
      return put(found, "query", await vscode.window.showInputBox({ title: "Query", value: found.query }), typed);
    case "lang":
      return put(found, "languages", await several("Language", await languages(server), found.languages), typed);
    case "kind":
      return put(found, "kinds", await several("Kind", KINDS.map((label) => ({ label })), found.kinds), typed);
    case "path":
      return put(found, "paths", await globs(found.paths), typed);
    case "in":
      return put(found, "within", await scopes(found.within), typed);
  }
}

function put<K extends keyof Question>(found: Question, name: K, value: Question[K] | undefined, typed: string): string {
  return value === undefined ? typed : compose({ ...found, [name]: value });
}

async function several<T extends string>(title: string, offered: vscode.QuickPickItem[], chosen: readonly T[]): Promise<T[] | undefined> {
  const items = offered.map((item) => ({ ...item, picked: (chosen as readonly string[]).includes(item.label) }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: "None: any", canPickMany: true });
  return picked?.map(({ label }) => label as T);
}

async function globs(current: readonly string[]): Promise<string[] | undefined> {
  const typed = await vscode.window.showInputBox({
    title: "Path",
    prompt: "Patterns as in .gitignore, such as src/** or *.py, separated by commas; ! before one leaves it out. Empty: any",
    value: current.join(", "),
  });
  return typed?.split(",").map((glob) => glob.trim()).filter((glob) => glob !== "");
}

async function scopes(current: readonly Within[]): Promise<Within[] | undefined> {
  const items = WITHIN.map((one) => ({ label: SCOPE_NAMES[one][0], description: SCOPE_NAMES[one][1], picked: current.includes(one), one }));
  const picked = await vscode.window.showQuickPick(items, { title: "Search In", placeHolder: "None: all files", canPickMany: true });
  return picked?.map(({ one }) => one);
}

async function choices(server: Server): Promise<Choice[]> {
  const add = (filter: string) => (typed: string) => withFilter(typed, filter);
  return [
    separator("Language"),
    ...(await languages(server)).map((one) => ({ ...one, change: add(`lang:${one.label}`) })),
    separator("Kind"),
    ...KINDS.map((kind) => ({ label: kind, change: add(`kind:${kind}`) })),
    separator("Search in"),
    ...WITHIN.map((one) => ({ label: SCOPE_NAMES[one][0], description: SCOPE_NAMES[one][1], change: (typed: string) => toggled(typed, one) })),
    separator("Path"),
    { label: "Path…", change: askPath },
  ];
}

async function askPath(typed: string): Promise<string> {
  const glob = await vscode.window.showInputBox({
    title: "Filter by Path",
    prompt: "A pattern as in .gitignore, such as src/** or *.py; ! before it leaves out",
  });
  if (!glob) {
    return typed;
  }
  return withFilter(typed, glob.startsWith("!") ? `-path:${glob.slice(1)}` : `path:${glob}`);
}

/** Languages of the index, those with most code first, with their shares. */
async function languages(server: Server): Promise<vscode.QuickPickItem[]> {
  const parts = new Map<string, number>();
  try {
    const { folders } = await server.request<StatusAnswer>(STATUS, {});
    for (const [name, n] of folders.flatMap((folder) => Object.entries(folder.languages))) {
      parts.set(name, (parts.get(name) ?? 0) + n);
    }
  } catch {
    // Kinds and paths can be chosen all the same.
  }
  const all = [...parts.values()].reduce((sum, n) => sum + n, 0);
  return [...parts].sort(([, a], [, b]) => b - a).map(([label, n]) => ({ label, description: share(n, all) }));
}

function separator(label: string): Choice {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
