#include "plan/explain/lone_pod.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace joiner::plan {
namespace {

// As far as a Change may differ.
bool is_same_for_plans(const api::NodePool& a, const api::NodePool& b) {
    return a.node_template.labels == b.node_template.labels &&
           a.node_template.requirements == b.node_template.requirements &&
           a.node_template.taints == b.node_template.taints && a.limits == b.limits;
}

}  // namespace

LonePod::LonePod(model::Cluster& cluster, const model::SnapshotInputs& inputs,
                 const ProvisionOptions& options, const api::Pod& pod)
    : cluster_(cluster), inputs_(inputs), options_(options), original_(pod), pod_(pod) {
    CHECK(cluster.find_pod(api::full_name(pod.meta)) != nullptr);
    pod_.spec.node_name.clear();
    pod_.status.nominated_node.clear();
    pod_.status.held.clear();
    pod_.status.held_by_pod.reset();
    cluster_.upsert(pod_);
    const model::Snapshot now = snapshot();
    is_plain_ = now.standing.empty() && now.pods.front().shape->constraints.key.empty() &&
                cluster.find_pod(api::full_name(pod.meta))->volumes == nullptr &&
                inputs.default_spread == nullptr;
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

LonePod::Answer LonePod::plan(model::Snapshot question) const {
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

const model::Snapshot& LonePod::plain_question(const std::string& pool) {
    const auto [it, is_new] = plain_questions_.try_emplace(pool);
    if (!is_new) return it->second;
    it->second = snapshot();
    std::erase_if(it->second.pools, [&](const auto& one) { return one.name != pool; });
    it->second.rooms.clear();
    it->second.closed_nodes.clear();
    return it->second;
}

LonePod::Answer LonePod::ask(const api::NodePool& pool) {
    model::Snapshot question = snapshot();
    std::erase_if(question.pools, [&](const auto& one) { return one.name != pool.meta.name; });
    for (model::RoomView& room : question.rooms) room.free = {};
    return plan(std::move(question));
}

LonePod::Answer LonePod::ask(const api::Pod& pod, const api::NodePool& pool) {
    const model::PoolState* before = cluster_.find_pool(pool.meta.name);
    CHECK(before != nullptr);
    if (is_plain_ && is_same_for_plans(before->pool, pool)) {
        model::Snapshot question = plain_question(pool.meta.name);
        cluster_.upsert(pod);
        question.pods.front().shape = cluster_.find_pod(api::full_name(pod.meta))->shape;
        cluster_.upsert(pod_);
        return plan(std::move(question));
    }
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
