/** The last question wins: whatever an earlier one still brings is dropped, and its request cancelled. Pure. */

export interface Cancellable {
  token: unknown;
  cancel(): void;
}

export class Latest<S extends Cancellable> {
  private current: S | undefined;
  private readonly fresh: () => S;

  constructor(fresh: () => S) {
    this.fresh = fresh;
  }

  /** Run `ask` in place of what runs; undefined where it was itself replaced before it had an answer. */
  async run<T>(ask: (token: S["token"]) => Promise<T>): Promise<T | undefined> {
    this.cancel();
    const mine = this.fresh();
    this.current = mine;
    try {
      const answer = await ask(mine.token);
      return this.current === mine ? answer : undefined;
    } catch (error) {
      if (this.current !== mine) {
        return undefined;
      }
      throw error;
    }
  }

  cancel(): void {
    this.current?.cancel();
    this.current = undefined;
  }
}
