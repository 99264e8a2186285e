#!/usr/bin/env bash
# Builds Karpenter's own end-to-end suites from its published Go module, once, into a cache outside the tree. The
# last line of standard output is a directory with the programs `regression` and `disruption`, a folder `stages` and
# the configuration of kube-scheduler that some of the specs ask for. Installs a newer Go in that cache where the
# machine's is too old. Exit code 77 means "cannot be built here, skip".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=$here/../side_by_side  # Its upstream/go.mod says which version of Karpenter.
source "$here/../controlplane/go_cache.sh"
source "$here/../controlplane/new_go.sh"

build_suites() {
    local karpenter suite
    karpenter=$(go_module_folder "$modules/upstream" sigs.k8s.io/karpenter)
    for suite in regression disruption; do
        echo "building the suite $suite" >&2
        (cd "$karpenter" && nice -n 5 go test -vet=off -mod=readonly -buildvcs=false -trimpath -c -o "$1/$suite" "./test/suites/$suite")
    done
    install -m 644 -D -t "$1/stages" "$karpenter"/hack/kwok/stages/*.yaml
    # In the place of our control plane's own heartbeat, which would wipe the conditions that the specs put on nodes.
    mv "$1/stages/node-heartbeat-with-lease.yaml" "$1/stages/node-heartbeat.yaml"
    install -m 644 -t "$1" "$karpenter/test/suites/regression/testdata/kube-scheduler-config.yaml"
}

use_new_enough_go "$modules"
cached_go_build upstream-suites "$modules" build_suites
