/** `@c2llm` in the chat: the code that a question needs, given to the model that the person chose there, and citations that jump. */

import * as vscode from "vscode";

import { toRange } from "../places.ts";
import { CONTEXT, type ContextAnswer } from "../protocol.ts";
import type { Server } from "../server/server.ts";
import { own } from "../settings.ts";
import { Citations, type Cited, CONDENSE, given, type Part, RULES, standalone } from "./cite.ts";

const ID = "c2llm.ask";
const MOST_TURNS = 6; // of the conversation that the model is told
const MADE_UP = " ⚠ _not among the lines that the model was given_";
const CHANGED = " ⚠ _changed since it was read_";

export function registerParticipant(server: Server): vscode.Disposable {
  const participant = vscode.chat.createChatParticipant(ID, async (request, context, stream, token) => {
    try {
      return await answer(server, request, context, stream, token);
    } catch (error) {
      if (token.isCancellationRequested) {
        return {};
      }
      const message = error instanceof Error ? error.message : String(error);
      return { errorDetails: { message: error instanceof vscode.LanguageModelError ? `The language model fails: ${message}` : message } };
    }
  });
  participant.iconPath = new vscode.ThemeIcon("search");
  return vscode.Disposable.from(participant);
}

async function answer(
  server: Server,
  request: vscode.ChatRequest,
  context: vscode.ChatContext,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<vscode.ChatResult> {
  const question = request.prompt.trim();
  if (question === "") {
    stream.markdown("Ask what you want to know about the code of the open folders.");
    return {};
  }
  const before = history(context);
  const query = before.length > 0 ? await condense(request, before, question, token) : question;
  stream.progress(`Searching the code for “${query}”`);
  const found = await server.request<ContextAnswer>(CONTEXT, { query, budget: own().budget, waitForEdits: true }, token);
  if (found.pieces.length === 0) {
    stream.markdown(found.notes[0] ?? "No code was found for this question.");
    return {};
  }
  const changes = new Changes();
  try {
    const asked = `${RULES}\n\n${found.text}\n\nQuestion: ${question}`;
    const response = await request.model.sendRequest([...before, vscode.LanguageModelChatMessage.User(asked)], {}, token);
    await show(response.text, found, changes, stream);
  } finally {
    changes.dispose();
  }
  return {};
}

async function show(
  text: AsyncIterable<string>,
  found: ContextAnswer,
  changes: Changes,
  stream: vscode.ChatResponseStream,
): Promise<void> {
  const citations = new Citations();
  const referred = new Set<string>();
  const write = (parts: Part[]): void => {
    for (const part of parts) {
      if ("text" in part) {
        stream.markdown(part.text);
      } else {
        cite(part.cited, part.written, found, changes, stream, referred);
      }
    }
  };
  for await (const piece of text) {
    write(citations.push(piece));
  }
  write(citations.end());
}

function cite(
  cited: Cited,
  written: string,
  found: ContextAnswer,
  changes: Changes,
  stream: vscode.ChatResponseStream,
  referred: Set<string>,
): void {
  const piece = given(cited, found.pieces);
  if (piece === undefined) {
    stream.markdown(new vscode.MarkdownString().appendText(written));
    stream.markdown(MADE_UP);
    return;
  }
  const uri = vscode.Uri.parse(piece.uri, true);
  const lines = toRange({ start: { line: cited.first - 1, character: 0 }, end: { line: cited.last - 1, character: 0 } });
  const location = new vscode.Location(uri, lines);
  stream.anchor(location, written.slice(1, -1).replaceAll("`", ""));
  if (!referred.has(written)) {
    referred.add(written);
    stream.reference(location);
  }
  if (changes.has(uri)) {
    stream.markdown(CHANGED);
  }
}

/** The last turns with this participant. */
function history(context: vscode.ChatContext): vscode.LanguageModelChatMessage[] {
  return context.history.slice(-MOST_TURNS).map((turn) => {
    if (turn instanceof vscode.ChatRequestTurn) {
      return vscode.LanguageModelChatMessage.User(turn.prompt);
    }
    const parts = turn.response.map((part) => (part instanceof vscode.ChatResponseMarkdownPart ? part.value.value : ""));
    return vscode.LanguageModelChatMessage.Assistant(parts.join(""));
  });
}

async function condense(
  request: vscode.ChatRequest,
  before: readonly vscode.LanguageModelChatMessage[],
  question: string,
  token: vscode.CancellationToken,
): Promise<string> {
  const asked = vscode.LanguageModelChatMessage.User(`${CONDENSE}\n\nFollow-up: ${question}`);
  const response = await request.model.sendRequest([...before, asked], {}, token);
  let text = "";
  for await (const piece of response.text) {
    text += piece;
  }
  const last = before.filter(({ role }) => role === vscode.LanguageModelChatMessageRole.User).at(-1);
  const words = last?.content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : "")).join("") ?? "";
  return standalone(text, words, question);
}

/** The files that change while the model writes. */
class Changes implements vscode.Disposable {
  private readonly uris = new Set<string>();
  private readonly watching: vscode.Disposable[];

  constructor() {
    const note = (uri: vscode.Uri): void => {
      this.uris.add(uri.toString());
    };
    const files = vscode.workspace.createFileSystemWatcher("**/*", true);
    this.watching = [
      files,
      files.onDidChange(note),
      files.onDidDelete(note),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) {
          note(document.uri);
        }
      }),
    ];
  }

  has(uri: vscode.Uri): boolean {
    return this.uris.has(uri.toString());
  }

  dispose(): void {
    for (const each of this.watching) {
      each.dispose();
    }
  }
}
