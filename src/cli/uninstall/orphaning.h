// Leaving nodes to themselves: what is to be taken off Nodes, NodeClaims and node classes so that the
// controller, its objects and their definitions can go while the machines stay and their pods run on. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace joiner::cli {

// One write to one object. A JSON patch that tests what it takes away, so that nothing that someone else has
// written since is lost.
struct OrphanStep {
    std::string path;          // "/api/v1/nodes/n"
    std::string patch;         // Empty: nothing is to be changed.
    bool is_deletion = false;  // Afterwards the object is deleted.
    std::string words;         // "node n"
};

// `nodes`, `claims`: lists, JSON. Nodes first: while a NodeClaim owns its Node, the garbage collector takes
// the Node with it; and a NodeClaim goes without its machine only once it has no finalizer. Errors: what is
// no list.
Result<std::vector<OrphanStep>> orphan_nodes(std::string_view nodes);
// Nodes that are being deleted, and that only a finalizer of ours still holds: with it they, and their pods,
// would be gone at once.
Result<std::vector<std::string>> nodes_on_their_way_out(std::string_view nodes);
Result<std::vector<OrphanStep>> orphan_claims(std::string_view claims);
// Of any kind at `path`: karpenter's finalizers off, so that its definition can be deleted.
Result<std::vector<OrphanStep>> release_objects(std::string_view objects, std::string_view path);

}  // namespace joiner::cli
