/**
 * What is typed into the search box: words, with filters written between them as `lang:python,go`, `kind:function`,
 * `path:src/**`, `-path:tests/**` and `in:open`. Pure.
 */

import { type Kind, KINDS, type Within } from "../protocol.ts";

/** Where to search, by the server's names: each is a keystroke in the search box, and narrows the others down. */
export const WITHIN = ["folder", "package", "open", "changed", "no-tests"] as const satisfies readonly Within[];

export interface Question {
  query: string;
  languages: string[];
  paths: string[];
  kinds: Kind[];
  within: Within[];
  unknown: string[]; // a sentence for each value of a filter that there is not
}

const FILTER = /(?<=^|\s)(-?)(lang|language|kind|path|in):(?:"([^"]*)"?|(\S*))/giu;

export function parse(typed: string): Question {
  const found: Question = { query: "", languages: [], paths: [], kinds: [], within: [], unknown: [] };
  const words = typed.replace(FILTER, (whole: string, not: string, name: string, quoted?: string, bare?: string) => {
    const values = (quoted ?? bare ?? "").split(quoted === undefined ? "," : "\n").filter((value) => value !== "");
    return take(found, name.toLowerCase(), not === "-", values) ? " " : whole;
  });
  found.query = spaced(words);
  return found;
}

/** A question as one would type it. */
export function compose({ query, languages, paths, kinds, within }: Question): string {
  const listed = (name: string, values: readonly string[]) => (values.length > 0 ? [`${name}:${values.join(",")}`] : []);
  const globs = paths.map((glob) => (glob.startsWith("!") ? `-path:${quoted(glob.slice(1))}` : `path:${quoted(glob)}`));
  const filters = [...listed("lang", languages), ...listed("kind", kinds), ...globs, ...listed("in", within)];
  return [...filters, query].join(" ");
}

/** Add a filter to what is typed; what is being typed goes on behind it. */
export function withFilter(typed: string, filter: string): string {
  const words = typed.trim();
  return words.split(/\s+/u).includes(filter) ? typed : `${filter} ${words}`.trimEnd() + (words === "" ? " " : "");
}

/** Search there alone, or no longer. */
export function toggled(typed: string, within: Within): string {
  const chosen = parse(typed).within;
  if (!chosen.includes(within)) {
    return withFilter(typed, `in:${within}`);
  }
  const others = chosen.filter((one) => one !== within).map((one) => `in:${one}`);
  return [...others, spaced(typed.replace(/(?<=^|\s)in:\S*/giu, " "))].join(" ");
}

/** The filter for everything below a folder, or for one file. */
export function pathFilter(path: string, isFolder: boolean): string {
  return `path:${quoted(`/${path.replace(/[\\*?[\]!#]/gu, "\\$&")}${isFolder ? "/**" : ""}`)}`;
}

function quoted(glob: string): string {
  return /[\s,]/u.test(glob) ? `"${glob}"` : glob;
}

function spaced(words: string): string {
  return words.replace(/\s+/gu, " ").trim();
}

/** Whether all of it is understood; what is not stays among the words. */
function take(found: Question, name: string, not: boolean, values: string[]): boolean {
  if (name === "path") {
    found.paths.push(...values.map((glob) => (not ? `!${glob}` : glob)));
    return true;
  }
  if (not) {
    return false;
  }
  if (name === "kind") {
    const kinds = values.map((value) => value.toLowerCase());
    // While "kind:fun" is being typed nothing is found by "fun" yet: it is left out rather than searched for.
    found.kinds.push(...KINDS.filter((kind) => kinds.includes(kind)));
    found.unknown.push(...unknown("kind", kinds, KINDS));
    return true;
  }
  if (name === "in") {
    const chosen = values.map((value) => value.toLowerCase());
    found.within.push(...WITHIN.filter((one) => chosen.includes(one)));
    found.unknown.push(...unknown("in:", chosen, WITHIN));
    return true;
  }
  found.languages.push(...values);
  return true;
}

function unknown(name: string, values: readonly string[], existing: readonly string[]): string[] {
  const strange = values.filter((value) => !existing.includes(value));
  return strange.map((value) => `no ${name}${name.endsWith(":") ? "" : " "}“${value}”: there are ${existing.join(", ")}`);
}
