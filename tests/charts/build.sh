#!/usr/bin/env bash
# Builds Helm from its published Go module, once, into a cache outside the tree. The last line of standard output is
# a directory with the program `helm`. Exit code 77 means "cannot be built here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../controlplane/go_cache.sh"

build_helm() {
    go_build "$here/helm" helm.sh/helm/v3/cmd/helm "$1/helm" \
        "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36"
}

cached_go_build helm "$here" build_helm
