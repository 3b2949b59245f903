/** The rows of the search box: results, and what is said in their place. */

import * as vscode from "vscode";

import { folderName } from "../places.ts";
import type { Hit } from "../protocol.ts";
import { NotRunning } from "../server/server.ts";
import { detail, icon, place, title } from "./describe.ts";

export interface Item extends vscode.QuickPickItem {
  hit?: Hit;
  asked?: string; // an earlier question
  command?: string;
}

const BESIDE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("split-horizontal"), tooltip: "Open to the Side" };

export function item(hit: Hit): Item {
  return {
    label: `$(${icon(hit.kind)}) ${title(hit)}`,
    description: place(hit, folderName(hit)),
    detail: detail(hit),
    alwaysShow: true,
    buttons: [BESIDE],
    hit,
  };
}

export function same(one: Hit, other: Hit): boolean {
  return one.uri === other.uri && one.symbol === other.symbol && one.kind === other.kind;
}

export function note(text: string): Item {
  return { label: `$(info) ${text}`, alwaysShow: true };
}

export function failed(error: unknown): Item {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof NotRunning
    ? { label: `$(warning) ${message}`, detail: "Press Enter for options.", command: "c2llm.menu", alwaysShow: true }
    : note(message);
}
