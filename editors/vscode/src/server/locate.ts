/**
 * Where the server may be, in the order in which it is looked for. Pure: the file system comes in as a function.
 *
 * A workspace is hostile input: a server that lies inside an open folder is only started when the person has trusted the
 * workspace, however it was come by, and entries of PATH that are not absolute are never looked at.
 */

import * as nodePath from "node:path";

export type Source = "setting" | "path" | "python" | "managed";

export interface Surroundings {
  setting: string; // `c2llm.server.path`
  path: string; // the variable PATH
  python: string; // the interpreter that the Python extension has chosen; empty without one
  managed: string; // the folder of our own environment
  home: string;
  windows: boolean;
  trusted: boolean;
  folders: readonly string[]; // of the workspace
  real: (file: string) => string | undefined; // where a file lies behind all links; undefined where there is none
}

export type Located = { kind: "found"; command: string; source: Source } | { kind: "wrong"; setting: string } | { kind: "none" };

export function locate(around: Surroundings): Located {
  const setting = around.setting.trim();
  if (setting !== "") {
    const command = withHome(setting, around);
    const usable = paths(around).isAbsolute(command) && allowed(command, around);
    return usable ? { kind: "found", command, source: "setting" } : { kind: "wrong", setting };
  }
  for (const [source, folder] of folders(around)) {
    const command = paths(around).join(folder, executable(around.windows));
    if (allowed(command, around)) {
      return { kind: "found", command, source };
    }
  }
  return { kind: "none" };
}

export function executable(windows: boolean): string {
  return windows ? "c2llm.exe" : "c2llm";
}

/** Where a virtual environment keeps what it runs. */
export function binFolder(environment: string, windows: boolean): string {
  const at = windows ? nodePath.win32 : nodePath.posix;
  return at.join(environment, windows ? "Scripts" : "bin");
}

function* folders(around: Surroundings): Generator<[Source, string]> {
  const at = paths(around);
  for (const folder of around.path.split(at.delimiter)) {
    if (at.isAbsolute(folder)) {
      yield ["path", folder];
    }
  }
  if (around.python !== "" && around.trusted) {
    // Beside the interpreter; a Python of Windows that is no environment keeps its scripts one level below.
    yield ["python", at.dirname(around.python)];
    yield ["python", at.join(at.dirname(around.python), "Scripts")];
  }
  yield ["managed", binFolder(around.managed, around.windows)];
}

/** Whether it is there, and may be started. Links count on both sides: they lead into a workspace as well as out of it. */
function allowed(command: string, around: Surroundings): boolean {
  const real = around.real(command);
  if (real === undefined || around.trusted) {
    return real !== undefined;
  }
  const inside = around.folders.flatMap((folder) => [folder, around.real(folder) ?? folder]);
  return ![command, real].some((file) => inside.some((folder) => isBelow(file, folder, around)));
}

function isBelow(file: string, folder: string, around: Surroundings): boolean {
  const relative = paths(around).relative(folder, file);
  return !paths(around).isAbsolute(relative) && relative.split(/[/\\]/u)[0] !== "..";
}

function withHome(file: string, around: Surroundings): string {
  return /^~[/\\]/.test(file) ? paths(around).join(around.home, file.slice(2)) : file;
}

function paths(around: Surroundings): nodePath.PlatformPath {
  return around.windows ? nodePath.win32 : nodePath.posix;
}
