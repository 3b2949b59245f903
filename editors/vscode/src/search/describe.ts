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
const NAME = /^(?![\p{L}_]+:$)[^\s(){}[\];=<>]+$/u;
const KEYWORDS = new Set(["pass", "else", "try", "finally", "do", "return", "break", "continue", "begin", "end"]);
const UNCERTAIN = "Nothing certain was found"; // how the server's note on such answers begins
const MAX_LINE = 160; // characters of a line of code: more is cut off by the box anyway

export function icon(kind: Kind): string {
  return ICONS[kind];
}

/** What a hit is called: by its name within its scope, else by its heading, else by its file. A line of code is no name. */
export function title({ kind, label, symbol, scope, path }: Hit): string {
  const name = kind === "section" || (NAME.test(label) && !KEYWORDS.has(label)) ? label : symbol;
  if (name === "") {
    return scope === "" ? basename(path) : scope;
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

function rowsOf(hit: Hit): string[] {
  return hit.text.split(/\r\n|\r|\n/u);
}

/** How current an answer is, in a few words: of what is missing that which counts most. */
export function freshness(now: Freshness, folders: readonly FolderState[]): string {
  const busy = folders.filter((folder) => folder.state === "indexing" || folder.state === "opening");
  if (busy.length > 0) {
    return `${progress(busy)}, results so far`; // the same figure as in the status bar
  }
  if (now.pendingFiles > 0) {
    return `${count(now.pendingFiles, "file")} pending`;
  }
  if (now.pendingChunks > 0) {
    return "some results by words only so far";
  }
  return now.stale ? "may be out of date" : `up to date · ${count(now.files, "file")}`;
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

/** Whether an answer says of itself that nothing certain was found. */
export function uncertain(answer: Answer): boolean {
  return answer.notes.some((note) => note.startsWith(UNCERTAIN));
}

export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** "62 %" of the code. */
export function share(part: number, all: number): string {
  const percent = (100 * part) / Math.max(1, all);
  return percent < 1 ? "under 1 %" : `${Math.round(percent)} %`;
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function shortened(row: string): string {
  const line = row.trim();
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE - 1)}…`;
}
