#!/usr/bin/env bash
# A Python with moto, once, in a cache outside the tree. The last line of standard output is that Python. Exit code
# 77 means "cannot be had here, skip".
set -euo pipefail
version=5.2.5
kept=${XDG_CACHE_HOME:-$HOME/.cache}/joiner/moto-$version
mkdir -p "$(dirname "$kept")"
exec 9>"$kept.lock"
flock 9
if [ ! -x "$kept/bin/python" ] || ! "$kept/bin/python" -c 'import moto, boto3, flask' 2>/dev/null; then
    rm -rf "$kept"
    python3 -m venv "$kept" >&2
    "$kept/bin/pip" install --quiet "moto[server]==$version" PyYAML >&2 || {
        rm -rf "$kept"
        echo "moto cannot be installed here"
        exit 77
    }
fi
echo "$kept/bin/python"
