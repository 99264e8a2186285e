#include "control/bindings.h"

#include <map>
#include <set>
#include <vector>

#include "plan/lifecycle/bind_check.h"

namespace joiner::control {
namespace {

// Nodes come up together; one pass over the whole cluster serves them all.
constexpr Duration kGather = std::chrono::milliseconds{100};
// Facts have overtaken the plan of a pod that is refused for so long.
constexpr Duration kPatience = std::chrono::seconds{5};

}  // namespace

void Bindings::reconcile(const std::string& claim) {
    if (!may_bind_() || !planned_.has_claim(claim)) return;
    std::set<model::PodKey> pods = planned_.pods_of(claim);
    const std::size_t all = pods.size();
    std::erase_if(pods, [&](const model::PodKey& key) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        return pod != nullptr && act::is_bindable(*pod) && act::looks_beyond_its_node(*pod);
    });
    binder_.bind(claim, pods);
    if (pods.size() == all || !binder_.can_bind(claim) || is_posted_) return;
    is_posted_ = true;
    services_.loop.after(kGather, [this] {
        is_posted_ = false;
        reconcile_together();
    });
}

void Bindings::reconcile_together() {
    if (!may_bind_()) return;
    std::map<std::string, std::string> node_of;
    std::vector<std::pair<std::string, std::set<model::PodKey>>> ready;
    std::vector<std::string> left;
    for (const auto& [claim, pods] : planned_.by_claim()) {
        if (!binder_.can_bind(claim)) continue;
        const std::string& node =
            services_.cluster.node_of(services_.cluster.find_claim(claim)->claim)->node.meta.name;
        const bool is_overdue = binding_windows_.is_overdue(claim, services_.loop.now());
        for (const auto& [key, uid] : pods) {
            const model::PodState* pod = services_.cluster.find_pod(key);
            if (pod == nullptr || !act::is_bindable(*pod) || !act::looks_beyond_its_node(*pod) ||
                binder_.has_sent(uid))
                continue;
            // What they wait for does not come: the scheduler may find another way.
            if (is_overdue) left.push_back(uid);
            if (is_overdue) continue;
            node_of.emplace(uid, node);
            if (ready.empty() || ready.back().first != claim) ready.push_back({claim, {}});
            ready.back().second.insert(key);
        }
    }
    for (const std::string& uid : left) binder_.leave(uid);
    if (node_of.empty()) return;
    const std::set<std::string> agreed = plan::may_be_bound(snapshot_without(node_of), node_of);
    std::set<std::string> refused;
    for (const auto& [uid, node] : node_of) {
        if (!agreed.contains(uid)) refused.insert(uid);
    }
    for (auto& [claim, pods] : ready) {
        std::erase_if(pods, [&](const model::PodKey& key) {
            const model::PodState* pod = services_.cluster.find_pod(key);
            return pod == nullptr || !agreed.contains(pod->id.uid());
        });
        binder_.bind(claim, pods);
    }
    give_up(refused);
}

void Bindings::give_up(const std::set<std::string>& refused) {
    const WallTime now = services_.loop.now();
    std::erase_if(refused_since_, [&](const auto& item) { return !refused.contains(item.first); });
    bool some_given_up = false;
    for (const std::string& uid : refused) {
        if (now - refused_since_.try_emplace(uid, now).first->second < kPatience) continue;
        refused_since_.erase(uid);
        services_.reconcile_claim(planned_.drop(uid));
        some_given_up = true;
    }
    if (some_given_up) plan_again_();
}

// Nothing is to be bought, so no pool matters.
model::Snapshot Bindings::snapshot_without(const std::map<std::string, std::string>& pods) const {
    model::PlannedPods others = planned_.by_uid();
    for (const auto& [uid, node] : pods) others.erase(uid);
    model::SnapshotInputs inputs;
    inputs.types = [this](const api::NodePool& pool) { return services_.offers.instance_types(pool); };
    inputs.is_usable = [](const api::NodePool&) { return false; };
    inputs.well_known = [this](const api::NodeClassReference& node_class) {
        return services_.providers.of(node_class).labels().well_known;
    };
    inputs.planned = &others;
    return model::make_snapshot(services_.cluster, inputs);
}

}  // namespace joiner::control
