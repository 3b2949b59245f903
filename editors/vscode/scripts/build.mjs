// Bundles the extension into one file, dist/extension.cjs.
import { build } from "esbuild";

await build({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20", // of the oldest editor that package.json allows
  external: ["vscode"],
  minify: process.argv.includes("--minify"),
  sourcemap: process.argv.includes("--minify") ? false : "linked",
  legalComments: "eof", // licences of what is bundled
  logLevel: "warning",
});
