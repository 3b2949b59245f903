/** What was asked and found in this workspace: the questions for the next search, the last result for its explanation. */

import type * as vscode from "vscode";

import type { Hit } from "../protocol.ts";

const KEY = "c2llm.questions";
const KEPT = 12;

export class Memory {
  private last: { query: string; hit: Hit } | undefined;

  constructor(private readonly state: vscode.Memento) {}

  questions(): string[] {
    return this.state.get<string[]>(KEY, []);
  }

  found(typed: string, query: string, hit: Hit): void {
    this.last = { query, hit };
    this.asked(typed);
  }

  /** Remember a question, whether it led anywhere or not. */
  asked(typed: string): void {
    const asked = typed.trim();
    if (asked === "") {
      return;
    }
    void this.state.update(KEY, [asked, ...this.questions().filter((earlier) => earlier !== asked)].slice(0, KEPT));
  }

  /** The question that led to a line, if it was the last one that led anywhere. */
  questionFor(uri: string, line: number): string {
    const { last } = this;
    if (last?.hit.uri !== uri) {
      return "";
    }
    const { start, end } = last.hit.range;
    return start.line <= line && line <= end.line ? last.query : "";
  }
}
