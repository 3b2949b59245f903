/** Results and freshness in words. Pure: what the search box and the tree show of a hit. */

import type { Answer, FolderState, Freshness, Hit, Kind } from "../protocol.ts";

const ICONS: Record<Kind, string> = {
  function: "symbol-function",
  method: "symbol-method",
  class: "symbol-class",
  block: "code",
  section: "markdown",
  cell: "notebook",
  window: "file-code",
};
const NAME = /^[^\s(){};=]+$/u;
const MAX_LINE = 160; // characters of a line of code: more is cut off by the box anyway

export function icon(kind: Kind): string {
  return ICONS[kind];
}

/** What a hit is called: by its name within its scope, else by its heading, else by its file. A line of code is no name. */
export function title({ kind, label, symbol, scope, path }: Hit): string {
  const name = kind === "section" || NAME.test(label) ? label : symbol;
  if (name === "") {
    return path.slice(path.lastIndexOf("/") + 1);
  }
  return name === symbol && scope !== "" ? `${scope}.${name}` : name;
}

/** `path:line`, counted from 1 as people do; with the folder's name where there are several. */
export function place(hit: Hit, folderName: string): string {
  const path = folderName === "" ? hit.path : `${folderName}/${hit.path}`;
  return `${path}:${hit.selectionRange.start.line + 1}`;
}

/** Below its title: the line that answers. */
export function detail(hit: Hit): string {
  return shortened(rowsOf(hit)[hit.answerLine - hit.range.start.line] ?? "");
}

export interface ShownLine {
  line: number;
  text: string;
}

/** The lines worth showing, else the first that is not blank. */
export function salient(hit: Hit): ShownLine[] {
  const rows = rowsOf(hit);
  const shown = hit.salientLines
    .map((line) => ({ line, text: shortened(rows[line - hit.range.start.line] ?? "") }))
    .filter(({ text }) => text !== "");
  if (shown.length > 0) {
    return shown;
  }
  const start = hit.range.start.line;
  return rows
    .map((row, n) => ({ line: start + n, text: shortened(row) }))
    .filter(({ text }) => text !== "")
    .slice(0, 1);
}

function rowsOf(hit: Hit): string[] {
  return hit.text.split(/\r\n|\r|\n/u);
}

/** How current an answer is, in a few words; what is pending comes first. */
export function freshness(now: Freshness, folders: readonly FolderState[]): string {
  const parts = [];
  const busy = folders.filter((folder) => folder.state === "indexing" || folder.state === "opening");
  if (busy.length > 0) {
    parts.push(`${progress(busy)}, results so far`);
  }
  if (now.pendingFiles > 0) {
    parts.push(`${count(now.pendingFiles, "file")} pending`);
  }
  if (now.pendingChunks > 0) {
    parts.push(`${count(now.pendingChunks, "chunk")} without vectors`);
  }
  if (now.stale && parts.length === 0) {
    parts.push("may be out of date");
  }
  if (parts.length === 0) {
    parts.push("up to date");
  }
  return `${parts.join(" · ")} · ${count(now.files, "file")}`;
}

/** "indexing 43 %", over all folders at work. */
export function progress(folders: readonly FolderState[]): string {
  const done = folders.map((folder) => folder.work?.percentage).filter((value) => value !== undefined);
  const mean = done.length === 0 ? 0 : done.reduce((sum, value) => sum + value, 0) / folders.length;
  return done.length === 0 ? "opening" : `indexing ${Math.floor(mean)} %`;
}

/** What to say where an answer has nothing. */
export function nothing(answer: Answer): string {
  return answer.notes[0] ?? "Nothing was found.";
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

function shortened(row: string): string {
  const line = row.trim();
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE - 1)}…`;
}
