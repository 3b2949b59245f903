#!/usr/bin/env bash
# Lint, types, unit tests and the package of the VS Code extension, from nothing but npm. Where this machine's Node is too
# old to run TypeScript as it is, a newer one is fetched beside a copy of the folder; the checkout stays as it was.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/editors/vscode
mkdir -p "$copy" "$work/docs"
cp "$here/../../LICENSE" "$work"
cp "$here/../../docs/configuration.md" "$work/docs"
tar -C "$here" --exclude=node_modules --exclude=dist --exclude='*.vsix' --exclude=shots -cf - . | tar -C "$copy" -xf -
if [ -z "${WHEEL:-}" ]; then
  python3 -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/wheel" "$here/../.."
  WHEEL=$(echo "$work"/wheel/*.whl)
  export WHEEL
fi
cd "$copy"

newer() { node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 18) ? 0 : 1)' 2>/dev/null; }
if ! newer; then
  npm install --silent --no-audit --no-fund --prefix "$work/node" node@24
  export PATH=$work/node/node_modules/.bin:$PATH
fi
echo "node $(node --version)"
npm ci --silent --no-audit --no-fund --ignore-scripts
npm run --silent lint
npm run --silent types
npm test
npm run --silent package
