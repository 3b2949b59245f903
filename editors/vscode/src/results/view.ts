/**
 * The view "Results": what was found stays there, grouped by file, until something else is asked for.
 *
 * It asks again when code has changed; rows keep their place and what is unfolded, for their identity is file and line.
 */

import * as vscode from "vscode";

import { copyContext } from "../context.ts";
import { disposeAll, type Part } from "../disposing.ts";
import { open } from "../places.ts";
import { freshness } from "../search/describe.ts";
import { addTo } from "../search/filters.ts";
import { Latest } from "../search/latest.ts";
import type { Health } from "../server/health.ts";
import type { Server } from "../server/server.ts";
import { say } from "../working.ts";
import { counted, type ListedFile, type Listing, markdown, searchEditor } from "./listing.ts";
import { below, type Field, itemOf, placeOf, type Row, rowsOf, WEAK } from "./rows.ts";
import type { Source } from "./sources.ts";

const VIEW = "c2llm.resultsView";
const FIRST = 30; // results at first: three times what the search box shows
const MORE = 30;
const MOST = 1_000; // what the server gives at most
const CHANGED_MS = 700; // after the last change of some code
const MANY = 15; // files that are not opened without a question

export class Results implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  private source: Source | undefined;
  private listing: Listing = { files: [], places: 0, notes: [], more: false };
  private limit = FIRST;
  private stale = false; // code has changed while nobody looked
  private timer: NodeJS.Timeout | undefined;
  private waiting = ""; // what the server had to do when it last told
  private readonly latest = new Latest(() => new vscode.CancellationTokenSource());
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<Row>;
  private readonly parts: Part[];

  /** `again` makes the source of another question. */
  constructor(
    private readonly server: Server,
    private readonly again: (typed: string) => Source,
  ) {
    this.view = vscode.window.createTreeView<Row>(VIEW, { treeDataProvider: this, showCollapseAll: true });
    const command = vscode.commands.registerCommand.bind(vscode.commands);
    this.parts = [
      this.view,
      this.changed,
      dimmed(),
      command("c2llm.results.open", (row: Row) => this.open(row, false)),
      command("c2llm.results.openToSide", (row: Row) => this.open(row, true)),
      command("c2llm.results.peek", () => this.peek()),
      command("c2llm.results.clear", () => this.clear()),
      command("c2llm.results.refresh", () => this.ask(true)),
      command("c2llm.results.more", () => this.more()),
      command("c2llm.results.openAll", () => this.openAll()),
      command("c2llm.results.copyContext", () => this.copy()),
      command("c2llm.results.searchEditor", () => this.toSearchEditor()),
      command("c2llm.results.field", (field: Field) => this.change(field)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && ["file", "untitled"].includes(document.uri.scheme)) {
          this.soon();
        }
      }),
      this.view.onDidChangeVisibility(() => this.look()),
      server.onDidChange((health) => this.follow(health)),
    ];
  }

  /** Show what a source has, and stay with it. */
  async show(source: Source): Promise<void> {
    this.source = source;
    this.limit = FIRST;
    void vscode.commands.executeCommand("setContext", "c2llm.hasResults", true);
    await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus: true });
    await vscode.window.withProgress({ location: { viewId: VIEW } }, () => this.ask(false));
  }

  getChildren(row?: Row): Row[] {
    if (row !== undefined) {
      return below(row);
    }
    return this.source === undefined ? [] : rowsOf(this.listing, this.source.typed);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return itemOf(row, folderNameOf);
  }

  /** Of a file alone: nothing else has to be unfolded for what is to be shown. */
  getParent(): undefined {
    return undefined;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.latest.cancel();
    disposeAll(this.parts);
  }

  private async ask(waitForEdits: boolean): Promise<void> {
    const { source } = this;
    if (source === undefined) {
      return;
    }
    this.stale = false;
    try {
      const listed = await this.latest.run(() => source.run({ limit: this.limit, waitForEdits }));
      if (listed === undefined) {
        return;
      }
      this.listing = listed.listing;
      const { health } = this.server;
      const standing = listed.freshness && freshness(listed.freshness, health.kind === "running" ? health.folders : []);
      this.tell(source, standing);
      if (!waitForEdits && (listed.freshness?.pendingFiles ?? 0) > 0) {
        this.soon();
      }
    } catch (error) {
      if (!waitForEdits) {
        this.listing = { files: [], places: 0, notes: [], more: false }; // else what was found stays
      }
      this.tell(source, error instanceof Error ? error.message : String(error));
    }
  }

  private tell(source: Source, standing: string | undefined): void {
    const { files, notes } = this.listing;
    const found = [files.length > 0 ? counted(this.listing) : "Nothing was found", standing].filter(Boolean).join(" · ");
    this.view.message = [`${source.heading} — ${found}`, ...notes].join("\n");
    this.changed.fire(undefined);
  }

  private clear(): void {
    this.source = undefined;
    this.latest.cancel();
    this.view.message = "";
    void vscode.commands.executeCommand("setContext", "c2llm.hasResults", false);
    this.changed.fire(undefined);
  }

  private async more(): Promise<void> {
    this.limit = Math.min(MOST, this.limit + MORE);
    await vscode.window.withProgress({ location: { viewId: VIEW } }, () => this.ask(false));
  }

  /** Code has changed: ask again when it has come to rest. */
  private soon(): void {
    if (this.source !== undefined) {
      clearTimeout(this.timer);
      this.stale = true;
      this.timer = setTimeout(() => this.look(), CHANGED_MS);
    }
  }

  private look(): void {
    if (this.stale && this.view.visible) {
      void this.ask(true);
    }
  }

  /** Files change on the disk, too; the server tells when it has read some. */
  private follow(health: Health): void {
    const waiting = health.kind === "running" ? health.folders.map((one) => `${one.state} ${one.pendingEdits}`).join() : health.kind;
    if (waiting !== this.waiting) {
      this.waiting = waiting;
      this.soon();
    }
  }

  private async open(row: Row, beside: boolean): Promise<void> {
    const place = placeOf(row);
    if (place) {
      await open(place, beside);
    }
  }

  private async openAll(): Promise<void> {
    const { files } = this.listing;
    const sure = "Open All";
    if (files.length > MANY && (await vscode.window.showWarningMessage(`Open ${files.length} files?`, { modal: true }, sure)) !== sure) {
      return;
    }
    for (const file of files) {
      const place = placeOf({ kind: "file", file });
      if (place) {
        await open(place, false, false);
      }
    }
  }

  private async copy(): Promise<void> {
    const asked = this.source?.context();
    if (asked !== undefined) {
      await copyContext(this.server, asked);
    } else if (this.source !== undefined) {
      await vscode.env.clipboard.writeText(markdown(this.source.heading, this.listing));
      vscode.window.setStatusBarMessage(`$(clippy) Copied ${counted(this.listing)}`, 5_000);
    }
  }

  private async toSearchEditor(): Promise<void> {
    if (this.source !== undefined) {
      const content = searchEditor(this.source.heading, this.listing, shownPath);
      const document = await vscode.workspace.openTextDocument({ language: "search-result", content });
      await vscode.window.showTextDocument(document, { preview: false });
    }
  }

  private async change(field: Field): Promise<void> {
    const typed = this.source?.typed;
    if (typed === undefined) {
      return;
    }
    try {
      const changed = await addTo(this.server, typed, field);
      if (changed !== typed) {
        await this.show(this.again(changed));
      }
    } catch (error) {
      await say(error);
    }
  }

  /** All places over the editor, without leaving it. The editor sorts them by file: the view keeps the rank. */
  private async peek(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const locations = this.listing.files.flatMap((file) => file.lines.flatMap((line) => (line.kind ? (placeOf({ kind: "line", file, line }) ?? []) : [])));
    const places = locations.length > 0 ? locations : this.listing.files.flatMap((file) => placeOf({ kind: "file", file }) ?? []);
    const [first] = places;
    if (first === undefined) {
      return;
    }
    if (editor === undefined) {
      await open(first);
      return;
    }
    const { uri } = editor.document;
    await vscode.window.showTextDocument(editor.document, editor.viewColumn ?? vscode.ViewColumn.Active);
    await vscode.commands.executeCommand("editor.action.peekLocations", uri, editor.selection.active, places, "peek");
  }
}

/** Weak results are dimmed by the colour that the theme has for what is turned off. */
function dimmed(): vscode.Disposable {
  return vscode.window.registerFileDecorationProvider({
    provideFileDecoration: (uri) => (uri.scheme === WEAK ? new vscode.FileDecoration(undefined, "Weaker result", new vscode.ThemeColor("disabledForeground")) : undefined),
  });
}

function folderNameOf(uri: string): string {
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  return several ? (vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(uri, true))?.name ?? "") : "";
}

/** As the editor's own search writes paths: its links find the file by that. */
function shownPath(file: ListedFile): string {
  const folder = folderNameOf(file.uri);
  return folder === "" ? file.path : `${folder} • ${file.path}`;
}
