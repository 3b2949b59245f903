/**
 * The settings that the server gets: only those that a person set.
 *
 * package.json must state defaults, and VS Code hands them out as if they were chosen; sent on, they would silently beat the
 * user's config file and the workspace's `.c2llm.toml`.
 */

export interface Inspected {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

export interface Section {
  get(name: string): unknown;
  inspect(name: string): Inspected | undefined;
}

export function chosen(names: readonly string[], section: Section): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    const said = section.inspect(name);
    const given = [said?.workspaceFolderValue, said?.workspaceValue, said?.globalValue];
    if (given.some((value) => value !== undefined && value !== null)) {
      found[name] = section.get(name);
    }
  }
  return found;
}
