#!/usr/bin/env bash
# Builds the real control plane (etcd, kube-apiserver, kube-scheduler, kube-controller-manager, kubectl)
# and the KWOK kubelets from their published Go modules, once: the binaries stay in a cache outside the
# tree, under a name that changes with everything they are made from.
# The last line of standard output is the directory of the binaries. Exit code 77 means "cannot be built
# here, skip": the right Go is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/go_cache.sh"
kubernetes_version=v1.36.3

build_control_plane() {
    local bin=$1 stamp="" package command stage stages
    go_build "$here/etcd" go.etcd.io/etcd/server/v3 "$bin/etcd"
    go_build "$here/kwok" sigs.k8s.io/kwok/cmd/kwok "$bin/kwok"
    # KWOK does nothing without stages, and its module carries them. The heartbeat is the one that renews a
    # node's status every 20 s although nodes have leases too: controller-manager gives up lifting a taint when
    # the API server is away, and looks again only when the node changes.
    stages=$(go_module_folder "$here/kwok" sigs.k8s.io/kwok)/kustomize/stage
    for stage in node/fast/node-initialize node/heartbeat/node-heartbeat \
        pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do
        install -m 644 -D -t "$bin/kwok-stages" "$stages/$stage.yaml"
    done
    # Without a version stamped in, the API server would say it is v0.0.0 and clients would disbelieve it.
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        stamp+=" -X $package.gitVersion=$kubernetes_version -X $package.gitTreeState=clean"
        stamp+=" -X $package.gitMajor=1 -X $package.gitMinor=36"
    done
    for command in kube-apiserver kube-scheduler kube-controller-manager kubectl; do
        go_build "$here/kubernetes" "k8s.io/kubernetes/cmd/$command" "$bin/$command" "$stamp"
    done
}

cached_go_build controlplane "$here" build_control_plane
