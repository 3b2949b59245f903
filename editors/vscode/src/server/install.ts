/** Offering to install the server, and doing it. */

import * as vscode from "vscode";

import { own } from "../settings.ts";
import { install, NoPython } from "./managed.ts";
import { bundled, named, type Packages, reason } from "./packages.ts";
import { interpreter } from "./python.ts";
import { sentence } from "./health.ts";
import type { Server } from "./server.ts";

const INSTALL = "Install";
const SET_PATH = "Set the Path";
const LOG = "Show Log";
const RETRY = "Try Again";
const RETRY_INSTALL = "Install Again";
const UPDATE = "Update";

let shown = 0; // messages about trouble that nobody has answered

/** Tell of what keeps the server from running, once for each time that it comes to it. What is said goes with its cause. */
export function tellOfTrouble(server: Server): vscode.Disposable {
  let before = "";
  return server.onDidChange((health) => {
    if (shown > 0 && (health.kind === "running" || health.kind === "installing")) {
      void vscode.commands.executeCommand("notifications.hideToasts"); // there is no way to close a single one
    }
    const now = health.kind === "missing" || health.kind === "failed" ? sentence(health) : health.kind;
    if (now === before || (health.kind === "starting" && before !== "running")) {
      return; // between two tries there is nothing new to say
    }
    before = now;
    if (health.kind === "missing") {
      void tellMissing(now, health.setting !== "");
    } else if (health.kind === "failed") {
      void tellFailed(now);
    }
  });
}

/** Offer the server that came with this version of the extension, where the one that it installed is another; once. */
export function offerUpdate(server: Server): vscode.Disposable {
  let offered = false;
  return server.onDidChange((health) => {
    const replaceable = server.source === "managed" && own().requirement.trim() === "" && vscode.workspace.isTrusted;
    if (health.kind !== "running" || offered || !replaceable || ["", server.extension.version].includes(server.version)) {
      return;
    }
    offered = true;
    const message = `The C2LLM server is version ${server.version}; this extension brings version ${server.extension.version}.`;
    void answered(vscode.window.showInformationMessage(message, UPDATE));
  });
}

export async function installServer(server: Server, log: vscode.LogOutputChannel): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage("Trust this workspace first: C2LLM installs nothing from a restricted one.");
    return;
  }
  const command = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: "Installing C2LLM", cancellable: true },
    (progress, token) => attempt(server, log, progress, token),
  );
  if (command === undefined) {
    return;
  }
  await server.restart();
  const set = own().serverPath;
  if (set !== "") {
    void vscode.window.showWarningMessage(`Installed, but the setting c2llm.server.path still names ${set}.`);
  }
}

async function attempt(
  server: Server,
  log: vscode.LogOutputChannel,
  progress: vscode.Progress<{ message: string }>,
  token: vscode.CancellationToken,
): Promise<string | undefined> {
  const cancel = new AbortController();
  token.onCancellationRequested(() => cancel.abort());
  try {
    await server.makeWay();
    return await install({
      environment: server.environment,
      packages: packages(server),
      pythons: await pythons(),
      windows: process.platform === "win32",
      report: (message) => progress.report({ message }),
      log: (line) => log.info(line),
      signal: cancel.signal,
    });
  } catch (error) {
    void server.start();
    if (!token.isCancellationRequested) {
      void tellNotInstalled(error, log);
    }
    return undefined;
  }
}

function packages(server: Server): Packages {
  const requirement = own().requirement.trim();
  return requirement === "" ? bundled(server.extension.path, server.extension.version) : named(requirement);
}

/** The interpreter of the Python extension first; then those that are on PATH, newest first. */
async function pythons(): Promise<string[]> {
  // That of a workspace which is not trusted may be a program of the workspace.
  const chosen = vscode.workspace.isTrusted ? await interpreter() : "";
  const named = process.platform === "win32" ? ["python", "python3"] : ["python3", "python"];
  const versions = ["3.13", "3.12", "3.11", "3.10"].map((version) => `python${version}`);
  return [...(chosen === "" ? [] : [chosen]), ...named, ...versions];
}

async function tellMissing(message: string, wrongSetting: boolean): Promise<void> {
  const buttons = wrongSetting ? [SET_PATH, RETRY] : [INSTALL, SET_PATH];
  await answered(vscode.window.showWarningMessage(message, ...buttons));
}

async function tellFailed(message: string): Promise<void> {
  await answered(vscode.window.showErrorMessage(message, LOG, RETRY));
}

async function tellNotInstalled(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const why = error instanceof Error ? error.message : String(error);
  log.error(why);
  const message = error instanceof NoPython ? why : `C2LLM could not be installed: ${reason(why)}`;
  await answered(vscode.window.showErrorMessage(message, LOG, RETRY_INSTALL, SET_PATH));
}

async function answered(message: Thenable<string | undefined>): Promise<void> {
  shown += 1;
  const button = await message;
  shown -= 1;
  await act(button);
}

async function act(button: string | undefined): Promise<void> {
  const commands: Record<string, string> = {
    [INSTALL]: "c2llm.install",
    [RETRY_INSTALL]: "c2llm.install",
    [UPDATE]: "c2llm.install",
    [SET_PATH]: "c2llm.openServerPath",
    [LOG]: "c2llm.showLog",
    [RETRY]: "c2llm.restart",
  };
  const command = commands[button ?? ""];
  if (command !== undefined) {
    await vscode.commands.executeCommand(command);
  }
}
