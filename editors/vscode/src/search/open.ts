/** The search box from outside: opened, and told what a key says. */

import type { Within } from "../protocol.ts";
import { Box, type Search } from "./box.ts";
import { toggled } from "./question.ts";

let shown: Box | undefined;

/** Without words the box opens with the last question, selected: typing replaces it. */
export function showSearch(search: Search, typed = ""): void {
  const box: Box = new Box(search, () => {
    const wasLast = shown === box;
    shown = wasLast ? undefined : shown;
    return wasLast;
  });
  shown = box;
  box.show(typed === "" ? (search.memory.questions()[0] ?? "") : typed);
}

/** Open the active result beside what is open. */
export async function acceptBeside(): Promise<void> {
  await shown?.acceptBeside();
}

/** Move the results from the box into the view. */
export function keepResults(): void {
  shown?.keep();
}

/** Search there alone, or no longer; without a box that is open one opens for it. */
export function searchIn(search: Search, within: Within): void {
  const change = (typed: string) => toggled(typed, within);
  if (shown) {
    shown.retype(change);
  } else {
    showSearch(search, change(""));
  }
}
