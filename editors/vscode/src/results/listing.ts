/** What the view "Results" lists: files in the order of their best result, the best lines below each. Pure. */

import type { Answer, Hit, Kind, OutlineAnswer, Range, SymbolAnswer, SymbolUsage } from "../protocol.ts";
import { count, title, uncertain } from "../search/describe.ts";

const MAX_LINES = 4; // of one result: as many as the terminal shows
const MAX_TEXT = 200; // characters of a line: more is cut off by the view anyway

export interface ListedLine {
  line: number;
  character: number;
  text: string;
  marks: [number, number][]; // what matches in the text
  note: string; // what the line is about, where it does not say so itself
  kind: Kind | undefined; // of the first line of a result
  weak: boolean;
}

export interface ListedFile {
  uri: string;
  path: string;
  lines: ListedLine[];
  weak: boolean;
}

export interface Listing {
  files: ListedFile[];
  places: number;
  notes: string[]; // sentences about it
  more: boolean; // whether there is more than was asked for
}

export function ofAnswer(answer: Answer, limit: number): Listing {
  const files = grouped(answer.hits.map((hit) => ({ uri: hit.uri, path: hit.path, lines: linesOf(hit) })));
  const notes = answer.notes.map((note) => (uncertain({ ...answer, notes: [note] }) ? "Nothing certain was found; this comes closest." : note));
  return { files, places: answer.hits.length, notes: answer.hits.length > 0 ? notes : answer.notes, more: answer.hits.length >= limit };
}

export function ofUsages(answer: SymbolAnswer): Listing {
  const files = grouped(answer.usages.map((usage) => ({ uri: usage.uri, path: usage.path, lines: [lineOf(usage)] })));
  const near = answer.near.length > 0 ? [`Names like it: ${answer.near.join(", ")}.`] : [];
  return { files, places: answer.usages.length, notes: [...answer.notes, ...near], more: answer.total > answer.usages.length };
}

export function ofOutline(answer: OutlineAnswer): Listing {
  const files = answer.files.map(({ uri, path, entries, leftOut }) => ({
    uri,
    path,
    weak: false,
    lines: entries.map(({ line, depth, text }, n) => ({
      ...plain(line, `${"  ".repeat(depth)}${text}`),
      note: n === entries.length - 1 && leftOut > 0 ? `${leftOut} more` : "",
    })),
  }));
  const places = files.reduce((sum, file) => sum + file.lines.length, 0);
  const left = answer.filesLeftOut > 0 ? [`${count(answer.filesLeftOut, "more file")} had no room.`] : [];
  return { files, places, notes: [...answer.notes, ...left], more: answer.filesLeftOut > 0 };
}

/** "12 results in 3 files". */
export function counted({ places, files }: Listing): string {
  return `${count(places, "result")} in ${count(files.length, "file")}`;
}

/** As an assistant reads it. */
export function markdown(heading: string, { files }: Listing): string {
  const sections = files.map(({ path, lines }) => {
    const rows = lines.map(({ line, text, note }) => `- \`${path}:${line + 1}\`${note === "" ? "" : ` (${note})`}: \`${text.replaceAll("`", "'").trim()}\``);
    return rows.join("\n");
  });
  return [`# ${heading.replace(/\s+/gu, " ")}`, ...sections].join("\n\n") + "\n";
}

/** As the editor's own search writes it: its links and colours work on that. */
export function searchEditor(heading: string, listing: Listing, shownPath: (file: ListedFile) => string): string {
  const files = listing.files.map((file) => {
    const lines = [...file.lines].sort((one, other) => one.line - other.line);
    return [`${shownPath(file)}:`, ...lines.map(({ line, text }) => `${String(line + 1).padStart(5)}: ${text}`)].join("\n");
  });
  return [`# Query: ${heading.replace(/\s+/gu, " ")}`, "", counted(listing), "", ...files.flatMap((file) => [file, ""])].join("\n");
}

interface Group {
  uri: string;
  path: string;
  lines: ListedLine[];
}

/** Files in the order in which they come first; a line that several results have stands there once. */
function grouped(places: readonly Group[]): ListedFile[] {
  const files = new Map<string, ListedFile>();
  for (const { uri, path, lines } of places) {
    const file = files.get(uri) ?? { uri, path, lines: [], weak: true };
    const seen = new Set(file.lines.map(({ line }) => line));
    file.lines.push(...lines.filter(({ line }) => !seen.has(line)));
    file.weak = file.lines.every(({ weak }) => weak);
    files.set(uri, file);
  }
  return [...files.values()];
}

/** The line of the name first, then those that answer. */
function linesOf(hit: Hit): ListedLine[] {
  const rows = hit.text.split(/\r\n|\r|\n/u);
  const start = hit.range.start.line;
  const head = hit.selectionRange.start;
  const others = [hit.answerLine, ...hit.salientLines].filter((line) => line !== head.line);
  const wanted = [...new Set(others)].slice(0, MAX_LINES - 1).sort((one, other) => one - other);
  const lines = [head.line, ...wanted].flatMap((line) => {
    const row = rows[line - start] ?? "";
    return row.trim() === "" ? [] : [{ ...shown(line, row, hit.marks), weak: hit.weak }];
  });
  return lines.map((line, n) => (n === 0 ? { ...line, character: head.line === line.line ? head.character : line.character, kind: hit.kind, note: about(hit, line.text) } : line));
}

/** What a result is called, where its first line does not say it. */
function about(hit: Hit, text: string): string {
  const name = title(hit);
  return text.includes(name) || hit.path.endsWith(name) ? "" : name;
}

function lineOf({ range, text, symbol, certainty }: SymbolUsage): ListedLine {
  const sure = certainty === "certain" ? "" : certainty;
  const note = [text.includes(symbol) ? "" : symbol, sure].filter((part) => part !== "").join(" · ");
  return { ...plain(range.start.line, text), note, weak: certainty === "by name" };
}

function shown(line: number, row: string, marks: readonly Range[]): ListedLine {
  const indent = row.length - row.trimStart().length;
  const text = row.trim().slice(0, MAX_TEXT);
  const spans = marks
    .filter(({ start }) => start.line === line)
    .map(({ start, end }): [number, number] => [start.character - indent, Math.min(end.character - indent, text.length)])
    .filter(([from, to]) => from >= 0 && to > from);
  return { ...plain(line, text), character: indent, marks: spans };
}

function plain(line: number, text: string): ListedLine {
  return { line, character: 0, text: text.slice(0, MAX_TEXT), marks: [], note: "", kind: undefined, weak: false };
}
