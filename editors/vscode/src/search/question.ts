/**
 * What is typed into the search box: words, with filters written between them as `lang:python,go`, `kind:function`,
 * `path:src/**` and `-path:tests/**`. Pure.
 */

import { type Kind, KINDS } from "../protocol.ts";

export interface Question {
  query: string;
  languages: string[];
  paths: string[];
  kinds: Kind[];
  unknown: string[]; // a sentence for each value of a filter that there is not
}

const FILTER = /(?<=^|\s)(-?)(lang|language|kind|path):(?:"([^"]*)"?|(\S*))/giu;

export function parse(typed: string): Question {
  const found: Question = { query: "", languages: [], paths: [], kinds: [], unknown: [] };
  const words = typed.replace(FILTER, (whole: string, not: string, name: string, quoted?: string, bare?: string) => {
    const values = (quoted ?? bare ?? "").split(quoted === undefined ? "," : "\n").filter((value) => value !== "");
    return take(found, name.toLowerCase(), not === "-", values) ? " " : whole;
  });
  found.query = words.replace(/\s+/gu, " ").trim();
  return found;
}

/** Add a filter to what is typed; what is being typed goes on behind it. */
export function withFilter(typed: string, filter: string): string {
  const words = typed.trim();
  return words.split(/\s+/u).includes(filter) ? typed : `${filter} ${words}`.trimEnd() + (words === "" ? " " : "");
}

/** The filter for everything below a folder, or for one file. */
export function pathFilter(path: string, isFolder: boolean): string {
  const glob = `/${path.replace(/[\\*?[\]!#]/gu, "\\$&")}${isFolder ? "/**" : ""}`;
  return /[\s,]/u.test(glob) ? `path:"${glob}"` : `path:${glob}`;
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
    const unknown = kinds.filter((kind) => !(KINDS as readonly string[]).includes(kind));
    found.unknown.push(...unknown.map((kind) => `no kind “${kind}”: there are ${KINDS.join(", ")}`));
    return true;
  }
  found.languages.push(...values);
  return true;
}
