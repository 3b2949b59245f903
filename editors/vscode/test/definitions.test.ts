import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { definitions, environment } from "../src/assistant/definitions.ts";

test("each folder has an MCP server of its own, named after it where there are several", () => {
  const web = { name: "web", path: "/p/web" };
  const api = { name: "api", path: "/p/api" };
  assert.deepEqual(definitions("/bin/c2llm", [web], {}), [
    { label: "C2LLM Code Search", command: "/bin/c2llm", args: ["mcp", "/p/web"], env: {} },
  ]);
  const labels = definitions("/bin/c2llm", [web, api], {}).map(({ label, args }) => `${label} ${args[1] ?? ""}`);
  assert.deepEqual(labels, ["C2LLM Code Search: web /p/web", "C2LLM Code Search: api /p/api"]);
  assert.deepEqual(definitions("/bin/c2llm", [], {}), []);
});

test("what a person set reaches the MCP server as the variables that the server documents", () => {
  const given = { encoder: "embedded", maxFileBytes: 2000, exclude: ["*.sql", "gen/"], nearDuplicates: true };
  const variables = environment(given);
  assert.deepEqual(variables, {
    C2LLM_ENCODER: "embedded",
    C2LLM_MAX_FILE_BYTES: "2000",
    C2LLM_EXCLUDE: "*.sql,gen/",
    C2LLM_NEAR_DUPLICATES: "true",
  });
  const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  assert.deepEqual(Object.keys(variables).filter((name) => !page.includes(`\`${name}\``)), []);
});
