/**
 * The server's life: found, started, watched, started again, stopped. One for all folders.
 *
 * Each start gets a number, and whatever comes back from an earlier one is dropped: a person may stop and start faster than
 * a process does.
 */

import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import * as vscode from "vscode";

import { own } from "../settings.ts";
import { Client, type Hooks } from "./client.ts";
import { type Located, locate, type Source } from "./locate.ts";
import { type Health, NotRunning } from "./health.ts";
import { end as endProcess } from "./process.ts";
import { interpreter } from "./python.ts";
import { Tries } from "./tries.ts";
import { fit } from "./versions.ts";

const END_WITHIN_MS = 2_500; // the server promises one second

export class Server implements vscode.Disposable {
  health: Health = { kind: "stopped" };
  private readonly changed = new vscode.EventEmitter<Health>();
  readonly onDidChange = this.changed.event;
  source: Source | undefined; // where the server that runs was found
  private client: Client | undefined;
  private readonly tries = new Tries();
  private number = 0;
  private closing: Promise<void> = Promise.resolve();

  constructor(
    readonly environment: string,
    readonly extension: { path: string; version: string },
    private readonly log: vscode.LogOutputChannel,
    private readonly takeCommand: Hooks["takeCommand"],
  ) {}

  async start(): Promise<void> {
    this.tries.forget();
    await this.begin();
  }

  async stop(): Promise<void> {
    await this.end({ kind: "stopped" });
  }

  /** Stop for an installation: the server may run from what is made anew. */
  async makeWay(): Promise<void> {
    await this.end({ kind: "installing" });
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.client?.pause();
  }

  /** What the server runs from; empty before one was found. */
  get command(): string {
    return this.client?.command ?? "";
  }

  get version(): string {
    return this.client?.version ?? "";
  }

  uri(uri: vscode.Uri): string {
    return this.client?.uri(uri) ?? uri.toString();
  }

  /** Ask the server; waits for one that is being started. Rejects with NotRunning, or what the server refuses with. */
  async request<T>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<T> {
    if (this.health.kind === "starting") {
      await this.settled(token);
    }
    if (this.client === undefined || this.health.kind !== "running") {
      throw new NotRunning(this.health);
    }
    return this.client.request<T>(method, params, token);
  }

  dispose(): void {
    this.number += 1;
    void this.close();
    this.changed.dispose();
  }

  async locate(): Promise<Located> {
    const trusted = vscode.workspace.isTrusted;
    return locate({
      setting: own().serverPath,
      path: process.env["PATH"] ?? process.env["Path"] ?? "",
      python: trusted ? await interpreter() : "",
      managed: this.environment,
      home: homedir(),
      windows: process.platform === "win32",
      trusted,
      folders: localFolders().map(({ path }) => path),
      real,
    });
  }

  private async end(health: Health): Promise<void> {
    this.number += 1;
    this.become(health);
    await this.close();
  }

  private async begin(): Promise<void> {
    const number = ++this.number;
    await this.close();
    if (number !== this.number) {
      return;
    }
    if (localFolders().length === 0) {
      this.become({ kind: "no folder" });
      return;
    }
    this.become({ kind: "starting" });
    const found = await this.locate();
    if (number !== this.number) {
      return;
    }
    if (found.kind !== "found") {
      this.become({ kind: "missing", setting: found.kind === "wrong" ? found.setting : "" });
      return;
    }
    this.source = found.source;
    this.log.info(`Starting ${found.command} (found by: ${found.source})`);
    await this.launch(number, found.command);
  }

  private async launch(number: number, command: string): Promise<void> {
    const began = Date.now();
    const client = new Client(command, own().logLevel, {
      log: this.log,
      onStatus: ({ folders }) => {
        if (number === this.number && this.client === client) {
          this.become({ kind: "running", folders });
        }
      },
      onClosed: () => {
        if (number === this.number && this.health.kind === "running") {
          this.endedBy(number, client, began, "");
        }
      },
      takeCommand: this.takeCommand,
    });
    this.client = client;
    try {
      const experimental = await client.start();
      if (number === this.number) {
        this.greeted(client, command, experimental);
      }
    } catch (error) {
      if (number === this.number) {
        this.endedBy(number, client, began, error instanceof Error ? error.message : String(error));
      }
    }
  }

  private greeted(client: Client, command: string, experimental: unknown): void {
    const fits = fit(experimental);
    if (fits === "fits") {
      this.become({ kind: "running", folders: [] });
      return;
    }
    this.number += 1;
    void this.close();
    const which = `The server ${command}${client.version ? `, version ${client.version},` : ""}`;
    this.become({
      kind: "failed",
      message:
        fits === "old server"
          ? `${which} is too old for this extension. Install the server of the same release.`
          : `${which} is newer than this extension. Update the extension.`,
    });
  }

  private endedBy(number: number, client: Client, began: number, why: string): void {
    const pause = this.tries.ended(Date.now() - began);
    const words = client.running?.lastWords() ?? "";
    const said = words === "" ? why : words;
    this.log.error(`The server ended${said ? `: ${said}` : "."}`);
    if (pause === undefined) {
      this.become({
        kind: "failed",
        message: `The C2LLM server crashed three times and will not be restarted${said ? `. Its last message: ${said}` : "."}`,
      });
      void this.close();
      return;
    }
    this.become({ kind: "starting" });
    setTimeout(() => {
      if (number === this.number) {
        void this.begin();
      }
    }, pause);
  }

  /** End the client that there is; a new one waits for it, because both would register the same commands. */
  private close(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      this.closing = this.closing.then(async () => {
        await client.stop();
        if (client.running !== undefined) {
          await endProcess(client.running, END_WITHIN_MS);
        }
      });
    }
    return this.closing;
  }

  private become(health: Health): void {
    this.health = health;
    this.changed.fire(health);
  }

  private settled(token?: vscode.CancellationToken): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        listener.dispose();
        cancelled?.dispose();
        resolve();
      };
      const cancelled = token?.onCancellationRequested(done);
      const listener = this.changed.event((health) => {
        if (health.kind !== "starting") {
          done();
        }
      });
    });
  }
}

/** Folders on this machine's disk; those of a virtual workspace have no files that a server could read. */
export function localFolders(): { name: string; path: string }[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter((folder) => folder.uri.scheme === "file")
    .map((folder) => ({ name: folder.name, path: folder.uri.fsPath }));
}

function real(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
