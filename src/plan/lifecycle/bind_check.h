// Which of the pods planned for nodes that are up may be bound now: rules that look beyond a node (a zone's
// spread, affinity to pods elsewhere) may have been overtaken since the plan, or hold only once pods on
// other nodes are bound. Pure; the judge is the checker of plans (plan/verify).
#pragma once

#include <map>
#include <set>
#include <string>

#include "model/snapshot.h"

namespace joiner::plan {

// `node_of`: by the pod's uid, the name of the node it is meant for. `snapshot` has these pods as pending,
// and the room that they were planned to take as free. Uids of pods that may all be bound at once.
std::set<std::string> may_be_bound(const model::Snapshot& snapshot,
                                   const std::map<std::string, std::string>& node_of);

}  // namespace joiner::plan
