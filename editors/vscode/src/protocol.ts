/**
 * The server's own requests, as `c2llm serve --schema` describes them: only what this extension reads.
 *
 * Positions are LSP's, in UTF-16 units, which is what the client negotiates. A Python test compares the names here with the
 * server's schema.
 */

export const PROTOCOL = 1; // of `experimental.c2llm.version`

export const SEARCH = "c2llm/search";
export const SIMILAR = "c2llm/similar";
export const CONTEXT = "c2llm/context";
export const SYMBOL = "c2llm/symbol";
export const OUTLINE = "c2llm/outline";
export const EXPLAIN = "c2llm/explain";
export const STATUS = "c2llm/status";
export const STATUS_CHANGED = "c2llm/statusChanged";

export const SERVER_REINDEX = "c2llm.server.reindex";
export const SERVER_SIMILAR = "c2llm.server.similar";
export const SERVER_CONTEXT = "c2llm.server.context";

export const KINDS = ["function", "method", "class", "block", "section", "cell", "window"] as const;
export type Kind = (typeof KINDS)[number];
export type FolderStateName = "opening" | "indexing" | "ready" | "paused" | "following" | "failed";

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export type Within = "folder" | "package" | "open" | "changed" | "no-tests";

export interface Scope {
  within: Within[];
  document?: string;
  open?: string[];
}

export interface Filters {
  limit?: number;
  folder?: string;
  languages?: string[];
  paths?: string[];
  kinds?: Kind[];
  scope?: Scope;
  waitForEdits?: boolean;
}

export interface SearchParams extends Filters {
  query: string;
}

/** Where a request starts from: a range or position of a document, or text. */
export interface Place {
  textDocument?: { uri: string };
  position?: Position;
  range?: Range;
}

export interface SimilarParams extends Filters, Place {
  text?: string;
}

export interface ContextParams extends Filters, Place {
  query?: string;
  budget?: number;
}

export interface ExplainParams {
  textDocument: { uri: string };
  position: Position;
  query?: string;
}

export interface Freshness {
  files: number;
  chunks: number;
  pendingFiles: number;
  pendingChunks: number;
  stale: boolean;
}

export interface Hit {
  uri: string;
  folder: string;
  path: string;
  range: Range;
  selectionRange: Range;
  label: string;
  language: string;
  kind: Kind;
  symbol: string;
  scope: string;
  score: number;
  text: string;
  salientLines: number[];
  answerLine: number;
  marks: Range[];
  weak: boolean;
}

export interface Answer {
  hits: Hit[];
  freshness: Freshness;
  encoder: string;
  seconds: number;
  notes: string[];
}

export type Relation = "callers" | "callees" | "references";

export interface SymbolParams {
  relation: Relation;
  textDocument?: { uri: string };
  position?: Position;
  limit?: number;
  waitForEdits?: boolean;
}

export interface SymbolUsage {
  uri: string;
  folder: string;
  path: string;
  range: Range;
  kind: string;
  symbol: string;
  text: string;
  certainty: "certain" | "likely" | "by name";
}

export interface SymbolAnswer {
  definitions: { name: string; scope: string; path: string; line: number }[];
  usages: SymbolUsage[];
  total: number;
  near: string[];
  unresolved: string[];
  freshness: Freshness;
  notes: string[];
}

export interface OutlineParams {
  textDocument?: { uri: string };
  folder?: string;
  path?: string;
  budget?: number;
  waitForEdits?: boolean;
}

export interface OutlinedFile {
  uri: string;
  folder: string;
  path: string;
  entries: { name: string; kind: string; scope: string; line: number; depth: number; text: string }[];
  leftOut: number;
}

export interface OutlineAnswer {
  files: OutlinedFile[];
  filesLeftOut: number;
  freshness: Freshness;
  notes: string[];
}

export interface ContextAnswer {
  text: string;
  pieces: { uri: string; path: string; range: Range }[];
  tokens: number;
  budget: number;
  leftOut: number;
  freshness: Freshness;
  notes: string[];
}

export interface LineAttention {
  line: number;
  attention: number;
  effect: number | null;
}

export interface ExplainAnswer {
  uri: string;
  path: string;
  range: Range;
  kind: Kind;
  symbol: string;
  encoder: string;
  looks: { range: Range; weight: number }[];
  lines: LineAttention[];
  unreadFrom: number | null;
  query: string;
  similarity: number | null;
  words: { word: string; rarity: number; inName: boolean; inPath: boolean; lines: number[] }[];
  notes: string[];
}

export interface Work {
  stage: string;
  done: number;
  total: number;
  percentage: number;
}

export interface FolderState {
  folder: string;
  name: string;
  state: FolderStateName;
  work: Work | null;
  message: string;
  pendingEdits: number;
}

export interface FolderStatus extends FolderState {
  freshness: Freshness | null;
  languages: Record<string, number>;
  skipped: Record<string, number>;
  index: string;
  indexBytes: number;
  writerPid: number;
  notes: string[];
}

export interface StatusAnswer {
  version: string;
  protocol: number;
  encoder: string;
  embeddedEdits: number;
  folders: FolderStatus[];
}

export interface StatusChanged {
  folders: FolderState[];
}
