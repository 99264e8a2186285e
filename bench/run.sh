#!/usr/bin/env bash
# Every benchmark, one table each: the planner beside its bound and beside Karpenter's scheduler, consolidation, then
# scale-ups on a real control plane beside what Kubernetes itself needs. Arguments go to the last. Give it a quiet machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

if [ -x "$here/planner/run.sh" ]; then
    echo "## The planner"
    "$here/planner/run.sh"
fi
echo
echo "## Consolidation"
"$here/repack/table.py" --joiner "$root/build/bench/joiner"
echo
echo "## A week on virtual time"
cmake --build "$root/build/bench" --target week >/dev/null
"$root/build/bench/week"
echo
echo "## Consolidation by the controller, on a real control plane"
code=0
"$here/consolidation/run.py" --joiner "$root/build/joiner" || code=$?
[ "$code" -eq 77 ] || [ "$code" -eq 0 ] || exit "$code"
echo
echo "## From a Deployment to all of its pods Ready"
code=0
"$here/e2e/run.py" --joiner "$root/build/joiner" "$@" || code=$?
[ "$code" -eq 77 ] || exit "$code"
echo "skipped: the Go that builds the control plane is not here"
