/** Where results come from: a question, code that is like other code, uses of a symbol, an outline. Each can be asked again. */

import * as vscode from "vscode";

import {
  type Answer,
  type ContextParams,
  type Freshness,
  OUTLINE,
  type OutlineAnswer,
  type OutlineParams,
  type Place,
  type Relation,
  SEARCH,
  SIMILAR,
  type SimilarParams,
  SYMBOL,
  type SymbolAnswer,
  type SymbolParams,
} from "../protocol.ts";
import { parse } from "../search/question.ts";
import { scopeOf } from "../search/scopes.ts";
import type { Server } from "../server/server.ts";
import { type Listing, ofAnswer, ofOutline, ofUsages } from "./listing.ts";

export interface Asked {
  limit: number;
  waitForEdits: boolean;
}

export interface Listed {
  listing: Listing;
  freshness: Freshness | undefined; // undefined where nothing was asked
}

export interface Source {
  heading: string;
  typed: string | undefined; // of a question, as it stands in the search box
  run(asked: Asked): Promise<Listed>;
  /** What to ask for as context; undefined where the list itself is the context. */
  context(): ContextParams | undefined;
}

const OUTLINE_TOKENS = 80; // of the budget for each place that is asked for: a line has some 15

/** `folder` is the one to search, all without it; `file` is what the folder and package of a scope are about. */
export function question(server: Server, typed: string, folder: string | undefined, file: string): Source {
  const params = () => {
    const { query, unknown: _, within, ...filters } = parse(typed);
    return { query, ...filters, ...scopeOf(within, file), ...(folder === undefined ? {} : { folder }) };
  };
  return {
    heading: typed,
    typed,
    async run(asked) {
      const asking = params();
      if (asking.query === "") {
        return { listing: { files: [], places: 0, notes: ["Say what to search for."], more: false }, freshness: undefined };
      }
      const answer = await server.request<Answer>(SEARCH, { ...asking, ...asked });
      return { listing: ofAnswer(answer, asked.limit), freshness: answer.freshness };
    },
    context: params,
  };
}

export function similarTo(server: Server, params: SimilarParams): Source {
  const { text, ...place } = params;
  return {
    heading: `Like ${params.textDocument ? placeOf(params) : "the selection"}`,
    typed: undefined,
    async run(asked) {
      const answer = await server.request<Answer>(SIMILAR, { ...params, ...asked });
      return { listing: ofAnswer(answer, asked.limit), freshness: answer.freshness };
    },
    context: () => (text === undefined ? place : undefined),
  };
}

export function usesOf(server: Server, relation: Relation, place: Required<Pick<Place, "textDocument" | "position">>): Source {
  const params: SymbolParams = { relation, ...place };
  const source: Source = {
    heading: `${capital(relation)} at ${placeOf(place)}`,
    typed: undefined,
    async run(asked) {
      const answer = await server.request<SymbolAnswer>(SYMBOL, { ...params, ...asked });
      const [definition] = answer.definitions;
      if (definition) {
        source.heading = `${capital(relation)} of ${definition.scope === "" ? "" : `${definition.scope}.`}${definition.name}`;
      }
      return { listing: ofUsages(answer), freshness: answer.freshness };
    },
    context: () => undefined,
  };
  return source;
}

export function outlineOf(server: Server, params: OutlineParams, name: string): Source {
  return {
    heading: `Outline of ${name}`,
    typed: undefined,
    async run({ limit, waitForEdits }) {
      const answer = await server.request<OutlineAnswer>(OUTLINE, { ...params, waitForEdits, budget: limit * OUTLINE_TOKENS });
      return { listing: ofOutline(answer), freshness: answer.freshness };
    },
    context: () => undefined,
  };
}

/** `path:line`, or the lines of a selection. */
function placeOf({ textDocument, position, range }: Place): string {
  const path = textDocument ? vscode.workspace.asRelativePath(vscode.Uri.parse(textDocument.uri)) : "";
  const line = range?.start.line ?? position?.line ?? 0;
  const last = range === undefined ? line : range.end.line - (range.end.character === 0 ? 1 : 0);
  return `${path}:${last > line ? `${line + 1}-${last + 1}` : line + 1}`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
