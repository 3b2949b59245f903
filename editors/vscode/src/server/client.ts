/** One language client: the transport, what it tells the server, and what it keeps from the person. */

import * as vscode from "vscode";
import {
  CloseAction,
  type ConfigurationParams,
  ErrorAction,
  type ExecuteCommandSignature,
  LanguageClient,
  type LanguageClientOptions,
  type ProgressToken,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";

import { STATUS_CHANGED, type StatusChanged } from "../protocol.ts";
import { serverSettings } from "../settings.ts";
import { type Running, startServer } from "./process.ts";

const SECTION = "c2llm";

export interface Hooks {
  log: vscode.LogOutputChannel;
  onStatus: (status: StatusChanged) => void;
  onClosed: () => void;
  /** A command of the server that the extension carries out itself; undefined leaves it to the server. */
  takeCommand: (command: string, args: unknown[]) => Promise<unknown> | undefined;
}

/** Failures are said once, by whoever started the client: without popups and stack traces of the client library on top. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(data instanceof Error ? `${message} ${data.message}` : message, undefined, false);
  }
}

export class Client {
  running: Running | undefined;
  private readonly client: LanguageClient;
  private readonly progress = new Set<ProgressToken>();

  constructor(
    readonly command: string,
    logLevel: string,
    hooks: Hooks,
  ) {
    const launch = async () => {
      this.running = await startServer(command, logLevel);
      return this.running.process;
    };
    this.client = new QuietClient(SECTION, "C2LLM", launch, this.options(hooks));
    this.client.onNotification(STATUS_CHANGED, hooks.onStatus);
  }

  /** Resolves when the server has answered `initialize`, with what it says under `experimental`. */
  async start(): Promise<unknown> {
    await this.client.start();
    return this.client.initializeResult?.capabilities.experimental;
  }

  get version(): string {
    return this.client.initializeResult?.serverInfo?.version ?? "";
  }

  request<T>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<T> {
    // What is handed over as undefined would be taken for a second parameter.
    return token === undefined ? this.client.sendRequest<T>(method, params) : this.client.sendRequest<T>(method, params, token);
  }

  /** Cancel what is being indexed. */
  pause(): void {
    for (const token of this.progress) {
      void this.client.sendNotification("window/workDoneProgress/cancel", { token });
    }
  }

  uri(uri: vscode.Uri): string {
    return this.client.code2ProtocolConverter.asUri(uri);
  }

  async stop(): Promise<void> {
    try {
      await this.client.dispose();
    } catch {
      // It had not started, or does not end: the process is ended by whoever holds it.
    }
  }

  private options(hooks: Hooks): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
      outputChannel: hooks.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: serverSettings,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          hooks.onClosed();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      middleware: {
        // The status bar shows the progress of all folders; the tokens are what cancels it.
        handleWorkDoneProgress: (token, params) => {
          if (params.kind === "end") {
            this.progress.delete(token);
          } else {
            this.progress.add(token);
          }
        },
        workspace: {
          configuration: (params: ConfigurationParams) =>
            params.items.map((item) => (item.section === SECTION ? serverSettings() : null)),
        },
        executeCommand: (command: string, args: unknown[], next: ExecuteCommandSignature) =>
          hooks.takeCommand(command, args) ?? (next(command, args) as Promise<unknown>),
      },
    };
  }
}
