#!/usr/bin/env bash
# Builds upstream Karpenter's KWOK controller from its published Go module, once, into a cache outside the
# tree. The last line of standard output is a directory with the program `karpenter` and a folder `crds`.
# Exit code 77 means "cannot be built here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../tests/controlplane/go_cache.sh"

build_upstream() {
    local karpenter
    go_build "$here/upstream" sigs.k8s.io/karpenter/kwok "$1/karpenter"
    karpenter=$(go_module_folder "$here/upstream" sigs.k8s.io/karpenter)
    install -m 644 -D -t "$1/crds" "$karpenter"/pkg/apis/crds/*.yaml "$karpenter"/kwok/apis/crds/*.yaml
}

cached_go_build upstream "$here" build_upstream
