import { clone } from './clone.js';

const LIMIT = 100;

/** Remembers the states of a drawing. */
export class UndoStack {
  #states = [];

  push(state) {
    this.#states.push(clone(state));
    if (this.#states.length > LIMIT) {
      this.#states.shift();
    }
  }

  /** Takes back the last change of the drawing. */
  undo() {
    this.#states.pop();
    return this.#states.at(-1) ?? null;
  }

  get depth() {
    return this.#states.length;
  }
}

export const merge = (left, right) => {
  return { ...left, ...right };
};

export default function isSame(left, right) {
  return JSON.stringify(left) === JSON.stringify(right);
}
