/** What pip installs into the extension's own environment. Pure: the folder of the extension comes in as a path. */

import * as nodePath from "node:path";

export interface Packages {
  name: string; // for a person
  installs: readonly (readonly string[])[]; // the arguments of each `pip install`, in order
}

/**
 * The server that the extension carries: its wheel, and what that needs at the pinned versions, each download checked against
 * its hash. Nothing is built, so no code of a package runs while it is installed; and no name of ours is looked up anywhere.
 */
export function bundled(extension: string, version: string): Packages {
  const folder = nodePath.join(extension, "server");
  return {
    name: `the server ${version}`,
    installs: [
      ["--require-hashes", "--only-binary", ":all:", "-r", nodePath.join(folder, "requirements.txt")],
      ["--no-deps", "--no-index", nodePath.join(folder, `c2llm_lsp-${version}-py3-none-any.whl`)],
    ],
  };
}

/** What the setting names instead: a checkout, another wheel. */
export function named(requirement: string): Packages {
  return { name: requirement, installs: [["--upgrade", requirement]] };
}

const UNREACHABLE =
  /Failed to establish a new connection|Max retries exceeded|Name or service not known|getaddrinfo failed|Temporary failure in name resolution|Network is unreachable|No route to host|Connection refused|Read timed out|ProxyError/u;

/** Why an installation failed, in one sentence, of the last lines that pip printed. */
export function reason(printed: string): string {
  if (UNREACHABLE.test(printed)) {
    return "the package index cannot be reached. Check the connection, or the proxy in HTTPS_PROXY, and install again.";
  }
  if (printed.includes("DO NOT MATCH THE HASHES")) {
    return "a package is not the one that this release was made with, and was not installed. Show the log for its name.";
  }
  return printed.trim().split("\n").at(-1) ?? "";
}
