#include "cli/plan/stand_ins.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

#include "api/names.h"
#include "cli/grouping.h"
#include "cli/missing_claims.h"
#include "cloud/kwok/type_labels.h"
#include "plan/disrupt/consolidatable.h"

namespace joiner::cli {
namespace {

// Who puts nodes into groups, and by what label; the first that a node has counts.
constexpr std::string_view kGroupLabels[] = {
    api::kNodePoolLabel,  // Of a NodePool that is not there.
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    api::kProvisionerLabel,
    "kops.k8s.io/instancegroup",
};
// Labels of one machine or of its type, which the next one need not have.
constexpr std::string_view kMachineDomains[] = {
    "topology.",           "failure-domain.beta.kubernetes.io/",
    "beta.kubernetes.io/", "karpenter.sh/",
    "karpenter.k8s.aws/",  "karpenter.azure.com/",
    "karpenter.kwok.sh/",
};
constexpr std::string_view kMachineLabels[] = {
    api::kHostnameLabel, api::kArchLabel, api::kOSLabel, api::kInstanceTypeLabel, api::kWindowsBuildLabel,
};
// Taints that come and go with the state of one node.
constexpr std::string_view kPassingTaints[] = {
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
    "karpenter.sh/",
    "joiner.sh/",
    "readiness.k8s.io/",
};

bool starts_with_one_of(std::string_view text, const auto& prefixes) {
    return std::any_of(std::begin(prefixes), std::end(prefixes),
                       [&](std::string_view prefix) { return text.starts_with(prefix); });
}

bool is_of_its_machine(std::string_view label) {
    return starts_with_one_of(label, kMachineDomains) ||
           std::find(std::begin(kMachineLabels), std::end(kMachineLabels), label) != std::end(kMachineLabels);
}

std::vector<api::Taint> lasting_taints(const api::Node& node) {
    std::vector<api::Taint> out = node.taints;
    std::erase_if(out, [](const api::Taint& one) { return starts_with_one_of(one.key, kPassingTaints); });
    std::sort(out.begin(), out.end(), [](const api::Taint& a, const api::Taint& b) {
        return std::tie(a.key, a.effect, a.value) < std::tie(b.key, b.effect, b.value);
    });
    return out;
}

// What the node's type is called where it has no name.
std::string made_up_type(const rules::Resources& capacity) {
    return fmt::format("{}cpu-{}Gi", (capacity.cpu_milli + 999) / 1000,
                       (capacity.memory_bytes + (1 << 30) - 1) >> 30);
}

std::string type_name(const MachineFacts& facts, const rules::Resources& capacity) {
    return facts.type.empty() ? made_up_type(capacity) : facts.type;
}

// Where the node says nothing of its whole size, what pods may use.
rules::Resources capacity_of(const api::Node& node) {
    rules::Resources out = rules::as_capacity(node.capacity);
    const rules::Resources least = rules::as_capacity(node.allocatable);
    out.max_with(least);
    return out;
}

}  // namespace

StandIn::Kind stand_in_kind(const api::Node& node) {
    const api::StringMap& labels = node.meta.labels;
    if (labels.contains("node-role.kubernetes.io/control-plane") ||
        labels.contains("node-role.kubernetes.io/master"))
        return StandIn::Kind::kControlPlane;
    if (api::find_or_empty(labels, "eks.amazonaws.com/compute-type") == "fargate" ||
        api::find_or_empty(labels, "type") == "virtual-kubelet")
        return StandIn::Kind::kVirtual;
    return StandIn::Kind::kGroup;
}

std::string_view group_label(const api::Node& node) {
    for (const std::string_view label : kGroupLabels) {
        const std::string_view its = api::find_or_empty(node.meta.labels, label);
        if (!its.empty()) return its;
    }
    return {};
}

// Of one name: what every node of it holds.
struct StandIns::SeenType {
    std::string cloud;
    std::string arch;
    std::string os;
    rules::Resources capacity;
    rules::Resources allocatable;

    void hold(const rules::Resources& its_capacity, const rules::Resources& its_allocatable) {
        capacity.min_with(its_capacity);
        allocatable.min_with(its_allocatable);
    }
    void put_into(rules::InstanceType& type) const {
        type.capacity = capacity;
        type.overhead = capacity - allocatable;
        type.overhead.floor_at_zero();
    }
};

struct StandIns::Group {
    StandIn::Kind kind = StandIn::Kind::kGroup;
    std::string cloud;
    std::string label;  // The group's own; empty: it has none.
    std::string arch;
    std::string os;
    std::vector<api::Taint> taints;
    std::string others;  // Of a group without a label: the nodes' other labels, as text.
    std::vector<const api::Node*> nodes;
    std::vector<MachineFacts> facts;  // Of each.
};

StandIns::StandIns(model::Cluster& cluster, Machines& machines) : cluster_(cluster) {
    std::map<std::string, Group> groups;
    SeenTypes seen;
    for (const auto& [name, state] : cluster.nodes()) {
        if (!is_foreign(state)) continue;
        const api::Node& node = state.node;
        MachineFacts facts = machine_facts(node);
        Group group{stand_in_kind(node),  facts.cloud, {}, facts.arch, facts.os,
                    lasting_taints(node), {},          {}, {}};
        group.label = group_label(node);
        if (group.label.empty()) {
            for (const auto& [key, value] : node.meta.labels) {
                if (!is_of_its_machine(key)) group.others += key + "=" + value + " ";
            }
        }
        if (group.kind == StandIn::Kind::kControlPlane) group.label = "control-plane";
        if (group.kind == StandIn::Kind::kVirtual) group.label = "virtual";
        std::string key = fmt::format("{} {} {} {} {} {}", static_cast<int>(group.kind), group.label,
                                      group.cloud, group.arch, group.os, group.others);
        for (const api::Taint& taint : group.taints)
            key += fmt::format(" {}={}:{}", taint.key, taint.value, taint.effect);
        Group& its = groups.try_emplace(key, std::move(group)).first->second;
        its.nodes.push_back(&node);
        const rules::Resources capacity = capacity_of(node);
        const auto [type, is_new] =
            seen.try_emplace(type_name(facts, capacity),
                             SeenType{facts.cloud, facts.arch, facts.os, capacity, state.allocatable});
        if (!is_new) type->second.hold(capacity, state.allocatable);
        its.facts.push_back(std::move(facts));
    }
    for (const auto& [key, group] : groups) add_pool(group, seen, machines);
    warn_of_unpriced();
}

bool StandIns::is_foreign(const model::NodeState& state) const {
    const auto is_known = [&](const api::StringMap& labels) {
        return cluster_.find_pool(api::find_or_empty(labels, api::kNodePoolLabel)) != nullptr;
    };
    if (is_known(state.node.meta.labels)) return false;
    const model::ClaimState* claim = cluster_.claim_of(state.node);
    return claim == nullptr || !is_known(claim->claim.meta.labels);
}

// Its own, or what its nodes are; made another where a NodePool or another group has it.
std::string StandIns::name_for(const Group& group) const {
    const std::string plain = group.label.empty() ? fmt::format("{}-{}", group.os, group.arch) : group.label;
    std::string out = plain;
    if (cluster_.find_pool(out) != nullptr && !group.label.empty())
        out = fmt::format("{}-{}", plain, group.arch);
    for (int i = 2; cluster_.find_pool(out) != nullptr; ++i) out = fmt::format("{}-{}", plain, i);
    return out;
}

void StandIns::add_pool(const Group& group, const SeenTypes& all_seen, Machines& machines) {
    api::NodePool pool;
    pool.meta.name = name_for(group);
    pool.budgets.front().nodes = "100%";
    pool.node_template.taints = group.taints;
    Zones zones;
    Zones regions;
    std::set<std::string> capacity_types;
    std::set<std::string, std::less<>> own_types;
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        const MachineFacts& facts = group.facts[i];
        zones.insert(facts.zone.empty() ? std::string(kUnknownZone) : facts.zone);
        regions.insert(facts.region);
        capacity_types.insert(facts.capacity_type);
        own_types.insert(type_name(facts, capacity_of(*group.nodes[i])));
    }
    api::StringMap shared = group.nodes.front()->meta.labels;
    for (const api::Node* node : group.nodes) {
        std::erase_if(shared, [&](const auto& label) {
            const auto it = node->meta.labels.find(label.first);
            return is_of_its_machine(label.first) || it == node->meta.labels.end() ||
                   it->second != label.second;
        });
    }
    pool.node_template.labels = std::move(shared);
    const auto require = [&](std::string_view key, std::vector<std::string> values) {
        pool.node_template.requirements.push_back({std::string(key), "In", std::move(values), {}});
    };
    require(api::kArchLabel, {group.arch});
    require(api::kOSLabel, {group.os});
    require(api::kZoneLabel, {zones.begin(), zones.end()});
    require(api::kCapacityTypeLabel, {capacity_types.begin(), capacity_types.end()});

    const bool has_burstable = std::any_of(own_types.begin(), own_types.end(), [&](const std::string& type) {
        return is_burstable(group.cloud, type);
    });
    // What is for sale and suits the group; what its nodes show of a type they have stands before what the
    // catalogue says of it.
    auto types = std::make_shared<std::vector<rules::InstanceType>>();
    const ForSale sold = machines.for_sale(group.cloud, *regions.begin(), zones);
    const auto suits = [&](const rules::InstanceType& type) {
        const auto allows = [&](std::string_view key, const std::string& value) {
            const rules::Requirement* one = type.requirements.find(key);
            return one == nullptr || one->allows(value);
        };
        return (has_burstable || !is_burstable(group.cloud, type.name)) &&
               allows(api::kArchLabel, group.arch) && allows(api::kOSLabel, group.os) &&
               std::any_of(type.offerings.begin(), type.offerings.end(), [&](const rules::Offering& one) {
                   return one.available && zones.contains(one.zone()) &&
                          capacity_types.contains(std::string(one.capacity_type()));
               });
    };
    std::set<std::string, std::less<>> known;
    if (group.kind != StandIn::Kind::kVirtual) {
        for (const rules::InstanceType& type : *sold.types) {
            if (!suits(type)) continue;
            types->push_back(type);
            known.insert(type.name);
            const auto seen = all_seen.find(type.name);
            if (seen != all_seen.end() && seen->second.cloud == group.cloud)
                seen->second.put_into(types->back());
        }
    }
    const bool has_catalogue = !types->empty();
    auto with_seen = std::make_shared<std::vector<rules::InstanceType>>(*types);
    if (group.kind != StandIn::Kind::kVirtual) {
        for (const auto& [name, seen] : all_seen) {
            if (known.contains(name) || seen.cloud != group.cloud || seen.arch != group.arch ||
                seen.os != group.os || (has_catalogue && !own_types.contains(name)))
                continue;
            rules::InstanceType type;
            type.name = name;
            seen.put_into(type);
            for (const std::string& zone : zones) {
                for (const std::string& capacity_type : capacity_types) {
                    type.offerings.push_back(cloud::kwok::make_offering(zone, capacity_type, 0));
                    const SeenPrice price =
                        seen_price(group.cloud, *regions.begin(), name, seen.capacity, capacity_type);
                    type.offerings.back().price = price.price;
                    if (!price.is_estimate) known.insert(name);
                }
            }
            cloud::kwok::add_type_labels(type, group.arch, {group.os});
            with_seen->push_back(type);
            for (rules::Offering& one : type.offerings) one.available = !has_catalogue;
            types->push_back(std::move(type));
        }
    }
    if (has_catalogue && !sold.remark.empty() &&
        std::find(warnings_.begin(), warnings_.end(), sold.remark) == warnings_.end())
        warnings_.push_back(sold.remark);

    StandIn& out = pools_[pool.meta.name];
    out.kind = group.kind;
    out.cloud = group.cloud;
    out.types = std::move(types);
    out.types_and_seen = std::move(with_seen);
    std::vector<std::pair<api::Node, bool>> changed;
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        api::Node node = *group.nodes[i];
        const MachineFacts& facts = group.facts[i];
        out.nodes.push_back(node.meta.name);
        const std::string type = type_name(facts, capacity_of(node));
        if (!known.contains(type)) unpriced_.insert(node.meta.name);
        const auto label = [&](std::string_view key, std::string_view value) {
            if (!api::find_or_empty(node.meta.labels, key).empty()) return;
            node.meta.labels[std::string(key)] = value;
            added_labels_[node.meta.name].emplace_back(key);
        };
        label(api::kInstanceTypeLabel, type);
        label(api::kZoneLabel, facts.zone.empty() ? kUnknownZone : std::string_view(facts.zone));
        label(api::kCapacityTypeLabel, facts.capacity_type);
        label(api::kInitializedLabel, "true");
        if (group.kind == StandIn::Kind::kVirtual) node.unschedulable = true;
        if (node.provider_id.empty()) node.provider_id = "written://" + node.meta.name;
        const api::Condition* ready = api::find_condition(node.conditions, "Ready");
        changed.emplace_back(std::move(node), ready == nullptr || ready->status == "True");
    }
    for (auto& [node, is_up] : changed) {
        add_claim(node, pool, is_up);
        cluster_.upsert(std::move(node));
    }
    cluster_.upsert(std::move(pool));
}

// Only the claim says of which pool the node is: pods may ask that their node be of none.
void StandIns::add_claim(const api::Node& node, const api::NodePool& pool, bool is_up) {
    if (cluster_.claim_of(node) != nullptr || cluster_.find_claim(node.meta.name) != nullptr) return;
    api::NodeClaim claim = claim_for(node, pool);
    claim.meta.labels[std::string(api::kNodePoolLabel)] = pool.meta.name;
    if (!is_up) {
        for (api::Condition& one : claim.conditions) {
            if (one.type == "Initialized") one.status = "False";
        }
    }
    cluster_.upsert(std::move(claim));
}

const StandIn* StandIns::find(std::string_view pool) const {
    const auto it = pools_.find(pool);
    return it == pools_.end() ? nullptr : &it->second;
}

bool StandIns::sells(std::string_view pool) const {
    const StandIn* one = find(pool);
    return one != nullptr && one->kind == StandIn::Kind::kGroup;
}

void StandIns::correct(model::Snapshot& snapshot) const {
    const auto put_right = [&](const std::string& node, rules::Requirements& labels) {
        const auto added = added_labels_.find(node);
        if (added == added_labels_.end()) return;
        for (const std::string& key : added->second) labels.remove(key);
    };
    for (model::RoomView& room : snapshot.rooms) {
        if (!room.is_claim) put_right(room.name, room.labels);
    }
    for (model::ClosedNode& node : snapshot.closed_nodes) put_right(node.name, node.labels);
}

void StandIns::warn_of_unpriced() {
    std::map<std::string, std::vector<std::string>> by_type;
    std::vector<std::string> virtuals;
    for (const std::string& name : unpriced_) {
        const model::NodeState* state = cluster_.find_node(name);
        const model::ClaimState* claim = cluster_.claim_of(state->node);
        const StandIn* pool = claim == nullptr
                                  ? nullptr
                                  : find(api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel));
        if (pool != nullptr && pool->kind == StandIn::Kind::kVirtual) {
            virtuals.push_back(name);
        } else {
            by_type[std::string(api::find_or_empty(state->node.meta.labels, api::kInstanceTypeLabel))]
                .push_back(name);
        }
    }
    if (!by_type.empty()) {
        std::vector<std::string> types;
        std::size_t nodes = 0;
        for (const auto& [type, names] : by_type) {
            types.push_back(type);
            nodes += names.size();
        }
        warnings_.push_back(fmt::format(
            "no catalogue here has the {} of {}; {} priced by cores and memory, devices of no known cloud at "
            "nothing (--instance-types reads types and prices)",
            fmt::format("{} {}", types.size() == 1 ? "type" : "types", some_of(types)),
            count_of(nodes, "node"), nodes == 1 ? "it is" : "they are"));
    }
    if (!virtuals.empty())
        warnings_.push_back(
            fmt::format("{} no machine of {} own and {} at no price: {}",
                        virtuals.size() == 1 ? "1 node is" : fmt::format("{} nodes are", virtuals.size()),
                        virtuals.size() == 1 ? "its" : "their", virtuals.size() == 1 ? "counts" : "count",
                        some_of(virtuals, 2)));
}

plan::Reasons obstacles_without_pool(const StandIn& stand_in, const PodNotes& notes,
                                     const model::NodeState& node) {
    plan::Reasons out;
    if (stand_in.kind == StandIn::Kind::kControlPlane) out.push_back({.rule = plan::Rule::kControlPlane});
    if (stand_in.kind == StandIn::Kind::kVirtual)
        out.push_back({.rule = plan::Rule::kVirtualNode,
                       .detail = "it is paid by what its pods ask for, and not by the hour"});
    for (const auto& [key, pod] : node.pods) {
        if (out.size() >= plan::kMostKeepers) break;
        if (!pod->is_active() || !pod->is_reschedulable()) continue;
        if (notes.not_safe_to_evict.contains(key))
            out.push_back({.rule = plan::Rule::kPodAnnotated,
                           .object = "pod " + key,
                           .detail = "cluster-autoscaler.kubernetes.io/safe-to-evict=false"});
        if (notes.bare.contains(key)) out.push_back({.rule = plan::Rule::kBarePod, .object = "pod " + key});
    }
    return out;
}

plan::Reasons local_volumes(const model::Cluster& cluster, const model::NodeState& node) {
    plan::Reasons out;
    for (const auto& [key, pod] : node.pods) {
        if (out.size() >= plan::kMostKeepers) break;
        if (pod->volumes == nullptr || !pod->is_active() || !pod->is_reschedulable()) continue;
        for (const model::VolumeUse& use : *pod->volumes) {
            const auto claim = cluster.volume_claims().find(pod->id.ns() + "/" + use.claim);
            if (claim == cluster.volume_claims().end()) continue;
            const auto volume = cluster.volumes().find(claim->second.object.volume_name);
            if (volume == cluster.volumes().end() || !volume->second.object.is_local_or_host_path ||
                volume->second.object.node_terms.empty())
                continue;
            out.push_back({.rule = plan::Rule::kLocalVolume,
                           .object = "pod " + key,
                           .detail = volume->second.object.meta.name});
            break;
        }
    }
    return out;
}

}  // namespace joiner::cli
