/** The language-model tool: agents in the editor ask the same index, unsaved edits included. */

import * as vscode from "vscode";

import { folderName } from "../places.ts";
import { type Answer, type Kind, SEARCH, type SearchParams } from "../protocol.ts";
import type { Server } from "../server/server.ts";
import { forModel } from "./answer.ts";

const NAME = "c2llm_search";
const MOST = 30;

interface Input {
  query: string;
  languages?: string[];
  paths?: string[];
  kinds?: Kind[];
  limit?: number;
}

export function registerTool(server: Server): vscode.Disposable {
  return vscode.lm.registerTool<Input>(NAME, {
    prepareInvocation: ({ input }) => ({ invocationMessage: `Searching the code for “${input.query}”` }),
    invoke: async ({ input }, token) => {
      const { query, languages = [], paths = [], kinds = [], limit = 10 } = input;
      const asked: SearchParams = {
        query,
        languages,
        paths,
        kinds,
        limit: Math.min(Math.max(1, Math.floor(limit)), MOST),
        waitForEdits: true,
      };
      const answer = await server.request<Answer>(SEARCH, asked, token);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(forModel(answer, folderName))]);
    },
  });
}
