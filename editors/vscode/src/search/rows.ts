/** The rows of the search box: which of them stays active when better ones arrive. */

import type * as vscode from "vscode";

import { type Item, same } from "./items.ts";

const FILLING_MS = 50; // until the editor has told which row it made active

export class Rows {
  private filling = false; // the list is being set, which makes a row active that nobody chose
  private chosen = false; // whether the person moved to a row since the last question

  constructor(private readonly pick: vscode.QuickPick<Item>) {}

  /** A row became active. */
  moved(item: Item | undefined): void {
    this.chosen ||= !this.filling && item !== undefined && item !== this.pick.items[0];
  }

  /** There is a new question. */
  forget(): void {
    this.chosen = false;
  }

  /** Set the rows. The one that the person moved to stays active; one that merely stood first gives way to a better one. */
  fill(items: readonly Item[]): void {
    const [active] = this.chosen ? this.pick.activeItems : [];
    this.filling = true;
    this.pick.items = items;
    const kept = items.find((one) => active?.hit && one.hit && same(one.hit, active.hit));
    if (kept) {
      this.pick.activeItems = [kept];
    }
    setTimeout(() => {
      this.filling = false;
    }, FILLING_MS);
  }
}
