/**
 * The search box: answers while one types, shows the result under the cursor, jumps to it.
 *
 * Nothing waits for typing to pause: an answer takes milliseconds, and a question that is no longer asked is cancelled. The
 * list keeps the server's order. An answer that unsaved edits were still missing from is asked for once more, with a wait.
 */

import * as vscode from "vscode";

import { disposeAll } from "../disposing.ts";
import { currentFolder, open, target } from "../places.ts";
import { type Answer, SEARCH, type SearchParams } from "../protocol.ts";
import type { Health, Server } from "../server/server.ts";
import { own } from "../settings.ts";
import { freshness, nothing } from "./describe.ts";
import { addFilter } from "./filters.ts";
import { failed, type Item, item, note } from "./items.ts";
import { Latest } from "./latest.ts";
import { Preview } from "./preview.ts";
import { parse } from "./question.ts";
import { Rows } from "./rows.ts";
import type { Memory } from "./memory.ts";

const LONG_MS = 400; // to wait without a sign that something is going on
const GROWN_MS = 1_000; // while an index grows its answers do, too
// How long a result must rest under the cursor to be shown: an editor for each one passed over would only flicker, and one
// for each letter typed would slow the typing.
const MOVING_MS = 100;
const SEARCHING = "c2llm.searching"; // the context key while the box is open
const TYPING_MS = 350;
const FILTER: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("filter"),
  tooltip: "Filter by Language, Kind or Path",
};
const ALL: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("folder-library"),
  tooltip: "Searching All Folders: Search Only the Current One",
};
const ONE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("folder-active"),
  tooltip: "Searching the Current Folder: Search All",
};

/** Opens the active result of the box that is open. */
let besideShown: (() => Promise<void>) | undefined;

/** Without words the box opens with the last question, selected: typing replaces it. */
export function showSearch(server: Server, memory: Memory, typed = ""): void {
  new Box(server, memory).show(typed === "" ? (memory.questions()[0] ?? "") : typed);
}

/** Open the active result beside what is open. */
export async function acceptBeside(): Promise<void> {
  await besideShown?.();
}

class Box {
  private readonly pick = vscode.window.createQuickPick<Item>();
  private readonly latest = new Latest(() => new vscode.CancellationTokenSource());
  private readonly preview = new Preview();
  private readonly folder = currentFolder();
  private allFolders = own().allFolders;
  private accepted = false;
  private busy: boolean;
  private timer: NodeJS.Timeout | undefined;
  private answered = 0; // when, in milliseconds
  private asked = ""; // the last question, as the server got it
  private asking = false; // a filter is being chosen in a box of its own
  private readonly rows = new Rows(this.pick);
  private readonly beside = () => this.acceptBeside();
  private readonly listeners: vscode.Disposable[] = [];

  constructor(
    private readonly server: Server,
    private readonly memory: Memory,
  ) {
    this.busy = atWork(server.health);
  }

  show(typed: string): void {
    const pick = this.pick;
    pick.placeholder = "What does the code do? Words or a name; lang:python, kind:function, path:src/** narrow it down";
    pick.matchOnDescription = false;
    pick.matchOnDetail = false;
    // Without it the box would sort what matches by letters. It is in every release, though not in the published types.
    (pick as { sortByLabel?: boolean }).sortByLabel = false;
    this.listeners.push(
      pick.onDidChangeValue(() => void this.ask()),
      pick.onDidChangeActive(([item]) => {
        this.rows.moved(item);
        this.look(item);
      }),
      pick.onDidAccept(() => void this.accept()),
      pick.onDidTriggerButton((button) => void this.press(button)),
      pick.onDidTriggerItemButton(({ item }) => void this.jump(item, true)),
      pick.onDidHide(() => this.hidden()),
      this.server.onDidChange((health) => this.follow(health)),
    );
    besideShown = this.beside;
    void vscode.commands.executeCommand("setContext", SEARCHING, true);
    this.dress("");
    this.open(typed, !typed.endsWith(" ")); // behind a filter one goes on writing
    this.warm();
    void this.ask();
  }

  /** Show the box. What stands there when it opens is selected by the editor, and what comes after that is not. */
  private open(typed: string, selected: boolean): void {
    this.pick.value = selected ? typed : "";
    this.pick.show();
    if (!selected) {
      this.pick.value = typed; // for nothing it would come when the first letter has been typed, and take it away
    }
  }

  /** The first answer takes several times as long as the next: what it loads is loaded while the first letter is looked for. */
  private warm(): void {
    if (this.server.health.kind === "running") {
      this.server.request(SEARCH, { query: "warm", limit: 1 }).catch(() => undefined);
    }
  }

  private async ask(again = false): Promise<void> {
    const { query, unknown: _, ...filters } = parse(this.pick.value);
    const folder = !this.allFolders && this.folder ? { folder: this.folder.uri.toString() } : {};
    const params: SearchParams = { query, ...filters, ...folder };
    const asked = JSON.stringify(params);
    if (asked === this.asked && !again) {
      return; // a blank more is nothing new
    }
    this.asked = asked;
    if (!again) {
      this.rows.forget();
    }
    this.preview.forget();
    if (query === "") {
      this.latest.cancel();
      this.waits(false);
      this.pick.items = this.earlier();
      this.dress("");
      return;
    }
    this.waits(true);
    try {
      const missing = await this.answer(params);
      if (missing) {
        await this.answer({ ...params, waitForEdits: true });
      }
      if (missing !== undefined) {
        this.waits(false);
      }
    } catch (error) {
      this.asked = "";
      this.waits(false);
      this.pick.items = [failed(error)];
      this.dress("");
    }
  }

  /** Show the answer; whether something was not in it yet, or undefined where a newer question took its place. */
  private async answer(params: SearchParams): Promise<boolean | undefined> {
    const answer = await this.latest.run((token) => this.server.request<Answer>(SEARCH, params, token));
    if (answer === undefined) {
      return undefined;
    }
    this.answered = Date.now();
    this.rows.fill(answer.hits.length > 0 ? answer.hits.map(item) : [note(this.busy ? "Nothing was found so far." : nothing(answer))]);
    const { health } = this.server;
    const current = freshness(answer.freshness, health.kind === "running" ? health.folders : []);
    this.dress([...parse(this.pick.value).unknown, current].join(" · "));
    return answer.freshness.pendingFiles > 0;
  }

  /** What was indexed meanwhile belongs into the list. */
  private follow(health: Health): void {
    const was = this.busy;
    this.busy = atWork(health);
    const done = was && !this.busy;
    const grown = this.busy && Date.now() - this.answered >= GROWN_MS;
    if ((done || grown) && this.pick.value.trim() !== "") {
      this.answered = Date.now();
      void this.ask(true);
    }
  }

  private look(item: Item | undefined): void {
    if (item?.hit && own().preview) {
      // What stands first was put there by an answer, as a rule, and not by a person.
      this.preview.show(item.hit, item === this.pick.items[0] ? TYPING_MS : MOVING_MS);
    }
  }

  private async accept(): Promise<void> {
    const [item] = this.pick.activeItems;
    if (item?.asked !== undefined) {
      this.pick.value = item.asked;
      await this.ask();
    } else if (item?.command) {
      this.pick.hide();
      await vscode.commands.executeCommand(item.command);
    } else if (item) {
      await this.jump(item, false);
    }
  }

  /** Open the active row beside what is open. */
  private async acceptBeside(): Promise<void> {
    const [item] = this.pick.activeItems;
    if (item) {
      await this.jump(item, true);
    }
  }

  private async jump(item: Item, beside: boolean): Promise<void> {
    if (!item.hit) {
      return;
    }
    this.accepted = true;
    this.memory.found(this.pick.value, parse(this.pick.value).query, item.hit);
    await this.preview.settle();
    this.pick.hide();
    await open(target(item.hit), beside);
  }

  private async press(button: vscode.QuickInputButton): Promise<void> {
    if (button === FILTER) {
      this.asking = true;
      const typed = await addFilter(this.server, this.pick.value);
      this.asking = false;
      this.open(typed, false);
    } else {
      this.allFolders = button === ONE;
    }
    await this.ask();
  }

  private hidden(): void {
    if (this.asking) {
      return;
    }
    if (besideShown === this.beside) {
      besideShown = undefined;
      void vscode.commands.executeCommand("setContext", SEARCHING, false);
    }
    if (!this.accepted) {
      this.memory.asked(this.pick.value);
    }
    this.latest.cancel();
    clearTimeout(this.timer);
    disposeAll(this.listeners);
    this.pick.dispose();
    void this.preview.end(this.accepted);
  }

  private dress(standing: string): void {
    const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
    const scope = several ? ` in ${this.scope()}` : "";
    const title = `Semantic Search${scope}${standing ? ` — ${standing}` : ""}`;
    const buttons = several && this.folder ? [FILTER, this.allFolders ? ALL : ONE] : [FILTER];
    // The editor draws all of the box anew for whatever is set, changed or not.
    if (this.pick.title !== title) {
      this.pick.title = title;
    }
    if (!alike(this.pick.buttons, buttons)) {
      this.pick.buttons = buttons;
    }
  }

  private scope(): string {
    return this.allFolders ? "all folders" : (this.folder?.name ?? "");
  }

  /** Show that an answer is awaited, when it is long in coming: a moving bar for each key costs more than the answer. */
  private waits(waiting: boolean): void {
    clearTimeout(this.timer);
    if (waiting) {
      this.timer = setTimeout(() => {
        this.pick.busy = true;
      }, LONG_MS);
    } else if (this.pick.busy) {
      this.pick.busy = false;
    }
  }

  private earlier(): Item[] {
    return this.memory
      .questions()
      .map((asked) => ({ label: `$(history) ${asked}`, asked, alwaysShow: true, description: "" }));
  }
}

function alike<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((one, n) => one === others[n]);
}

function atWork(health: Health): boolean {
  return health.kind === "starting" || (health.kind === "running" && health.folders.some(({ work }) => work !== null));
}
