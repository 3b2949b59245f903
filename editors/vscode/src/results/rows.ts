/** The rows of the view "Results": filters as fields, files with their best lines, and the way to more. */

import * as vscode from "vscode";

import { parse } from "../search/question.ts";
import { SCOPE_NAMES } from "../search/scopes.ts";
import { basename, icon } from "../search/describe.ts";
import type { ListedFile, ListedLine, Listing } from "./listing.ts";

export const WEAK = "c2llm-weak"; // a scheme of our own: what has it is dimmed
export const FIELDS = ["query", "lang", "kind", "path", "in"] as const;
export type Field = (typeof FIELDS)[number];

export type Row =
  | { kind: "fields"; typed: string }
  | { kind: "field"; field: Field; typed: string }
  | { kind: "file"; file: ListedFile }
  | { kind: "line"; file: ListedFile; line: ListedLine }
  | { kind: "more" };

const NAMES: Record<Field, [string, string]> = {
  query: ["Query", "edit"],
  lang: ["Language", "symbol-keyword"],
  kind: ["Kind", "symbol-class"],
  path: ["Path", "folder"],
  in: ["Search in", "target"],
};

/** Opens what a row stands for; the text of a place comes from its file. */
const OPEN = "c2llm.results.open";

export function rowsOf(listing: Listing, typed: string | undefined): Row[] {
  const fields: Row[] = typed === undefined ? [] : [{ kind: "fields", typed }];
  const files = listing.files.map((file): Row => ({ kind: "file", file }));
  return [...fields, ...files, ...(listing.more ? [{ kind: "more" } as const] : [])];
}

export function below(row: Row): Row[] {
  switch (row.kind) {
    case "fields":
      return FIELDS.map((field) => ({ kind: "field", field, typed: row.typed }));
    case "file":
      return row.file.lines.map((line) => ({ kind: "line", file: row.file, line }));
    default:
      return [];
  }
}

export function itemOf(row: Row, folderName: (uri: string) => string): vscode.TreeItem {
  switch (row.kind) {
    case "fields":
      return fields(row.typed);
    case "field":
      return field(row.field, row.typed);
    case "file":
      return file(row.file, folderName(row.file.uri), row);
    case "line":
      return line(row.file, row.line, row);
    case "more":
      return more();
  }
}

export function placeOf(row: Row): vscode.Location | undefined {
  if (row.kind !== "file" && row.kind !== "line") {
    return undefined;
  }
  const at = row.kind === "line" ? row.line : row.file.lines[0];
  return new vscode.Location(vscode.Uri.parse(row.file.uri, true), new vscode.Position(at?.line ?? 0, at?.character ?? 0));
}

function fields(typed: string): vscode.TreeItem {
  const item = new vscode.TreeItem("Filters", vscode.TreeItemCollapsibleState.Collapsed);
  const set = FIELDS.filter((name) => name !== "query" && value(name, typed) !== DEFAULTS[name]).map((name) => value(name, typed));
  item.description = set.join(" · ");
  item.iconPath = new vscode.ThemeIcon(set.length > 0 ? "filter-filled" : "filter");
  item.id = "fields";
  return item;
}

const DEFAULTS: Record<Field, string> = { query: "", lang: "any", kind: "any", path: "any", in: "all files" };

function value(name: Field, typed: string): string {
  const { query, languages, kinds, paths, within } = parse(typed);
  const listed = { query: [query], lang: languages, kind: kinds, path: paths, in: within.map((one) => SCOPE_NAMES[one][0]) }[name];
  return listed.length > 0 ? listed.join(", ") : DEFAULTS[name];
}

function field(name: Field, typed: string): vscode.TreeItem {
  const [label, symbol] = NAMES[name];
  const item = new vscode.TreeItem(label);
  item.description = value(name, typed);
  item.iconPath = new vscode.ThemeIcon(symbol);
  item.tooltip = `Change: ${label}`;
  item.id = `field ${name}`;
  item.command = { command: "c2llm.results.field", title: "Change", arguments: [name] };
  return item;
}

/** File and line come first: at any width both can be read. */
function file(found: ListedFile, folder: string, row: Row): vscode.TreeItem {
  const [best] = found.lines;
  const item = new vscode.TreeItem(`${basename(found.path)}:${(best?.line ?? 0) + 1}`, vscode.TreeItemCollapsibleState.Expanded);
  const above = found.path.slice(0, Math.max(0, found.path.length - basename(found.path).length - 1));
  item.description = [folder, above].filter((part) => part !== "").join("/");
  item.iconPath = vscode.ThemeIcon.File;
  item.resourceUri = found.weak ? weak(found.path) : vscode.Uri.parse(found.uri, true);
  item.tooltip = found.path;
  item.id = found.uri;
  item.contextValue = "file";
  item.command = { command: OPEN, title: "Open", arguments: [row] };
  return item;
}

function line(found: ListedFile, { line: number, text, marks, note, kind, weak: dim }: ListedLine, row: Row): vscode.TreeItem {
  const before = `${number + 1}: `;
  const highlights = marks.map(([start, end]): [number, number] => [start + before.length, end + before.length]);
  const item = new vscode.TreeItem({ label: before + text, highlights });
  item.description = note;
  item.tooltip = `${found.path}:${number + 1}${note === "" ? "" : `\n${note}`}`;
  item.iconPath = new vscode.ThemeIcon(kind === undefined ? "blank" : icon(kind));
  if (dim) {
    item.resourceUri = weak(`${found.path}/${number}`);
  }
  item.id = `${found.uri}#${number}`;
  item.contextValue = "line";
  item.command = { command: OPEN, title: "Open", arguments: [row] };
  return item;
}

function more(): vscode.TreeItem {
  const item = new vscode.TreeItem("Show More Results");
  item.iconPath = new vscode.ThemeIcon("ellipsis");
  item.id = "more";
  item.command = { command: "c2llm.results.more", title: "Show More Results" };
  return item;
}

function weak(path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: WEAK, path: `/${path}` });
}
