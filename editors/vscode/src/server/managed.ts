/**
 * An environment of the extension's own, for those who have no server yet: python -m venv, then pip. It says what it does
 * while it does it, can be cancelled, and leaves nothing half made behind.
 */

import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import * as nodePath from "node:path";

import { binFolder, executable } from "./locate.ts";
import type { Packages } from "./packages.ts";

export const OLDEST = [3, 10] as const;
export const NEWEST = [3, 13] as const;
const KEPT_LINES = 40; // of what a failed step printed

export interface Steps {
  environment: string; // the folder to make
  packages: Packages;
  pythons: readonly string[]; // to be tried, in order
  windows: boolean;
  report: (what: string) => void;
  log: (line: string) => void;
  signal: AbortSignal;
}

export class NoPython extends Error {}

/** Make the environment; what starts the server in it. Rejects with NoPython, or with what went wrong. */
export async function install(steps: Steps): Promise<string> {
  const python = await usablePython(steps);
  const bin = binFolder(steps.environment, steps.windows);
  try {
    await rm(steps.environment, { recursive: true, force: true });
    steps.report("creating the environment");
    await run(steps, python, ["-I", "-m", "venv", steps.environment]);
    steps.report(`installing ${steps.packages.name}`);
    const own = nodePath.join(bin, steps.windows ? "python.exe" : "python");
    for (const packages of steps.packages.installs) {
      await run(steps, own, ["-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", ...packages]);
    }
    return nodePath.join(bin, executable(steps.windows));
  } catch (error) {
    await rm(steps.environment, { recursive: true, force: true });
    throw error;
  }
}

/** What pip is doing, of a line that it prints; undefined for what says nothing to a person. */
export function doing(line: string): string | undefined {
  const match = /^(?:Collecting|Building wheel for|Downloading|Using cached)\s+([A-Za-z0-9][\w.-]*)/u.exec(line.trim());
  if (match?.[1] !== undefined) {
    return match[1].replace(/-\d.*$/u, "");
  }
  return line.trim().startsWith("Installing collected packages") ? "unpacking" : undefined;
}

/** Whether a Python that says `3.11` will do. */
export function usable(version: string): boolean {
  const [major, minor] = version.trim().split(".").map(Number);
  return major === OLDEST[0] && minor !== undefined && minor >= OLDEST[1] && minor <= NEWEST[1];
}

async function usablePython(steps: Steps): Promise<string> {
  const seen: string[] = [];
  for (const python of steps.pythons) {
    try {
      const version = await run(steps, python, ["-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
      if (usable(version)) {
        return python;
      }
      seen.push(`${python} is ${version.trim()}`);
    } catch {
      steps.signal.throwIfAborted();
    }
  }
  const found = seen.length > 0 ? ` Found: ${seen.join(", ")}.` : "";
  throw new NoPython(`C2LLM needs Python ${OLDEST.join(".")} to ${NEWEST.join(".")}, which was not found.${found}`);
}

/** What a program prints. Rejects with the last lines of it when it fails. */
function run(steps: Steps, program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: homedir(), // VS Code's own may be the workspace, where Python and Windows would look for modules and programs
      signal: steps.signal,
      windowsHide: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    const lines: string[] = [];
    const take = (text: string) => {
      for (const line of text.split(/\r?\n/u).filter((one) => one.trim() !== "")) {
        steps.log(line);
        lines.push(line);
        const now = doing(line);
        if (now !== undefined) {
          steps.report(now);
        }
      }
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      take(text);
    });
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) {
        resolve(printed);
      } else {
        reject(new Error(lines.slice(-KEPT_LINES).join("\n") || `${program} ended with ${code}.`));
      }
    });
  });
}
