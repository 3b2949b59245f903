/** The result under the cursor, shown while the box is open; what was shown before comes back when nothing is chosen. */

import * as vscode from "vscode";

import { target, toRange } from "../places.ts";
import type { Hit } from "../protocol.ts";

export class Preview {
  private readonly before = vscode.window.activeTextEditor;
  private readonly selection = this.before?.selection;
  private readonly seen = this.before?.visibleRanges[0];
  private readonly openBefore = new Set(tabs().map(([, uri]) => uri));
  private readonly mark = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
    isWholeLine: true,
  });
  private timer: NodeJS.Timeout | undefined;
  private showing: Promise<void> = Promise.resolve();
  private shown = false;
  private ended = false;

  show(hit: Hit, restMs: number): void {
    this.forget();
    this.timer = setTimeout(() => {
      this.showing = this.showing.then(() => this.open(hit));
    }, restMs);
  }

  forget(): void {
    clearTimeout(this.timer);
  }

  /** Wait for an editor that is being opened. */
  async settle(): Promise<void> {
    this.forget();
    await this.showing;
  }

  async end(chosen: boolean): Promise<void> {
    this.ended = true;
    await this.settle();
    this.mark.dispose();
    if (this.shown && !chosen) {
      await this.back();
    }
  }

  private async open(hit: Hit): Promise<void> {
    if (this.ended) {
      return;
    }
    const { uri, range } = target(hit);
    try {
      const editor = await vscode.window.showTextDocument(uri, { preview: true, preserveFocus: true });
      this.shown = true;
      editor.revealRange(range, vscode.TextEditorRevealType.InCenter);
      editor.setDecorations(this.mark, [toRange(hit.range)]);
    } catch {
      // It is gone since it was indexed; choosing it says so.
    }
  }

  private async back(): Promise<void> {
    const mine = tabs().filter(([tab, uri]) => tab.isPreview && !this.openBefore.has(uri));
    if (this.before && this.selection) {
      const editor = await vscode.window.showTextDocument(this.before.document, {
        viewColumn: this.before.viewColumn ?? vscode.ViewColumn.Active,
        selection: this.selection,
      });
      if (this.seen) {
        editor.revealRange(this.seen, vscode.TextEditorRevealType.AtTop);
      }
    }
    await vscode.window.tabGroups.close(mine.map(([tab]) => tab));
  }
}

function tabs(): [vscode.Tab, string][] {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .flatMap((tab): [vscode.Tab, string][] =>
      tab.input instanceof vscode.TabInputText ? [[tab, tab.input.uri.toString()]] : [],
    );
}
