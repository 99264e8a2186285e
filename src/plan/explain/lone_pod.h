// What if: one pod of the cluster planned alone, as if no node that is there had room, onto a new node of one
// NodePool, with the pod and the pool as they are or otherwise. Changes the Cluster while it asks, and leaves
// it as it was. One owner; the thread of the Cluster. Pure.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

class LonePod {
  public:
    struct Answer {
        std::shared_ptr<const MachineSpec> machine;  // nullptr: it has no place.
        Reasons why_not;                             // At least one where it has none.
    };

    // All of it is borrowed. `pod`: as the Cluster was told of it, and bound to no node now or then: what is
    // bound is asked about as if it were made again. REQUIRES: the Cluster has it.
    LonePod(model::Cluster& cluster, const model::SnapshotInputs& inputs, const ProvisionOptions& options,
            const api::Pod& pod);
    ~LonePod();
    LonePod(const LonePod&) = delete;
    LonePod& operator=(const LonePod&) = delete;

    // `pool`: by its name, one of the Cluster's.
    Answer ask(const api::NodePool& pool);
    Answer ask(const api::Pod& pod, const api::NodePool& pool);
    // On nodes that are there: the first that takes it, empty for none, and why none does. Leaves out those
    // that `full` names.
    std::string room_of(const std::set<std::string, std::less<>>& full);
    // What it asks for, its volumes included.
    std::shared_ptr<const rules::PodShape> shape();
    // The question with the pod alone, all rooms and pools as they are.
    model::Snapshot snapshot();

  private:
    Answer plan(model::Snapshot question) const;
    // As of the pools that are there: the same for all pods that ask nothing of others and have no volumes.
    const model::Snapshot& plain_question(const std::string& pool);

    model::Cluster& cluster_;
    model::SnapshotInputs inputs_;
    ProvisionOptions options_;
    const api::Pod& original_;
    api::Pod pod_;
    bool is_plain_ = false;  // Neither does it ask anything of others, nor they of it, nor has it volumes.
    std::map<std::string, model::Snapshot> plain_questions_;  // By pool.
};

}  // namespace joiner::plan
