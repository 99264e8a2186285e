#!/usr/bin/env bash
# Builds Karpenter's own KWOK controller from its published Go module, but for one word: its KWOKNodeClass is of
# the group that the argument names, because Joiner serves the group that it has. Done once, into a cache outside
# the tree. The last line of standard output is a directory with the program `karpenter` and a folder `crds`, which
# holds that class and no other kind. Installs a newer Go in that cache where the machine's is too old.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../controlplane/go_cache.sh"
source "$here/../controlplane/new_go.sh"
group=${1:?the group of the KWOKNodeClass that Karpenter is to serve}
group_of_both=karpenter.kwok.sh

build_karpenter() {
    local out=$1 source copy=$1/source modules=$1/modules
    source=$(go_module_folder "$here/upstream" sigs.k8s.io/karpenter)
    cp -r --no-preserve=mode "$source" "$copy"
    sed -i "s|Group = \"$group_of_both\"|Group = \"$group\"|" "$copy/kwok/apis/apis.go"
    grep -q "Group = \"$group\"" "$copy/kwok/apis/apis.go"
    mkdir "$modules"
    cp "$here"/upstream/go.mod "$here"/upstream/go.sum "$modules"
    (cd "$modules" && go mod edit "-replace=sigs.k8s.io/karpenter=$copy")
    go_build "$modules" sigs.k8s.io/karpenter/kwok "$out/karpenter"
    mkdir "$out/crds"
    sed "s|$group_of_both|$group|" "$copy/kwok/apis/crds/${group_of_both}_kwoknodeclasses.yaml" \
        >"$out/crds/${group}_kwoknodeclasses.yaml"
    rm -r "$copy" "$modules"
}

use_new_enough_go "$here"
cached_go_build "karpenter-of-$group" "$here" build_karpenter
