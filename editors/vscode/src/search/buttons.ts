/** The buttons of the search box. */

import * as vscode from "vscode";

export const FILTER: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("filter"),
  tooltip: "Filter by Language, Kind, Place or Path",
};
export const KEEP: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("list-tree"), tooltip: "Keep the Results in a View" };
const ALL: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("folder-library"),
  tooltip: "Searching All Folders: Search Only the Current One",
};
export const ONE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("folder-active"),
  tooltip: "Searching the Current Folder: Search All",
};

export function buttons(allFolders: boolean, several: boolean): vscode.QuickInputButton[] {
  return [FILTER, KEEP, ...(several ? [allFolders ? ALL : ONE] : [])];
}

export function alike<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((one, n) => one === others[n]);
}
