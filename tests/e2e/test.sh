#!/usr/bin/env bash
# The end-to-end suite as one ctest test. It fails where the control plane cannot be built.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! said=$("$here/../controlplane/build.sh"); then
    echo "end to end: the control plane cannot be built: $said"
    exit 1
fi
exec "$here/run.py" --joiner "$1"
