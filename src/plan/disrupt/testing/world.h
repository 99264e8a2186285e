// What plans of disruption are made from in tests: a cluster with the pool "default", and nothing under way.
// A test's own world adds to it what it varies.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"
#include "plan/disrupt/testing/up_node.h"

namespace joiner::plan::samples {

struct DisruptionWorld {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    model::PlannedPods planned;
    model::ClaimNames in_commands;
    model::ClaimNames leaving;
    model::ClaimNames headroom;
    std::map<std::string, WallTime, std::less<>> events;
    std::map<std::string, std::string, std::less<>> held;
    std::map<std::string, std::int64_t, std::less<>> moved;
    api::NodePool pool;  // Reaches the cluster with put_pool().
    // nullptr: not known.
    std::shared_ptr<const std::vector<rules::InstanceType>> types =
        std::make_shared<const std::vector<rules::InstanceType>>();

    DisruptionWorld() { pool.meta.name = "default"; }

    void put_pool() { cluster.upsert(pool); }
    void put(const UpNode& up) {
        cluster.upsert(up.claim);
        cluster.upsert(up.node);
    }
    DisruptionFacts facts() const {
        return {
            cluster,  planned, in_commands, events, [known = types](const api::NodePool&) { return known; },
            &headroom};
    }
    DisruptionGate gate(WallTime now) const { return DisruptionGate({cluster, leaving, held, moved}, now); }
};

}  // namespace joiner::plan::samples
