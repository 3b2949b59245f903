// Makes c2llm-VERSION.vsix: lint and types are checked elsewhere, the size here.
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, statSync } from "node:fs";

const LIMIT = 1_000_000; // bytes: what is installed on every machine stays small

copyFileSync("../../LICENSE", "LICENSE");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const file = `c2llm-${version}.vsix`;
execFileSync(process.execPath, ["scripts/build.mjs", "--minify"], { stdio: "inherit" });
execFileSync(
  process.execPath,
  ["node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "-o", file],
  { stdio: "inherit" },
);
const { size } = statSync(file);
console.log(`${file}: ${size.toLocaleString("en")} bytes`);
if (size >= LIMIT) {
  console.error(`It must stay under ${LIMIT.toLocaleString("en")} bytes.`);
  process.exit(1);
}
