/** What starts `c2llm mcp` for each folder, with the settings that the language server has: both use one index. Pure. */

export interface Definition {
  label: string;
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface Folder {
  name: string;
  path: string;
}

export function definitions(command: string, folders: readonly Folder[], settings: Readonly<Record<string, unknown>>): Definition[] {
  const env = environment(settings);
  return folders.map(({ name, path }) => ({
    label: folders.length > 1 ? `C2LLM Code Search: ${name}` : "C2LLM Code Search",
    command,
    args: ["mcp", path],
    env,
  }));
}

/** Settings as the server takes them from its environment: C2LLM_MAX_FILE_BYTES for maxFileBytes. */
export function environment(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `C2LLM_${name.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`,
      Array.isArray(value) ? value.join(",") : String(value),
    ]),
  );
}
