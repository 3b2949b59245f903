import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { doing, install, NoPython, type Steps, usable } from "../src/server/managed.ts";
import { bundled, named, reason } from "../src/server/packages.ts";

// Stands in for Python: makes the environment's own interpreter a copy of itself, and "installs" by writing a file.
const PYTHON = `#!/bin/sh
case "$*" in
  "-I -c"*) echo VERSION ;;
  "-I -m venv "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  *hang*) exec sleep 60 ;;
  *fails*) echo "ERROR: No matching distribution" >&2; exit 1 ;;
  *) echo "Collecting numpy>=1.26"; touch "$(dirname "$0")/c2llm" ;;
esac
`;

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "c2llm-managed-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function python(folder: string, version: string): Promise<string> {
  const file = join(folder, `python${version}`);
  await writeFile(file, PYTHON.replace("VERSION", version));
  await chmod(file, 0o755);
  return file;
}

function steps(folder: string, pythons: string[], more: Partial<Steps> = {}): Steps {
  return {
    environment: join(folder, "environment"),
    packages: named("c2llm-lsp"),
    pythons,
    windows: false,
    report: () => undefined,
    log: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

test("the first Python that will do makes the environment, and what is done is told", () =>
  inFolder(async (folder) => {
    const told: string[] = [];
    const pythons = [join(folder, "missing"), await python(folder, "3.9"), await python(folder, "3.12")];
    const command = await install(steps(folder, pythons, { report: (what) => told.push(what) }));
    assert.equal(command, join(folder, "environment", "bin", "c2llm"));
    assert.deepEqual(await readdir(join(folder, "environment", "bin")), ["c2llm", "python"]);
    assert.deepEqual(told, ["creating the environment", "installing c2llm-lsp", "numpy"]);
  }));

test("without a Python that will do, what was found is said", () =>
  inFolder(async (folder) => {
    const old = await python(folder, "3.9");
    await assert.rejects(install(steps(folder, [old])), (error: Error) => {
      assert.ok(error instanceof NoPython);
      assert.match(error.message, /3\.10 to 3\.13.*3\.9/u);
      return true;
    });
  }));

test("a failed installation says why and leaves nothing", () =>
  inFolder(async (folder) => {
    const good = await python(folder, "3.11");
    await assert.rejects(install(steps(folder, [good], { packages: named("fails") })), /No matching distribution/u);
    assert.deepEqual(await readdir(folder), ["python3.11"]);
  }));

test("a cancelled installation ends at once and leaves nothing", () =>
  inFolder(async (folder) => {
    const good = await python(folder, "3.11");
    const cancel = new AbortController();
    const report = (what: string) => {
      if (what.startsWith("installing")) {
        setImmediate(() => cancel.abort());
      }
    };
    await assert.rejects(install(steps(folder, [good], { packages: named("hang"), report, signal: cancel.signal })));
    assert.deepEqual(await readdir(folder), ["python3.11"]);
  }));

test("versions of Python outside 3.10 to 3.13 will not do", () => {
  const good = ["3.9", "3.10", "3.13", "3.14", "2.7", "4.11", "", "three"].filter(usable);
  assert.deepEqual(good, ["3.10", "3.13"]);
});

test("pip's lines become short words", () => {
  assert.equal(doing("Collecting onnxruntime>=1.20 (from c2llm-lsp==0.1.0)"), "onnxruntime");
  assert.equal(doing("  Downloading tree_sitter_go-0.25.0-cp310-abi3.whl (67 kB)"), "tree_sitter_go");
  assert.equal(doing("Installing collected packages: a, b"), "unpacking");
  assert.equal(doing("Requirement already satisfied: pip"), undefined);
});

test("the server that came with the extension is installed without looking its name up", () => {
  const [dependencies, server] = bundled("/extension", "1.2.3").installs;
  assert.deepEqual(dependencies?.slice(0, 3), ["--require-hashes", "--only-binary", ":all:"]);
  assert.deepEqual(server, ["--no-deps", "--no-index", join("/extension", "server", "c2llm_lsp-1.2.3-py3-none-any.whl")]);
});

test("each install of a package is run, and one that fails leaves nothing", () =>
  inFolder(async (folder) => {
    const good = await python(folder, "3.11");
    const packages = { name: "two", installs: [["first"], ["fails"]] };
    await assert.rejects(install(steps(folder, [good], { packages })), /No matching distribution/u);
    assert.deepEqual(await readdir(folder), ["python3.11"]);
  }));

test("why pip failed becomes one sentence", () => {
  assert.match(reason("WARNING: Retrying: [Errno -3] Temporary failure in name resolution\nERROR: No matching"), /cannot be reached/u);
  assert.match(reason("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."), /was not installed/u);
  assert.equal(reason("one\nERROR: two\n"), "ERROR: two");
});
