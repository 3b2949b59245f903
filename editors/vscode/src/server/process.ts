/** The server's process: started without a shell, its standard error kept for the log and for messages. */

import { type ChildProcess, spawn } from "node:child_process";
import { homedir } from "node:os";
import * as nodePath from "node:path";

const KEPT_LINES = 20;

export interface Running {
  process: ChildProcess;
  ended: Promise<void>;
  /** The last thing that it said before it ended, for a message to a person. */
  lastWords(): string;
}

/** Rejects where the program cannot be started at all. */
export async function startServer(command: string, logLevel: string): Promise<Running> {
  // Not in the workspace: a server should not find modules or settings there just because it was started there.
  const child = spawn(command, ["serve", "--log-level", logLevel], {
    cwd: homedir(),
    env: serverEnvironment(process.env, process.platform === "win32"),
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const lines: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    lines.push(...text.split(/\r?\n/).filter((line) => line.trim() !== ""));
    lines.splice(0, Math.max(0, lines.length - KEPT_LINES));
  });
  child.stdin.on("error", () => undefined); // it has ended, which `ended` tells
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { process: child, ended, lastWords: () => lines.at(-1)?.trim() ?? "" };
}

/**
 * The environment of the server: what would make Python run code of wherever it is started is left out, and so are entries of
 * PYTHONPATH that are not absolute.
 */
export function serverEnvironment(environment: NodeJS.ProcessEnv, windows: boolean): NodeJS.ProcessEnv {
  const at = windows ? nodePath.win32 : nodePath.posix;
  const absolute = (environment["PYTHONPATH"] ?? "").split(at.delimiter).filter((folder) => at.isAbsolute(folder));
  const kept = Object.entries(environment).filter(([name]) => !["PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME"].includes(name));
  return {
    ...Object.fromEntries(kept),
    ...(absolute.length > 0 ? { PYTHONPATH: absolute.join(at.delimiter) } : {}),
    PYTHONSAFEPATH: "1",
    PYTHONUNBUFFERED: "1",
  };
}

/** End a process that did not end when it was asked to. */
export async function end(running: Running, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), withinMs);
  });
  if (await Promise.race([late, running.ended.then(() => false)])) {
    running.process.kill("SIGKILL");
  }
  clearTimeout(timer);
}
