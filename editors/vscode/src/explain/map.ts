/** Explain This Match: the heat-map over the code, until it is edited, cleared or another one is asked for. */

import * as vscode from "vscode";

import { disposeAll, type Part } from "../disposing.ts";
import { isInside, plain, toRange } from "../places.ts";
import { EXPLAIN, type ExplainAnswer } from "../protocol.ts";
import type { Memory } from "../search/memory.ts";
import type { Server } from "../server/server.ts";
import { working } from "../working.ts";
import { beside, heat, LEVELS, summary } from "./heat.ts";

const SHOWN = "c2llm.explaining"; // a context key: Escape clears the map
const HEAT = "255, 120, 0"; // legible behind the text of dark and light themes alike, at the opacities below
const MAX_OPACITY = 0.62;
const BARS = 6; // lines with a bar: the others have next to no part in the answer

export class HeatMap implements vscode.Disposable {
  private readonly levels = Array.from({ length: LEVELS }, (_, level) =>
    vscode.window.createTextEditorDecorationType({
      backgroundColor: `rgba(${HEAT}, ${((MAX_OPACITY * (level + 1)) / LEVELS).toFixed(3)})`,
      borderRadius: "2px",
    }),
  );
  private readonly bar = vscode.window.createTextEditorDecorationType({
    after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 3ch" },
    overviewRulerColor: `rgb(${HEAT})`,
    overviewRulerLane: vscode.OverviewRulerLane.Right,
  });
  private readonly frame = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    borderWidth: "0 0 0 3px",
    borderStyle: "solid",
    borderColor: `rgba(${HEAT}, 0.8)`,
  });
  private readonly parts: Part[];
  private at: { uri: string; answer: ExplainAnswer } | undefined;

  constructor(
    private readonly server: Server,
    private readonly memory: Memory,
  ) {
    this.parts = [
      ...this.levels,
      this.bar,
      this.frame,
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && document.uri.toString() === this.at?.uri) {
          this.clear();
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.paint()),
    ];
  }

  async explain(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined || !isInside(editor.document.uri)) {
      void vscode.window.showInformationMessage("Open a file of a folder first: what the cursor is in is explained.");
      return;
    }
    const uri = editor.document.uri.toString();
    const query = await this.question(uri, editor.selection.active.line);
    if (query === undefined) {
      return;
    }
    const asked = { textDocument: { uri }, position: plain(editor.selection.active), query, waitForEdits: true };
    const answer = await working("Explaining", (token) => this.server.request<ExplainAnswer>(EXPLAIN, asked, token));
    if (answer !== undefined) {
      this.show(uri, answer);
    }
  }

  clear(): void {
    this.at = undefined;
    vscode.window.visibleTextEditors.forEach((editor) => this.unpaint(editor));
    void vscode.commands.executeCommand("setContext", SHOWN, false);
  }

  dispose(): void {
    disposeAll(this.parts);
  }

  /** The question that led here; else a person is asked. */
  private async question(uri: string, line: number): Promise<string | undefined> {
    const known = this.memory.questionFor(uri, line);
    if (known !== "") {
      return known;
    }
    return vscode.window.showInputBox({
      title: "Explain This Match",
      prompt: "For which question? Empty shows where the model looks without one",
      value: this.memory.questions()[0] ?? "",
    });
  }

  private show(uri: string, answer: ExplainAnswer): void {
    this.clear();
    this.at = { uri, answer };
    void vscode.commands.executeCommand("setContext", SHOWN, true);
    this.paint();
    const of = answer.symbol === "" ? `this ${answer.kind}` : answer.symbol;
    const said = answer.similarity === null ? "" : `, similarity ${answer.similarity.toFixed(3)}`;
    vscode.window.setStatusBarMessage(`$(flame) Where the model looks in ${of}${said} (Escape clears)`, 8_000);
  }

  private paint(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() === this.at?.uri) {
        this.paintOne(editor, this.at.answer);
      } else {
        this.unpaint(editor);
      }
    }
  }

  private paintOne(editor: vscode.TextEditor, answer: ExplainAnswer): void {
    const { tokens, lines } = heat(answer);
    this.levels.forEach((level, n) => editor.setDecorations(level, (tokens[n] ?? []).map(toRange)));
    const hoverMessage = new vscode.MarkdownString(summary(answer));
    editor.setDecorations(this.frame, [{ range: toRange(answer.range), hoverMessage }]);
    const strongest = lines[0]?.effect ?? 1;
    editor.setDecorations(
      this.bar,
      lines.slice(0, BARS).map(({ line, effect }) => ({
        range: editor.document.validateRange(new vscode.Range(line, Number.MAX_SAFE_INTEGER, line, Number.MAX_SAFE_INTEGER)),
        renderOptions: { after: { contentText: beside(effect, strongest) } },
      })),
    );
  }

  private unpaint(editor: vscode.TextEditor): void {
    [...this.levels, this.bar, this.frame].forEach((type) => editor.setDecorations(type, []));
  }
}
