#!/usr/bin/env bash
# Builds the real control plane (etcd, kube-apiserver, kube-scheduler, kube-controller-manager, kubectl)
# and the KWOK kubelets from their published Go modules, once: the binaries stay in a cache outside the
# tree, under a name that changes with everything they are made from.
# The last line of standard output is the directory of the binaries. Exit code 77 means "cannot be built
# here, skip": the right Go is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubernetes_version=v1.36.3
export GOTOOLCHAIN=local CGO_ENABLED=0

wanted_go=$(awk '$1 == "go" {print $2}' "$here"/*/go.mod | sort -V | tail -n 1)
found_go=$(cd / && go env GOVERSION 2>/dev/null | sed 's/^go//') || true
if [ -z "$found_go" ] || [ "$(printf '%s\n' "$wanted_go" "$found_go" | sort -V | head -n 1)" != "$wanted_go" ]; then
    echo "the control plane needs Go $wanted_go or newer to build, found ${found_go:-none}: skipped"
    exit 77
fi

hash=$(cd "$here" && cat build.sh ./*/go.mod ./*/go.sum | sha256sum | cut -c1-16)
bin=${XDG_CACHE_HOME:-$HOME/.cache}/joiner/controlplane/$hash
mkdir -p "$(dirname "$bin")"

# Two callers at once would each spend minutes on the same build; the second waits and finds it done.
exec 9>"$bin.lock"
flock 9
if [ ! -d "$bin" ]; then
    building=$bin.building
    rm -rf "$building"
    mkdir "$building"
    build() { # module folder, package, linker flags, binary
        echo "building $4" >&2
        (cd "$here/$1" && nice -n 5 go build -mod=readonly -buildvcs=false -trimpath -ldflags "-s -w $3" \
            -o "$building/$4" "$2")
    }
    # Without a version stamped in, the API server would say it is v0.0.0 and clients would disbelieve it.
    stamp=""
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        stamp+=" -X $package.gitVersion=$kubernetes_version -X $package.gitTreeState=clean"
        stamp+=" -X $package.gitMajor=1 -X $package.gitMinor=36"
    done
    build etcd go.etcd.io/etcd/server/v3 "" etcd
    build kwok sigs.k8s.io/kwok/cmd/kwok "" kwok
    for command in kube-apiserver kube-scheduler kube-controller-manager kubectl; do
        build kubernetes "k8s.io/kubernetes/cmd/$command" "$stamp" "$command"
    done
    # KWOK does nothing without stages, and its module carries the ones its own installer uses.
    stages=$(cd "$here/kwok" && go list -mod=readonly -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
    for stage in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease \
        pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do
        install -m 644 "$stages/$stage.yaml" -D -t "$building/kwok-stages"
    done
    mv "$building" "$bin"
fi
echo "$bin"
