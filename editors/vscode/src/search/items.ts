/** The rows of the search box: results, and what is said in their place. */

import * as vscode from "vscode";

import { folderName } from "../places.ts";
import type { Answer, Hit } from "../protocol.ts";
import { NotRunning } from "../server/health.ts";
import { detail, icon, place, title, uncertain } from "./describe.ts";

export interface Item extends vscode.QuickPickItem {
  hit?: Hit;
  asked?: string; // an earlier question
  command?: string;
}

const BESIDE: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("split-horizontal"), tooltip: "Open to the Side" };

/** The results under what has to be said of them; a box cannot dim rows, so that weaker ones come below a line of their own. */
export function rows(answer: Answer): Item[] {
  const items = answer.hits.map(item);
  if (uncertain(answer)) {
    return [separator("nothing certain was found; this comes closest"), ...items];
  }
  const weak = answer.hits.findIndex((hit) => hit.weak);
  return weak > 0 ? [...items.slice(0, weak), separator("weaker results"), ...items.slice(weak)] : items;
}

function item(hit: Hit): Item {
  return {
    label: `$(${icon(hit.kind)}) ${title(hit)}`,
    description: place(hit, folderName(hit)),
    detail: detail(hit),
    alwaysShow: true,
    buttons: [BESIDE],
    hit,
  };
}

export function same(one: Item, other: Item): boolean {
  const [hit, its] = [one.hit, other.hit];
  return hit !== undefined && hit.uri === its?.uri && hit.symbol === its.symbol && hit.kind === its.kind;
}

export function isSeparator(item: Item): boolean {
  return item.kind === vscode.QuickPickItemKind.Separator;
}

export function note(text: string): Item {
  return { label: `$(info) ${text}`, alwaysShow: true };
}

export function failed(error: unknown): Item {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof NotRunning)) {
    return note(message);
  }
  const { title: offered, command } = error.offer;
  return { label: `$(warning) ${message}`, detail: `Press Enter: ${offered}`, command, alwaysShow: true };
}

function separator(label: string): Item {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
