#include "plan/provision/daemons.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/daemon.h"
#include "rules/new_node.h"

namespace joiner::plan {
namespace {

bool has_common(const DaemonList& a, const DaemonList& b) {
    return std::any_of(a.begin(), a.end(),
                       [&](DaemonIndex one) { return std::binary_search(b.begin(), b.end(), one); });
}

}  // namespace

bool DaemonRules::allow(const DaemonList& there) const {
    return !has_common(unwanted, there) &&
           std::all_of(wanted.begin(), wanted.end(),
                       [&](const DaemonList& some) { return has_common(some, there); });
}

Daemons::Daemons(const model::Snapshot& snapshot, const Topology& topology)
    : snapshot_(&snapshot), topology_(&topology) {
    std::set<std::string> keys;
    for (const model::DaemonView& daemon : snapshot.daemons) {
        for (const rules::Requirements& wanted : daemon.shape->required) {
            for (const rules::Requirement& one : wanted) keys.insert(one.key());
        }
        counts_.push_back(topology.counts_of(daemon.shape.get(), topology.profile_of(daemon.labels.get())));
    }
    keys_.assign(keys.begin(), keys.end());
}

DaemonList Daemons::on(const model::PoolView& pool, const rules::InstanceType& type,
                       const rules::Offering& offering) const {
    // Only what some daemon asks about need be known of the node.
    rules::Requirements node;
    for (const std::string& key : keys_) {
        for (const rules::Requirements* source :
             {&pool.requirements,
              offering.requirements.has(key) ? &offering.requirements : &type.requirements}) {
            if (const rules::Requirement* known = source->find(key)) node.add(*known);
        }
    }
    node = rules::labels_of_new_node(node);
    DaemonList out;
    for (DaemonIndex i = 0; i < snapshot_->daemons.size(); ++i) {
        if (rules::daemon_lands(*snapshot_->daemons[i].shape, node, pool.taints, &pool.well_known))
            out.push_back(i);
    }
    return out;
}

rules::Resources Daemons::sum_of(const DaemonList& daemons) const {
    rules::Resources sum;
    for (const DaemonIndex i : daemons) sum += snapshot_->daemons[i].shape->requests;
    return sum;
}

bool Daemons::is_counted_by(DaemonIndex daemon, CounterId counter) const {
    return std::binary_search(counts_[daemon].begin(), counts_[daemon].end(), counter);
}

int Daemons::clashing_port(const PodRules& rules, DaemonIndex daemon) const {
    for (const rules::HostPort& theirs : snapshot_->daemons[daemon].shape->constraints.ports) {
        for (const std::uint32_t mine : rules.ports) {
            if (topology_->ports_clash(mine, topology_->port_id(theirs))) return theirs.port;
        }
    }
    return 0;
}

bool Daemons::is_unwanted(const PodRules& rules, DaemonIndex daemon) const {
    return clashing_port(rules, daemon) != 0 ||
           std::any_of(rules.none_of.begin(), rules.none_of.end(),
                       [&](CounterId c) { return is_counted_by(daemon, c); });
}

// Wider than one node.
std::set<KeyId> Daemons::keys_kept_clear_of(const PodRules& rules, DaemonIndex daemon) const {
    std::set<KeyId> out;
    for (const CounterId c : rules.none_of) {
        const KeyId key = topology_->counters()[c].key;
        if (key != kHostnameKey && is_counted_by(daemon, c)) out.insert(key);
    }
    return out;
}

DaemonRules Daemons::rules_of(const PodRules& rules, const DaemonList& standing) const {
    DaemonRules out;
    if (rules.empty()) return out;
    std::set<DaemonList> wanted;
    for (const CounterId c : rules.affinity) {
        DaemonList some;
        for (const DaemonIndex i : standing) {
            if (is_counted_by(i, c)) some.push_back(i);
        }
        if (!some.empty()) wanted.insert(std::move(some));
    }
    out.wanted.assign(wanted.begin(), wanted.end());
    for (const DaemonIndex i : standing) {
        if (is_unwanted(rules, i)) out.unwanted.push_back(i);
        for (const KeyId key : keys_kept_clear_of(rules, i)) out.unwanted_around.emplace_back(i, key);
    }
    return out;
}

std::string Daemons::why_not(const PodRules& pods, const DaemonRules& rules, const DaemonList& there) const {
    for (const DaemonIndex i : rules.unwanted) {
        if (!std::binary_search(there.begin(), there.end(), i)) continue;
        const std::string& name = snapshot_->daemons[i].name;
        if (const int port = clashing_port(pods, i); port != 0)
            return fmt::format("host port {} is taken by DaemonSet {} on every node that could hold it", port,
                               name);
        return fmt::format(
            "anti-affinity keeps it apart from the pods of DaemonSet {}, which runs on every node "
            "that could hold it",
            name);
    }
    for (const DaemonList& some : rules.wanted) {
        if (has_common(some, there)) continue;
        return fmt::format(
            "its pod affinity asks for a pod of DaemonSet {}, which runs on no node that could hold "
            "it",
            snapshot_->daemons[some.front()].name);
    }
    return {};
}

}  // namespace joiner::plan
