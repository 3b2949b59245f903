// Whether the Lua is written as StyLua writes it; with --write it is rewritten. StyLua comes as WebAssembly, which reads no
// stylua.toml: what stands in ours is handed to it here.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const { Config, formatCode, IndentType, OutputVerification } = createRequire(resolve("package.json"))("@johnnymorganz/stylua");
const here = join(import.meta.dirname, "..");
const settings = Object.fromEntries(
  [...readFileSync(join(here, "stylua.toml"), "utf8").matchAll(/^(\w+) = "?(\w+)"?$/gmu)].map(([, name, value]) => [name, value]),
);
const roots = [here, join(here, "../../tests/editors")];
const files = roots.flatMap((root) =>
  readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".lua")).map((name) => join(root, name)),
);
let wrong = 0;
for (const file of files) {
  const config = Config.new();
  config.column_width = Number(settings.column_width);
  config.indent_type = IndentType[settings.indent_type];
  config.indent_width = Number(settings.indent_width);
  const before = readFileSync(file, "utf8");
  const after = formatCode(before, config, undefined, OutputVerification.None);
  if (before !== after) {
    wrong += 1;
    console.log(file);
    if (process.argv.includes("--write")) {
      writeFileSync(file, after);
    }
  }
}
console.log(`${files.length} files, ${wrong} of them otherwise than StyLua writes them`);
process.exitCode = wrong > 0 && !process.argv.includes("--write") ? 1 : 0;
