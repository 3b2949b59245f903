// Makes c2llm-VERSION.vsix, which carries the server's wheel: that of WHEEL, else one built from this checkout. Lint and types
// are checked elsewhere, the size here.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIMIT = 26_000_000; // bytes: the wheel may have 25 MB

copyFileSync("../../LICENSE", "LICENSE");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
for (const name of readdirSync("server").filter((one) => one.endsWith(".whl"))) {
  rmSync(join("server", name));
}
const wheel = join("server", `c2llm_lsp-${version}-py3-none-any.whl`);
if (process.env.WHEEL) {
  copyFileSync(process.env.WHEEL, wheel);
} else {
  const python = process.platform === "win32" ? "python" : "python3";
  const build = ["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", "server", "../.."];
  execFileSync(python, build, { stdio: "inherit" });
}
if (!existsSync(wheel)) {
  console.error(`${wheel} was not built: the extension and the package have the same version.`);
  process.exit(1);
}
const file = `c2llm-${version}.vsix`;
execFileSync(process.execPath, ["scripts/build.mjs", "--minify"], { stdio: "inherit" });
// The editor shows pictures of a page from HTTPS addresses alone, and there is none yet: the packed page goes without.
mkdirSync("dist", { recursive: true });
writeFileSync("dist/README.md", readFileSync("README.md", "utf8").replace(/^!\[.*\]\(docs\/.*\)\n\n?/gmu, ""));
execFileSync(
  process.execPath,
  ["node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--skip-license", "--allow-missing-repository", "--readme-path", "dist/README.md", "-o", file],
  { stdio: "inherit" },
);
const { size } = statSync(file);
console.log(`${file}: ${size.toLocaleString("en")} bytes`);
if (size >= LIMIT) {
  console.error(`It must stay under ${LIMIT.toLocaleString("en")} bytes.`);
  process.exit(1);
}
