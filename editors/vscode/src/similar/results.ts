/** The view "Similar Code": places in rank order, their salient lines below them. */

import * as vscode from "vscode";

import { disposeAll, type Part } from "../disposing.ts";
import { folderName, open, target, toPosition } from "../places.ts";
import type { Hit } from "../protocol.ts";
import { icon, place, salient, type ShownLine, title } from "../search/describe.ts";

const VIEW = "c2llm.similar";

type Node = { kind: "hit"; hit: Hit } | { kind: "line"; hit: Hit; line: ShownLine };

export class Results implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private nodes: Node[] = [];
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<Node>;
  private readonly parts: Part[];

  constructor() {
    this.view = vscode.window.createTreeView<Node>(VIEW, { treeDataProvider: this });
    this.parts = [
      this.view,
      this.changed,
      vscode.commands.registerCommand("c2llm.results.open", (node: Node) => open(at(node))),
      vscode.commands.registerCommand("c2llm.results.openToSide", (node: Node) => open(at(node), true)),
      vscode.commands.registerCommand("c2llm.results.peek", () => this.peek()),
      vscode.commands.registerCommand("c2llm.results.clear", () => this.fill([], "", "")),
    ];
  }

  /** Show places that are like something, and why there are none where there are none. */
  async show(hits: readonly Hit[], like: string, standing: string): Promise<void> {
    this.fill(hits, like, standing);
    await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus: true });
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      return this.nodes;
    }
    return node.kind === "hit" ? salient(node.hit).map((line) => ({ kind: "line", hit: node.hit, line })) : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = node.kind === "hit" ? hitItem(node.hit) : new vscode.TreeItem(node.line.text);
    if (node.kind === "line") {
      item.description = `${node.line.line + 1}`;
    }
    item.contextValue = node.kind;
    item.command = { command: "c2llm.results.open", title: "Open", arguments: [node] };
    return item;
  }

  dispose(): void {
    disposeAll(this.parts);
  }

  private fill(hits: readonly Hit[], like: string, standing: string): void {
    this.nodes = hits.map((hit) => ({ kind: "hit", hit }));
    this.view.message = like === "" ? standing : `${like} — ${standing}`;
    void vscode.commands.executeCommand("setContext", "c2llm.hasResults", this.nodes.length > 0);
    this.changed.fire(undefined);
  }

  /** All places over the editor, without leaving it. */
  private async peek(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const locations = this.nodes.map(at);
    const [first] = locations;
    if (first === undefined) {
      return;
    }
    if (editor === undefined) {
      await open(first);
      return;
    }
    const { uri } = editor.document;
    await vscode.window.showTextDocument(editor.document, editor.viewColumn ?? vscode.ViewColumn.Active);
    await vscode.commands.executeCommand("editor.action.peekLocations", uri, editor.selection.active, locations, "peek");
  }
}

function hitItem(hit: Hit): vscode.TreeItem {
  const item = new vscode.TreeItem(title(hit), vscode.TreeItemCollapsibleState.Collapsed);
  item.description = place(hit, folderName(hit));
  item.iconPath = new vscode.ThemeIcon(icon(hit.kind));
  item.tooltip = new vscode.MarkdownString().appendCodeblock(hit.text, hit.language);
  return item;
}

function at(node: Node): vscode.Location {
  const found = target(node.hit);
  return node.kind === "hit" ? found : new vscode.Location(found.uri, toPosition({ line: node.line.line, character: 0 }));
}
