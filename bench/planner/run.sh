#!/usr/bin/env bash
# The planner's benchmark: one row a workload, our plan beside the bound and beside Karpenter's own scheduler.
# Usage: run.sh [--joiner PATH] [--seed N] [--only WORKLOAD]... [--no-peer] [--no-instructions]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
if ! printf '%s\n' "$@" | grep -qx -- --joiner; then
    [ -f "$root/build/bench/build.ninja" ] || (cd "$root" && cmake --preset bench >/dev/null)
    cmake --build "$root/build/bench" --target joiner >/dev/null
    set -- --joiner "$root/build/bench/joiner" "$@"
fi
exec python3 "$here/table.py" "$@"
