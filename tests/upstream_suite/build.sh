#!/usr/bin/env bash
# Builds Karpenter's own end-to-end suite from its published Go module, once, into a cache outside the tree. The
# last line of standard output is a directory with the program `regression` and a folder `stages`. Exit code 77 means "cannot be built
# here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=$here/../../bench/e2e
source "$here/../controlplane/go_cache.sh"

build_suite() {
    local karpenter
    karpenter=$(go_module_folder "$bench/upstream" sigs.k8s.io/karpenter)
    (cd "$karpenter" && nice -n 5 go test -mod=readonly -buildvcs=false -trimpath -c -o "$1/regression" ./test/suites/regression)
    install -m 644 -D -t "$1/stages" "$karpenter"/hack/kwok/stages/*.yaml
}

cached_go_build upstream-suite "$bench" build_suite
