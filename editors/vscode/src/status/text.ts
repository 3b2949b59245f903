/** The status-bar item and the status page, as text. Pure. */

import type { FolderState, FolderStatus, StatusAnswer } from "../protocol.ts";
import { count, progress, share } from "../search/describe.ts";

export interface Shown {
  text: string;
  tooltip: string;
  alarm: boolean;
}

export function folders(states: readonly FolderState[]): Shown {
  const failed = states.filter((folder) => folder.state === "failed");
  const busy = states.filter((folder) => folder.state === "indexing" || folder.state === "opening");
  const paused = states.filter((folder) => folder.state === "paused");
  if (states.length === 0) {
    return { text: "$(sync~spin) C2LLM: opening", tooltip: "The folders are being opened.", alarm: false };
  }
  const tooltip = states.map(line).join("\n");
  if (failed.length > 0) {
    return { text: "$(warning) C2LLM", tooltip, alarm: true };
  }
  if (busy.length > 0) {
    return { text: `$(sync~spin) C2LLM: ${progress(busy)}`, tooltip, alarm: false };
  }
  if (paused.length > 0) {
    return { text: "$(debug-pause) C2LLM: paused", tooltip: `${tooltip}\nClick to resume.`, alarm: false };
  }
  return { text: "$(search-sparkle) C2LLM", tooltip, alarm: false };
}

/** One folder in one line: its name, and what is going on. */
export function line(folder: FolderState): string {
  return `${folder.name}: ${standing(folder)}`;
}

function standing({ state, work, message, pendingEdits }: FolderState): string {
  const doing = work ? `${state} ${work.percentage} %` : state === "ready" ? "up to date" : state;
  const edits = pendingEdits > 0 ? `; ${count(pendingEdits, "edit")} pending` : "";
  return `${message === "" ? doing : `${doing}. ${message}`}${edits}`;
}

/** The status page, as Markdown. */
export function page(status: StatusAnswer): string {
  const head = `# C2LLM\n\nServer ${status.version}, model \`${status.encoder}\`.\n`;
  return [head, ...status.folders.map(section)].join("\n");
}

function section(folder: FolderStatus): string {
  const rows = [`## ${folder.name}`, "", `**${standing(folder)}**`, ""];
  const now = folder.freshness;
  if (now) {
    rows.push(
      "| | |",
      "|---|---|",
      `| files | ${now.files.toLocaleString("en")} |`,
      `| files to be read | ${now.pendingFiles.toLocaleString("en")} |`,
      `| found by words only so far | ${now.pendingChunks === 0 ? "nothing" : `${share(now.pendingChunks, now.chunks)} of the code`} |`,
      `| languages | ${shares(folder.languages)} |`,
      `| files left out | ${table(folder.skipped)} |`,
      `| index | \`${folder.index}\`, ${(folder.indexBytes / 1e6).toFixed(1)} MB |`,
      "",
    );
  }
  return [...rows, ...folder.notes.map((note) => `- ${note}`), ""].join("\n");
}

function table(counts: Record<string, number>): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, n]) => `${name} ${n.toLocaleString("en")}`).join(", ") || "none";
}

function shares(parts: Record<string, number>): string {
  const all = Object.values(parts).reduce((sum, n) => sum + n, 0);
  const sorted = Object.entries(parts).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, n]) => `${name} ${share(n, all)}`).join(", ") || "none";
}
