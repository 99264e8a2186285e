# Sourced by scripts that build programs from published Go modules and keep them outside the tree.
export GOTOOLCHAIN=local CGO_ENABLED=0

# cached_go_build NAME FOLDER FUNCTION: calls FUNCTION with an empty directory to fill, unless a directory
# made from the same script, go.mod and go.sum files is there already; prints that directory.
# Ends the script with exit code 77, "skip", when the Go that FOLDER's modules want is missing.
cached_go_build() {
    local name=$1 folder=$2 function=$3 wanted found hash kept
    wanted=$(awk '$1 == "go" {print $2}' "$folder"/*/go.mod | sort -V | tail -n 1)
    found=$(cd / && go env GOVERSION 2>/dev/null | sed 's/^go//') || true
    if [ -z "$found" ] || [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
        echo "$name needs Go $wanted or newer to build, found ${found:-none}: skipped"
        exit 77
    fi
    hash=$(cat "$0" "${BASH_SOURCE[0]}" "$folder"/*/go.mod "$folder"/*/go.sum | sha256sum | cut -c1-16)
    kept=${XDG_CACHE_HOME:-$HOME/.cache}/joiner/$name/$hash
    mkdir -p "$(dirname "$kept")"
    # Two callers at once would each spend minutes on the same build; the second waits and finds it done.
    exec 9>"$kept.lock"
    flock 9
    if [ ! -d "$kept" ]; then
        rm -rf "$kept.building"
        mkdir "$kept.building"
        "$function" "$kept.building"
        mv "$kept.building" "$kept"
    fi
    echo "$kept"
}

# go_build MODULE_FOLDER PACKAGE OUTPUT [LINKER_FLAGS]
go_build() {
    echo "building $(basename "$3")" >&2
    (cd "$1" && nice -n 5 go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w ${4:-}" -o "$3" "$2")
}

# go_module_folder MODULE_FOLDER MODULE: where the sources of a module that it requires lie. Fetches them.
go_module_folder() {
    (cd "$1" && go mod download "$2" && go list -mod=readonly -m -f '{{.Dir}}' "$2")
}
