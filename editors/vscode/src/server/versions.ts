/** Whether a server and this extension understand each other. */

import { PROTOCOL } from "../protocol.ts";

export type Fit = "fits" | "old server" | "new server";

/** What `initialize` said in `capabilities.experimental`. A server that says nothing is older than these requests. */
export function fit(experimental: unknown): Fit {
  const version = at(at(experimental, "c2llm"), "version");
  if (typeof version !== "number" || version < PROTOCOL) {
    return "old server";
  }
  return version > PROTOCOL ? "new server" : "fits";
}

function at(table: unknown, name: string): unknown {
  return typeof table === "object" && table !== null ? (table as Record<string, unknown>)[name] : undefined;
}
