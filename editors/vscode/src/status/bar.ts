/** The status-bar item: health at a glance, progress while there is some, and a menu of what can be done. */

import * as vscode from "vscode";

import type { Health } from "../server/health.ts";
import type { Server } from "../server/server.ts";
import { sentence } from "../server/health.ts";
import { folders } from "./text.ts";

export class Bar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("c2llm.status", vscode.StatusBarAlignment.Right, 90);
  private readonly listener: vscode.Disposable;

  constructor(server: Server) {
    this.item.name = "C2LLM Semantic Search";
    this.item.command = "c2llm.menu";
    this.listener = server.onDidChange((health) => this.show(health));
    this.show(server.health);
  }

  dispose(): void {
    this.listener.dispose();
    this.item.dispose();
  }

  private show(health: Health): void {
    if (health.kind === "no folder") {
      this.item.hide();
      return;
    }
    const { text, tooltip, alarm } =
      health.kind === "running" ? folders(health.folders) : { text: short(health), tooltip: sentence(health), alarm: wrong(health) };
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `C2LLM: ${tooltip}`, role: "button" };
    this.item.backgroundColor = alarm ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.item.show();
  }
}

function wrong(health: Health): boolean {
  return health.kind === "failed" || health.kind === "missing";
}

function short(health: Health): string {
  switch (health.kind) {
    case "missing":
      return "$(warning) C2LLM: not installed";
    case "installing":
      return "$(sync~spin) C2LLM: installing";
    case "starting":
      return "$(sync~spin) C2LLM: starting";
    case "stopped":
      return "$(circle-slash) C2LLM: stopped";
    case "failed":
      return "$(error) C2LLM: failed";
    default:
      return "C2LLM";
  }
}
