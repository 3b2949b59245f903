/**
 * From an explanation to colours and words. Pure.
 *
 * Attention is a share of 1 over all tokens, so its values shrink with the length of the code: what counts is a token's share
 * next to the strongest one, on a scale of few levels, because a decoration is a colour known beforehand.
 */

import type { ExplainAnswer, LineAttention, Range } from "../protocol.ts";

export const LEVELS = 6;
const COLD = 0.1; // of the strongest token: below it nothing is coloured, else every bracket would be

export interface Heat {
  tokens: Range[][]; // by level, coldest first
  lines: { line: number; effect: number }[]; // what of the code answers the question, strongest first
}

export function heat(answer: ExplainAnswer): Heat {
  const tokens: Range[][] = Array.from({ length: LEVELS }, () => []);
  const strongest = Math.max(0, ...answer.looks.map((look) => look.weight));
  for (const look of answer.looks) {
    const share = strongest > 0 ? look.weight / strongest : 0;
    if (share >= COLD) {
      const level = Math.min(LEVELS - 1, Math.floor(share * LEVELS));
      tokens[level]?.push(look.range);
    }
  }
  return { tokens, lines: effects(answer.lines) };
}

/** Lines that the answer rests on, strongest first. */
function effects(lines: readonly LineAttention[]): Heat["lines"] {
  return lines
    .flatMap(({ line, effect }) => (effect !== null && effect > 0 ? [{ line, effect }] : []))
    .sort((one, other) => other.effect - one.effect);
}

/** Beside a line: how much of the similarity to the question rests on it. */
export function beside(effect: number, strongest: number): string {
  const blocks = Math.max(1, Math.round((effect / strongest) * 8));
  return `${"▇".repeat(blocks)} ${effect.toFixed(3)}`;
}

/** The whole of it, as Markdown for a hover. */
export function summary(answer: ExplainAnswer): string {
  const name = answer.symbol === "" ? answer.kind : `${answer.kind} \`${answer.symbol}\``;
  const parts = [`**C2LLM: where the model looks** in this ${name}.`];
  if (answer.similarity !== null) {
    parts.push(`Similarity to “${escaped(answer.query)}”: **${answer.similarity.toFixed(3)}**. The bars say what it would lose without a line.`);
  }
  if (answer.words.length > 0) {
    parts.push(`Words of the question that are here: ${answer.words.map(word).join(", ")}.`);
  }
  if (answer.unreadFrom !== null) {
    parts.push(`The model does not read from line ${answer.unreadFrom + 1} on.`);
  }
  parts.push(...answer.notes.map(escaped));
  return parts.join("\n\n");
}

function word({ word, inName, inPath, lines }: ExplainAnswer["words"][number]): string {
  const where = [inName ? "name" : "", inPath ? "path" : "", lines.length > 0 ? numbers(lines) : ""];
  return `**${escaped(word)}** (${where.filter(Boolean).join(", ")})`;
}

function numbers(lines: readonly number[]): string {
  const shown = lines.slice(0, 5).map((line) => line + 1);
  return `line${lines.length > 1 ? "s" : ""} ${shown.join(", ")}${lines.length > shown.length ? " …" : ""}`;
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!<>|~]/gu, "\\$&");
}
