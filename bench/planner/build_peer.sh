#!/usr/bin/env bash
# Builds bench/peer, Karpenter's scheduler as a program, once, into a cache outside the tree. The last line of
# standard output is a directory with the program `peer`. Exit code 77 means "cannot be built here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../tests/controlplane/go_cache.sh"

build_peer() {
    go_build "$here/../peer" . "$1/peer"
}

cached_go_build "peer-$(sha256sum "$here/../peer/main.go" | cut -c1-8)" "$here/.." build_peer
