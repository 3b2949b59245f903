/** The rows of the search box: which of them stays active when better ones arrive. Pure. */

export interface Pick<T> {
  items: readonly T[];
  activeItems: readonly T[];
}

/**
 * `same` says whether two rows stand for one thing, `isNote` whether one cannot be chosen. The editor makes the first row active
 * whenever the list is set: only another one was chosen by a person.
 */
export class Rows<T> {
  private chosen = false; // whether the person moved to a row since the last question
  private readonly pick: Pick<T>;
  private readonly same: (one: T, other: T) => boolean;
  private readonly isNote: (item: T) => boolean;

  constructor(pick: Pick<T>, same: (one: T, other: T) => boolean, isNote: (item: T) => boolean) {
    this.pick = pick;
    this.same = same;
    this.isNote = isNote;
  }

  /** A row became active. */
  moved(item: T | undefined): void {
    this.chosen ||= item !== undefined && !this.isFirst(item);
  }

  /** Whether a row is the best one, which an answer puts under the cursor. */
  isFirst(item: T): boolean {
    return item === this.pick.items.find((one) => !this.isNote(one));
  }

  /** There is a new question. */
  forget(): void {
    this.chosen = false;
  }

  /** Set the rows. The one that the person moved to stays active; one that merely stood first gives way to a better one. */
  fill(items: readonly T[]): void {
    const [active] = this.chosen ? this.pick.activeItems : [];
    this.pick.items = items;
    const kept = active === undefined ? undefined : items.find((one) => this.same(one, active));
    if (kept !== undefined) {
      this.pick.activeItems = [kept];
    }
  }
}
