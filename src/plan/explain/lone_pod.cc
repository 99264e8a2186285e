#include "plan/explain/lone_pod.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace joiner::plan {

LonePod::LonePod(model::Cluster& cluster, const model::SnapshotInputs& inputs,
                 const ProvisionOptions& options, const api::Pod& pod)
    : cluster_(cluster), inputs_(inputs), options_(options), original_(pod), pod_(pod) {
    CHECK(cluster.find_pod(api::full_name(pod.meta)) != nullptr);
    pod_.spec.node_name.clear();
    pod_.status.nominated_node.clear();
    pod_.status.held.clear();
    pod_.status.held_by_pod.reset();
    cluster_.upsert(pod_);
}

LonePod::~LonePod() {
    cluster_.upsert(original_);
}

model::Snapshot LonePod::snapshot() {
    const std::vector<const model::PodState*> alone = {cluster_.find_pod(api::full_name(pod_.meta))};
    inputs_.moving = &alone;
    model::Snapshot out = model::make_snapshot(cluster_, inputs_);
    inputs_.moving = nullptr;
    return out;
}

std::shared_ptr<const rules::PodShape> LonePod::shape() {
    return snapshot().pods.front().shape;
}

LonePod::Answer LonePod::ask(const api::NodePool& pool) {
    model::Snapshot question = snapshot();
    std::erase_if(question.pools, [&](const auto& one) { return one.name != pool.meta.name; });
    for (model::RoomView& room : question.rooms) room.free = {};
    const Plan plan = plan_provisioning(question, options_);
    Answer out;
    if (!plan.launches.empty()) {
        out.machine = plan.launches.front().spec;
    } else if (!plan.waits.empty() && plan.waits.front().why != nullptr && !plan.waits.front().why->empty()) {
        out.why_not = *plan.waits.front().why;
    } else {
        out.why_not = {
            {.rule = Rule::kUnplaced,
             .detail = plan.waits.empty() ? "no plan has a place for it" : plan.waits.front().reason}};
    }
    return out;
}

LonePod::Answer LonePod::ask(const api::Pod& pod, const api::NodePool& pool) {
    const model::PoolState* before = cluster_.find_pool(pool.meta.name);
    CHECK(before != nullptr);
    const api::NodePool as_it_is = before->pool;
    cluster_.upsert(pod);
    cluster_.upsert(pool);
    Answer out = ask(pool);
    cluster_.upsert(as_it_is);
    cluster_.upsert(pod_);
    return out;
}

std::string LonePod::room_of(const std::set<std::string, std::less<>>& full) {
    model::Snapshot question = snapshot();
    question.pools.clear();
    for (model::RoomView& room : question.rooms) {
        if (full.contains(room.name)) room.free = {};
    }
    const Plan plan = plan_provisioning(question, options_);
    return plan.placements.empty() ? std::string() : question.rooms[plan.placements.front().room].name;
}

}  // namespace joiner::plan
