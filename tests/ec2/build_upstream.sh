#!/usr/bin/env bash
# Builds Karpenter's own controller for AWS from its published Go module, once, into a cache outside the tree. The
# last line of standard output is a directory with the program `karpenter`. Installs a newer Go in that cache where
# the machine's is too old. Exit code 77 means "cannot be built here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../controlplane/go_cache.sh"
source "$here/../controlplane/new_go.sh"

build_karpenter() {
    go_build "$here/upstream" github.com/aws/karpenter-provider-aws/cmd/controller "$1/karpenter" \
        "-X sigs.k8s.io/karpenter/pkg/operator.Version=1.15.2"
}

use_new_enough_go "$here"
cached_go_build karpenter-for-aws "$here" build_karpenter
