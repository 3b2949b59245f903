/** How often a server that ends by itself is started again. Pure: times come in. */

export const TRIES = 3;
export const STEADY_MS = 60_000; // a server that ran this long had started well: what ends it later is counted anew
const PAUSES_MS = [500, 2_000]; // before the second and third try: what is being installed or replaced is soon there

export class Tries {
  private failures = 0;

  /** A server has ended without being asked: how long to wait before the next try, or undefined to give up. */
  ended(ranMs: number): number | undefined {
    this.failures = ranMs >= STEADY_MS ? 1 : this.failures + 1;
    return this.failures < TRIES ? PAUSES_MS[this.failures - 1] : undefined;
  }

  /** The person asked for a new start. */
  forget(): void {
    this.failures = 0;
  }
}
