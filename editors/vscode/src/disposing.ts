/** Things that end together. */

export interface Part {
  dispose(): unknown;
}

export function disposeAll(parts: readonly Part[]): void {
  for (const part of parts) {
    part.dispose();
  }
}
