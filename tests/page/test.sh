#!/usr/bin/env bash
# test.sh JOINER [PICTURES]: the page in a real browser. Chromium and Node.js are Debian's; playwright-core and axe-core
# come from npm into a cache outside the tree. PICTURES: a folder that gets page-phone.png and page-desk.png.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/joiner/page-test
playwright=1.65.1
axe=4.14.1

more=()
command -v node >/dev/null || more+=(nodejs)
command -v npm >/dev/null || more+=(npm)
"$here/../../tools/setup.sh" build chromium "${more[@]}"
mkdir -p "$cache"
if [ "$(cat "$cache/versions" 2>/dev/null)" != "$playwright $axe" ]; then
    (cd "$cache" && npm install --no-save --no-audit --no-fund --silent "playwright-core@$playwright" "axe-core@$axe")
    echo "$playwright $axe" >"$cache/versions"
fi
PAGE_TEST_MODULES=$cache exec node "$here/run.mjs" "$@"
