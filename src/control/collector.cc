#include "control/collector.h"

#include <nlohmann/json.hpp>
#include <set>

#include "act/object_writer.h"
#include "cloud/launch_group.h"
#include "observe/log.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

constexpr Duration kPeriod = std::chrono::minutes{2};
constexpr Duration kStrayPatience = std::chrono::seconds{30};

}  // namespace

void Collector::start() {
    for (cloud::Provider* provider : services_.providers.all()) reconcile(*provider);
}

// Each cloud for itself: one that cannot list makes nothing look gone, and holds up no other.
void Collector::reconcile(cloud::Provider& provider) {
    provider.list([this, &provider](Result<std::vector<cloud::Instance>> instances) {
        if (instances) {
            relabel(provider, *instances);
            compare(provider, *instances);
        } else {
            services_.notices.failed("list instances of " + std::string(provider.name()), instances.error());
        }
        // A stray is reconciled again soon, the rest in its time.
        services_.loop.after(strays_[&provider].empty() ? kPeriod : kStrayPatience,
                             [this, &provider] { reconcile(provider); });
    });
}

// What is not written is found again in the next pass.
void Collector::relabel(const cloud::Provider& provider, const std::vector<cloud::Instance>& instances) {
    std::map<std::string_view, const cloud::Instance*> by_id;
    for (const cloud::Instance& instance : instances) {
        if (!instance.is_terminating) by_id[instance.provider_id] = &instance;
    }
    for (const auto& [name, state] : services_.cluster.our_claims()) {
        const api::NodeClaim& claim = state.claim;
        if (&services_.providers.of(claim.node_class) != &provider || claim.meta.deleted ||
            !rules::is_true(claim.conditions, "Registered"))
            continue;
        const auto found = by_id.find(claim.provider_id);
        if (found == by_id.end()) continue;
        const cloud::Instance& instance = *found->second;
        patch_labels(kube::kNodeClaims, name,
                     plan::lost_reservation(claim.meta.labels, instance.labels, instance.absent_labels));
        if (const model::NodeState* node = services_.cluster.node_of(claim))
            patch_labels(
                kube::kNodes, node->node.meta.name,
                plan::lost_reservation(node->node.meta.labels, instance.labels, instance.absent_labels));
    }
}

void Collector::patch_labels(const kube::Resource& resource, const std::string& name,
                             const plan::LabelChanges& changes) {
    if (changes.empty()) return;
    observe::log_info("collector", "labelling as on demand what has left its capacity reservation",
                      {{"kind", std::string(resource.plural)}, {"name", name}});
    nlohmann::json labels = nlohmann::json::object();
    for (const auto& [key, value] : changes) labels[key] = value ? nlohmann::json(*value) : nlohmann::json();
    services_.client.patch(
        resource, "", name, "", kube::PatchType::kMerge, act::dump({{"metadata", {{"labels", labels}}}}),
        [this, name](const Result<std::string>& written) {
            if (!written && written.error().kind != ErrorKind::kNotFound)
                services_.notices.failed("label " + name + " as on demand", written.error());
        });
}

void Collector::compare(cloud::Provider& provider, const std::vector<cloud::Instance>& instances) {
    const WallTime now = services_.loop.now();
    std::set<std::string_view> running;
    for (const cloud::Instance& instance : instances) {
        if (!instance.is_terminating) running.insert(instance.provider_id);
    }
    std::set<std::string_view> spoken_for;  // Provider ids.
    // Claims that may have an instance they do not know of yet, and the launch groups they are in.
    std::set<std::string_view> launching;
    std::set<std::string> launching_groups;
    std::vector<std::string> without_instance;
    for (const auto& [name, state] : services_.cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        spoken_for.insert(claim.provider_id);
        if (claim.provider_id.empty()) {
            launching.insert(name);
            if (const auto group = cloud::launch_group_of(claim)) launching_groups.insert(group->id);
        }
        if (&services_.providers.of(claim.node_class) != &provider || claim.meta.deleted) continue;
        if (!rules::is_true(claim.conditions, "Registered") || running.contains(claim.provider_id)) continue;
        const model::NodeState* node = services_.cluster.node_of(claim);
        if (node != nullptr && plan::is_ready(node->node)) continue;
        without_instance.push_back(name);
    }
    for (const std::string& name : without_instance) delete_claim_(name, "garbage_collected");
    const std::map<std::string, WallTime> known = std::move(strays_[&provider]);
    std::map<std::string, WallTime> strays;
    for (const cloud::Instance& instance : instances) {
        if (instance.is_terminating || launching_groups.contains(instance.launch_group) ||
            spoken_for.contains(instance.provider_id) || launching.contains(instance.claim_name))
            continue;
        const auto before = known.find(instance.provider_id);
        const WallTime since = before == known.end() ? now : before->second;
        if (now - since < kStrayPatience) {
            strays.emplace(instance.provider_id, since);
            continue;
        }
        observe::log_info("collector", "removing an instance that no NodeClaim speaks for",
                          {{"instance", instance.provider_id}});
        provider.remove(instance.provider_id, [this, id = instance.provider_id](Status status) {
            if (!status && status.error().kind != ErrorKind::kNotFound)
                services_.notices.failed("remove instance " + id, status.error());
        });
    }
    strays_[&provider] = std::move(strays);
}

}  // namespace joiner::control
