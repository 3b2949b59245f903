/**
 * The result under the cursor, shown while the box is open; what was shown before comes back when nothing is chosen.
 *
 * What is shown is a read-only copy under a scheme of our own: for a file the editor would unfold the Explorer, for good, and start
 * what it starts for files that a person opens.
 */

import * as vscode from "vscode";

import { target, toRange } from "../places.ts";
import type { Hit } from "../protocol.ts";

const SCHEME = "c2llm-preview";

/** The texts that are previewed: unsaved ones as they are, others as the editor would read them. */
export function registerPreviews(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    async provideTextDocumentContent(uri) {
      const file = vscode.Uri.parse(uri.query, true);
      const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === file.toString());
      return open ? open.getText() : vscode.workspace.decode(await vscode.workspace.fs.readFile(file), { uri: file });
    },
  });
}

export class Preview {
  private readonly before = vscode.window.activeTextEditor;
  private readonly selection = this.before?.selection;
  private readonly seen = this.before?.visibleRanges[0];
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
    await vscode.window.tabGroups.close(tabs());
  }

  private async open(hit: Hit): Promise<void> {
    if (this.ended) {
      return;
    }
    const { uri, range } = target(hit);
    try {
      const editor = await vscode.window.showTextDocument(this.copyOf(uri), { preview: true, preserveFocus: true });
      this.shown = true;
      editor.revealRange(range, vscode.TextEditorRevealType.InCenter);
      editor.setDecorations(this.mark, [toRange(hit.range)]);
    } catch {
      // It is gone since it was indexed; choosing it says so.
    }
  }

  /** The file that one was in is there already: it is shown itself. */
  private copyOf(uri: vscode.Uri): vscode.Uri {
    return uri.toString() === this.before?.document.uri.toString() ? uri : vscode.Uri.from({ scheme: SCHEME, path: uri.path, query: uri.toString() });
  }

  private async back(): Promise<void> {
    if (this.before && this.selection) {
      const editor = await vscode.window.showTextDocument(this.before.document, {
        viewColumn: this.before.viewColumn ?? vscode.ViewColumn.Active,
        selection: this.selection,
      });
      if (this.seen) {
        editor.revealRange(this.seen, vscode.TextEditorRevealType.AtTop);
      }
    }
  }
}

function tabs(): vscode.Tab[] {
  const all = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return all.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === SCHEME);
}
