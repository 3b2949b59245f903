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
import { atWork, foldersOf, type Health } from "../server/health.ts";
import type { Server } from "../server/server.ts";
import { own } from "../settings.ts";
import { nothing } from "./describe.ts";
import { alike, buttons, FILTER, KEEP, ONE } from "./buttons.ts";
import { addFilter } from "./filters.ts";
import { failed, isSeparator, type Item, note, rows as itemsOf, same } from "./items.ts";
import { Latest } from "./latest.ts";
import type { Memory } from "./memory.ts";
import { Preview } from "./preview.ts";
import { parse } from "./question.ts";
import { Rows } from "./rows.ts";
import { currentFile, heading, scopeOf, searchedFolders } from "./scopes.ts";

const LONG_MS = 400; // to wait without a sign that something is going on
const GROWN_MS = 1_000; // while an index grows its answers do, too
// How long a result must rest under the cursor to be shown: one for each that is passed over would flicker, and slow the typing.
const MOVING_MS = 100;
const SEARCHING = "c2llm.searching"; // the context key while the box is open
const TYPING_MS = 350;
export interface Search {
  server: Server;
  memory: Memory;
  /** Show what a question finds where it stays; `folder` is the one to search, all without it; `file` is the current one. */
  keep: (typed: string, folder: string | undefined, file: string) => void;
}

export class Box {
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
  private last: Answer | undefined; // what the list shows
  private readonly rows = new Rows<Item>(this.pick, same, isSeparator);
  private readonly file = currentFile();
  private readonly listeners: vscode.Disposable[] = [];
  private readonly server: Server;
  private readonly memory: Memory;

  /** `ended` forgets the box, and says whether it was the last one to be opened. */
  constructor(
    private readonly search: Search,
    private readonly ended: () => boolean,
  ) {
    this.server = search.server;
    this.memory = search.memory;
    this.busy = atWork(this.server.health);
  }

  show(typed: string): void {
    const pick = this.pick;
    pick.placeholder = "What does the code do? Words or a name; lang:python, kind:function, path:src/**, in:open narrow it down";
    pick.matchOnDescription = false;
    pick.matchOnDetail = true; // what stands there as it was typed is marked
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
    void vscode.commands.executeCommand("setContext", SEARCHING, true);
    this.dress();
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
    const { query, unknown: _, within, ...filters } = parse(this.pick.value);
    const folder = this.searchedFolder();
    const params: SearchParams = { query, ...filters, ...scopeOf(within, this.file), ...(folder === undefined ? {} : { folder }) };
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
      this.instead(this.earlier());
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
      this.instead([failed(error)]);
    }
  }

  /** Show the answer; whether something was not in it yet, or undefined where a newer question took its place. */
  private async answer(params: SearchParams): Promise<boolean | undefined> {
    const answer = await this.latest.run((token) => this.server.request<Answer>(SEARCH, params, token));
    if (answer === undefined) {
      return undefined;
    }
    this.answered = Date.now();
    this.last = answer;
    this.rows.fill(answer.hits.length > 0 ? itemsOf(answer) : [note(this.busy ? "Nothing was found so far." : nothing(answer))]);
    this.dress();
    return answer.freshness.pendingFiles > 0;
  }

  /** Show rows that are no results. */
  private instead(items: Item[]): void {
    this.latest.cancel();
    this.last = undefined;
    this.waits(false);
    this.pick.items = items;
    this.dress();
  }

  /** What was indexed meanwhile belongs into the list; the title says what the status bar says. */
  private follow(health: Health): void {
    const was = this.busy;
    this.busy = atWork(health);
    const done = was && !this.busy;
    const grown = this.busy && Date.now() - this.answered >= GROWN_MS;
    if ((done || grown) && this.pick.value.trim() !== "") {
      this.answered = Date.now();
      void this.ask(true);
    } else {
      this.dress();
    }
  }

  private look(item: Item | undefined): void {
    if (item?.hit && own().preview) {
      // What stands first was put there by an answer, as a rule, and not by a person.
      this.preview.show(item.hit, this.rows.isFirst(item) ? TYPING_MS : MOVING_MS);
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
  async acceptBeside(): Promise<void> {
    const [item] = this.pick.activeItems;
    if (item) {
      await this.jump(item, true);
    }
  }

  /** The results go into the view; what was previewed goes. */
  keep(): void {
    const { value } = this.pick;
    if (parse(value).query !== "") {
      this.memory.asked(value);
      this.pick.hide();
      this.search.keep(value, this.searchedFolder(), this.file);
    }
  }

  /** Change what is typed, as by a key. */
  retype(change: (typed: string) => string): void {
    this.pick.value = change(this.pick.value);
    void this.ask();
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
    } else if (button === KEEP) {
      this.keep();
      return;
    } else {
      this.allFolders = button === ONE;
    }
    await this.ask();
  }

  private hidden(): void {
    if (this.asking) {
      return;
    }
    if (this.ended()) {
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

  private dress(): void {
    const folders = searchedFolders(this.allFolders, this.folder?.name);
    const title = heading(folders, parse(this.pick.value), this.last, foldersOf(this.server.health));
    const offered = buttons(this.allFolders, folders !== "" && this.folder !== undefined);
    // The editor draws all of the box anew for whatever is set, changed or not.
    if (this.pick.title !== title) {
      this.pick.title = title;
    }
    if (!alike(this.pick.buttons, offered)) {
      this.pick.buttons = offered;
    }
  }

  private searchedFolder(): string | undefined {
    return this.allFolders ? undefined : this.folder?.uri.toString();
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
