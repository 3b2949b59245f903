/** What a language model gets to read of an answer. Pure. */

import type { Answer, Hit } from "../protocol.ts";
import { nothing, place } from "../search/describe.ts";

const MAX_HIT = 2_000; // characters of one result: a long class must not crowd out the others

export function forModel(answer: Answer, folderName: (hit: Hit) => string): string {
  if (answer.hits.length === 0) {
    return nothing(answer);
  }
  const { pendingFiles, pendingChunks, stale } = answer.freshness;
  const behind = pendingFiles + pendingChunks > 0 || stale ? "The index is still catching up; more may be found later.\n\n" : "";
  return behind + answer.hits.map((hit) => section(hit, folderName(hit))).join("\n");
}

function section(hit: Hit, folder: string): string {
  const text = hit.text.length <= MAX_HIT ? hit.text : `${hit.text.slice(0, MAX_HIT)}\n…`;
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/gu)].map(([ticks]) => ticks.length + 1)));
  const name = hit.symbol === "" ? hit.kind : `${hit.kind} ${hit.scope === "" ? "" : `${hit.scope}.`}${hit.symbol}`;
  return `## ${place(hit, folder)} (${name})\n\n${fence}${hit.language}\n${text}\n${fence}\n`;
}
