// Random small clusters whose pods ask everything of one another that Kubernetes lets them ask, for tests of
// plans; and every machine that one could buy there.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/names.h"
#include "base/rng.h"
#include "model/commitments.h"
#include "model/reservations.h"
#include "plan/plan.h"
#include "plan/verify/checker.h"

namespace joiner::plan::testing {

using rules::Requirement;

inline const std::string kZone(api::kZoneLabel);
inline const std::string kHost(api::kHostnameLabel);
inline const std::string kCapacityType(api::kCapacityTypeLabel);
inline const std::string kRack = "example.com/rack";

struct Size {
    std::uint64_t pods = 0;
    std::uint64_t types = 0;
    std::uint64_t zones = 3;
    std::uint64_t rooms = 3;
    bool has_preferences = true;
    bool has_weights = true;
    bool has_reservations = false;
    bool has_commitments = false;
    bool has_odd_terms = false;  // Node affinity of several operators and terms.
};

class World {
  public:
    World(Rng& rng, const Size& size) : rng_(rng), size_(size) {
        make_types();
        make_commitments();
        make_pools();
        make_daemons();
        make_rooms();
        make_standing();
        make_pods();
    }
    model::Snapshot snapshot;
    rules::Commitments commitments;

  private:
    bool chance(std::uint64_t one_in) { return rng_.below(one_in) == 0; }
    std::string zone() { return std::string(1, static_cast<char>('a' + rng_.below(size_.zones))); }
    std::string app() { return std::string(1, static_cast<char>('p' + rng_.below(4))); }
    std::string ns() { return chance(5) ? "other" : "ns"; }

    void make_types() {
        std::vector<rules::InstanceType> types;
        for (std::uint64_t i = 0; i < size_.types; ++i) {
            rules::InstanceType type;
            type.name = fmt::format("t{}", i);
            const auto cpus = std::int64_t{1} << (1 + rng_.below(4));
            type.capacity.cpu_milli = cpus * 1000;
            type.capacity.memory_bytes = cpus << 32;
            if (size_.has_commitments) type.name = name_by_size(types, cpus);
            type.capacity.pods = 4 + static_cast<std::int64_t>(rng_.below(20));
            std::vector<std::string> zones;
            for (std::uint64_t z = 0; z < size_.zones; ++z) {
                const std::string name(1, static_cast<char>('a' + z));
                if (chance(6)) continue;
                zones.push_back(name);
                for (const char* capacity_type : {"on-demand", "spot"}) {
                    if (*capacity_type == 's' && !chance(3)) continue;
                    rules::Offering offering;
                    offering.requirements.add(Requirement::in(kZone, {name}));
                    offering.requirements.add(Requirement::in(kCapacityType, {capacity_type}));
                    offering.price = rules::Money::from_dollars(
                        0.05 * static_cast<double>(cpus) * (*capacity_type == 's' ? 0.5 : 1.0) *
                        (1 + 0.1 * static_cast<double>(rng_.below(3))));
                    type.offerings.push_back(offering);
                }
                if (!size_.has_reservations || !chance(4)) continue;
                rules::Offering reserved;
                reserved.requirements.add(Requirement::in(kZone, {name}));
                reserved.requirements.add(Requirement::in(kCapacityType, {std::string(api::kReserved)}));
                reserved.price = rules::Money::from_dollars(0.001);
                reserved.reservation_capacity = 1 + static_cast<int>(rng_.below(2));
                type.offerings.push_back(reserved);
            }
            type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {type.name}));
            type.requirements.add(Requirement::in(std::string(api::kOSLabel), {"linux"}));
            type.requirements.add(
                Requirement::in(std::string(api::kArchLabel), {chance(3) ? "arm64" : "amd64"}));
            type.requirements.add(Requirement::in(kZone, zones));
            type.requirements.add(
                Requirement::in(kCapacityType, {"on-demand", std::string(api::kReserved), "spot"}));
            if (chance(3)) type.volume_limits.emplace_back("csi", 1 + static_cast<int>(rng_.below(3)));
            if (!type.offerings.empty()) types.push_back(std::move(type));
        }
        types_ = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    }

    // "t.xlarge", so that sizes of a family can share a reservation; of two alike the second in a family of
    // its own.
    static std::string name_by_size(const std::vector<rules::InstanceType>& types, std::int64_t cpus) {
        const std::string size = cpus == 2   ? "large"
                                 : cpus == 4 ? "xlarge"
                                             : fmt::format("{}xlarge", cpus / 4);
        const bool is_taken = std::any_of(types.begin(), types.end(),
                                          [&](const auto& type) { return type.name == "t." + size; });
        return fmt::format("{}.{}", is_taken ? fmt::format("u{}", types.size()) : "t", size);
    }

    // Of every kind, and seldom of more than a machine or two.
    void make_commitments() {
        if (!size_.has_commitments || types_->empty()) return;
        for (std::uint64_t i = 1 + rng_.below(2); i > 0; --i) {
            const rules::InstanceType& type = (*types_)[rng_.below(types_->size())];
            rules::Commitment one;
            one.name = fmt::format("commitment-{}", i);
            one.kind = static_cast<rules::CommitmentKind>(rng_.below(4));
            const std::int64_t count = chance(4) ? 2 : 1;
            if (one.is_plan()) {
                if (one.kind == rules::CommitmentKind::kFamilyPlan)
                    one.family = type.name.substr(0, type.name.find('.'));
                one.discount = 0.25;
                one.amount = count * 100'000'000 + static_cast<std::int64_t>(rng_.below(100'000'000));
            } else {
                one.instance_type = type.name;
                if (one.kind == rules::CommitmentKind::kZonalReserved) one.zone = zone();
                one.amount = rules::reserved_amount(one.kind, type.name, one.os, count);
            }
            commitments.push_back(std::move(one));
        }
    }

    void add_pool(model::PoolView part) {
        std::vector<std::int64_t> left;
        for (const rules::Commitment& one : commitments) left.push_back(one.amount);
        if (part.is_reservation || commitments.empty()) {
            snapshot.pools.push_back(std::move(part));
            return;
        }
        for (model::PoolView& paid : model::split_by_commitment(std::move(part), commitments, left))
            snapshot.pools.push_back(std::move(paid));
    }

    void make_pools() {
        for (std::uint64_t i = chance(8) ? 0 : 1 + rng_.below(2); i > 0; --i) {
            model::PoolView pool;
            pool.name = fmt::format("pool-{}", i);
            pool.types = types_;
            if (size_.has_weights) pool.weight = static_cast<int>(rng_.below(2)) * 10;
            pool.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {pool.name}));
            if (chance(3)) pool.requirements.add(Requirement::in(kZone, {"a", "b"}));
            if (chance(2))
                pool.requirements.add(Requirement::in(kRack, chance(2)
                                                                 ? std::vector<std::string>{"r1"}
                                                                 : std::vector<std::string>{"r1", "r2"}));
            if (chance(4)) pool.taints.push_back({"dedicated", "x", "NoSchedule", {}});
            if (chance(4)) pool.remaining.emplace_back("nodes", static_cast<std::int64_t>(rng_.below(4)));
            if (chance(4))
                pool.remaining.emplace_back("cpu", static_cast<std::int64_t>(rng_.below(40)) * 1000);
            for (model::PoolView& part : model::split_by_reservation(std::move(pool), {}))
                add_pool(std::move(part));
        }
        std::stable_sort(snapshot.pools.begin(), snapshot.pools.end(),
                         [](const auto& a, const auto& b) { return a.weight > b.weight; });
        snapshot.namespaces["ns"] = {{"team", "red"}};
        snapshot.namespaces["other"] = {{"team", "blue"}};
    }

    // What they ask of other pods is a port at most, and what others ask of them anything.
    void make_daemons() {
        for (std::uint64_t i = chance(2) ? 0 : 1 + rng_.below(2); i > 0; --i) {
            api::Pod pod;
            pod.meta.name = "daemon";
            pod.meta.ns = ns();
            pod.meta.labels = {{"app", "agent"}};
            api::Container& container = pod.spec.containers.emplace_back();
            container.requests["cpu"] = Quantity::of_milli(50 * static_cast<std::int64_t>(rng_.below(12)));
            if (chance(3)) container.ports.push_back({chance(2) ? 80 : 81, "", "TCP"});
            if (chance(2)) {
                switch (rng_.below(3)) {
                    case 0:
                        pod.spec.node_selector[kCapacityType] = "spot";
                        break;
                    case 1:
                        pod.spec.node_selector[kZone] = zone();
                        break;
                    default:
                        pod.spec.node_selector[std::string(api::kArchLabel)] = "arm64";
                }
            }
            if (chance(2)) pod.spec.tolerations.push_back({"dedicated", "Exists", "", ""});
            snapshot.daemons.push_back(
                {fmt::format("{}/daemon-{}", pod.meta.ns, i),
                 std::make_shared<const rules::PodShape>(
                     rules::make_pod_shape(pod, rules::PreferencePolicy::kIgnore)),
                 std::make_shared<const rules::PodLabels>(rules::PodLabels{pod.meta.ns, pod.meta.labels})});
        }
    }

    rules::Requirements node_labels(const std::string& name) {
        rules::Requirements out;
        out.add_labels(
            {{kHost, name}, {std::string(api::kArchLabel), "amd64"}, {kCapacityType, "on-demand"}});
        if (!chance(8)) out.add_labels({{kZone, zone()}});
        if (chance(2)) out.add_labels({{kRack, chance(2) ? "r1" : "r2"}});
        return out;
    }

    void make_rooms() {
        for (std::uint64_t i = rng_.below(size_.rooms + 1); i > 0; --i) {
            model::RoomView room;
            room.name = fmt::format("room-{}", i);
            room.labels = node_labels(room.name);
            room.free.cpu_milli = static_cast<std::int64_t>(rng_.below(5000));
            room.free.memory_bytes = std::int64_t{64} << 30;
            room.free.pods = static_cast<std::int64_t>(rng_.below(8));
            if (chance(5)) room.taints.push_back({"dedicated", "x", "NoSchedule", {}});
            if (chance(4)) room.volumes_left.emplace_back("csi", static_cast<int>(rng_.below(3)));
            snapshot.rooms.push_back(std::move(room));
        }
        if (chance(5)) snapshot.closed_nodes.push_back({"closed", node_labels("closed"), {}});
    }

    api::LabelSelector selector(const std::string& own) {
        api::LabelSelector out;
        if (chance(12)) return out;
        if (chance(6)) {
            out.match_expressions.push_back({"app", "In", {app(), own}, {}});
        } else {
            out.match_labels["app"] = chance(3) ? app() : own;
        }
        return out;
    }

    std::string key() {
        switch (rng_.below(6)) {
            case 0:
            case 1:
                return kHost;
            case 2:
                return chance(2) ? kCapacityType : kRack;
            default:
                return kZone;
        }
    }

    api::PodAffinityTerm term(const std::string& own) {
        api::PodAffinityTerm out;
        out.topology_key = key();
        out.selector = selector(own);
        if (chance(6)) out.namespaces = {"ns", "other"};
        if (chance(10)) out.namespace_selector = api::LabelSelector{{{"team", "blue"}}, {}};
        if (chance(10)) out.match_label_keys = {"version"};
        if (chance(14)) out.mismatch_label_keys = {"version"};
        return out;
    }

    // Beside the pods of daemons, or away from them.
    api::PodAffinityTerm term_of_daemons() {
        api::PodAffinityTerm out;
        out.topology_key = kHost;
        out.selector = api::LabelSelector{{{"app", "agent"}}, {}};
        out.namespaces = {"ns", "other"};
        return out;
    }

    api::NodeSelectorTerm odd_term() {
        api::NodeSelectorTerm out;
        switch (rng_.below(8)) {
            case 0:
                break;  // It matches no node.
            case 1:
                out.match_expressions.push_back({kZone, "NotIn", {zone()}, {}});
                break;
            case 2:
                out.match_expressions.push_back({kRack, chance(2) ? "Exists" : "DoesNotExist", {}, {}});
                break;
            case 3:
                out.match_expressions.push_back({kRack, "NotIn", {"r1"}, {}});
                if (chance(2)) out.match_expressions.push_back({kRack, "Exists", {}, {}});
                break;
            case 4:
                out.match_expressions.push_back({std::string(api::kNodePoolLabel), "NotIn", {"pool-1"}, {}});
                break;
            case 5:
                out.match_expressions.push_back({kHost, "NotIn", {"room-1"}, {}});
                break;
            case 6:
                out.match_expressions.push_back({"example.com/nowhere", "DoesNotExist", {}, {}});
                break;
            default:
                out.match_expressions.push_back({std::string(api::kArchLabel), "In", {"arm64"}, {}});
        }
        return out;
    }

    api::Pod pod_of(const std::string& name) {
        api::Pod pod;
        pod.meta.name = name;
        pod.meta.ns = ns();
        const std::string own = app();
        pod.meta.labels = {{"app", own}};
        if (chance(3)) pod.meta.labels["version"] = chance(2) ? "1" : "2";
        api::Container& container = pod.spec.containers.emplace_back();
        container.requests["cpu"] = Quantity::of_milli(100 + 250 * static_cast<std::int64_t>(rng_.below(8)));
        container.requests["memory"] = Quantity::of_units(64 << 20);
        if (chance(4)) pod.spec.node_selector[kZone] = zone();
        if (chance(6)) {
            pod.spec.has_required_node_terms = true;
            pod.spec.required_node_terms.push_back({{{kZone, "In", {zone()}, {}}}, {}});
            pod.spec.required_node_terms.push_back(
                {{{kCapacityType, chance(2) ? "In" : "NotIn", {"spot"}, {}}}, {}});
        }
        if (size_.has_odd_terms && chance(3)) {
            pod.spec.has_required_node_terms = true;
            for (std::uint64_t i = 1 + rng_.below(2); i > 0; --i)
                pod.spec.required_node_terms.push_back(odd_term());
        }
        if (chance(3)) pod.spec.tolerations.push_back({"dedicated", "Exists", "", ""});
        if (chance(6)) pod.spec.priority = 100;
        if (chance(12))
            (chance(2) ? pod.spec.required_pod_affinity : pod.spec.required_pod_anti_affinity)
                .push_back(term_of_daemons());
        switch (rng_.below(9)) {
            case 0:
                pod.spec.required_pod_affinity.push_back(term(own));
                if (chance(5)) pod.spec.required_pod_affinity.push_back(term(own));
                break;
            case 1:
            case 2:
                pod.spec.required_pod_anti_affinity.push_back(term(own));
                break;
            case 3:
            case 4:
                for (std::uint64_t i = 1 + rng_.below(2); i > 0; --i) {
                    api::TopologySpreadConstraint spread;
                    spread.topology_key = key();
                    spread.max_skew = 1 + static_cast<int>(rng_.below(2));
                    spread.when_unsatisfiable = chance(4) ? "ScheduleAnyway" : "DoNotSchedule";
                    spread.selector = selector(own);
                    if (chance(6)) spread.min_domains = 2;
                    if (chance(6)) spread.node_affinity_policy = "Ignore";
                    if (chance(6)) spread.node_taints_policy = "Honor";
                    if (chance(8)) spread.match_label_keys = {"version"};
                    pod.spec.topology_spread.push_back(spread);
                }
                break;
            case 5:
                container.ports.push_back(
                    {chance(2) ? 80 : 81, chance(3) ? "10.0.0.1" : "", chance(4) ? "UDP" : "TCP"});
                break;
            case 6:
                (chance(2) ? pod.spec.preferred_pod_affinity : pod.spec.preferred_pod_anti_affinity)
                    .push_back({10, term(own)});
                break;
            default:
                break;
        }
        return pod;
    }

    std::shared_ptr<const rules::PodShape> shape_of(const api::Pod& pod) {
        rules::PodShape shape =
            rules::make_pod_shape(pod, size_.has_preferences ? rules::PreferencePolicy::kRespect
                                                             : rules::PreferencePolicy::kIgnore);
        // One of its own, or one that several pods share.
        if (chance(10)) {
            rules::PodVolumes volumes;
            if (chance(3)) {
                const std::string id = fmt::format("ns/data-{}", rng_.below(2));
                volumes.shared.emplace_back("csi", id);
                if (chance(2)) volumes.together.push_back({id, kZone});
            } else {
                volumes.by_driver.emplace_back("csi", 1);
            }
            shape = rules::with_volumes(std::move(shape), std::move(volumes));
        } else if (chance(10)) {
            rules::Requirements there;
            there.add(Requirement::in(kZone, {zone()}));
            rules::Requirements or_there;
            or_there.add(Requirement::in(kZone, {zone()}));
            shape = rules::with_volumes(std::move(shape), {{there, or_there}, {{"csi", 1}}, {}, {}, ""});
        }
        auto& known = shapes_[shape.key];
        if (known == nullptr) known = std::make_shared<const rules::PodShape>(std::move(shape));
        return known;
    }

    void make_standing() {
        const std::size_t places = snapshot.rooms.size() + snapshot.closed_nodes.size();
        for (std::uint64_t i = places == 0 ? 0 : rng_.below(5); i > 0; --i) {
            const api::Pod pod = pod_of("standing");
            model::StandingPods standing;
            standing.labels =
                std::make_shared<const rules::PodLabels>(rules::PodLabels{pod.meta.ns, pod.meta.labels});
            if (auto shape = shape_of(pod); shape->constraints.binds_others()) standing.shape = shape;
            standing.is_going = chance(6);
            standing.places.emplace_back(static_cast<model::PlaceIndex>(rng_.below(places)),
                                         standing.shape ? 1 : 1 + static_cast<std::uint32_t>(rng_.below(3)));
            snapshot.standing.push_back(std::move(standing));
        }
    }

    void make_pods() {
        while (snapshot.pods.size() < size_.pods) {
            const api::Pod pod = pod_of("pod");
            const auto shape = shape_of(pod);
            const auto labels =
                std::make_shared<const rules::PodLabels>(rules::PodLabels{pod.meta.ns, pod.meta.labels});
            for (std::uint64_t n = 1 + rng_.below(size_.pods > 6 ? 12 : 3);
                 n > 0 && snapshot.pods.size() < size_.pods; --n) {
                const std::string name = fmt::format("p{}", snapshot.pods.size());
                snapshot.pods.push_back({{pod.meta.ns, name, name}, shape, kNoTime, labels});
            }
        }
    }

    Rng& rng_;
    Size size_;
    std::shared_ptr<const std::vector<rules::InstanceType>> types_;
    std::map<std::string, std::shared_ptr<const rules::PodShape>> shapes_;
};

inline std::string describe(const model::Snapshot& snapshot, const Plan& plan) {
    std::string out;
    for (const model::RoomView& room : snapshot.rooms) {
        out += fmt::format("room {} [{}] cpu {} pods {} taints {}\n", room.name, room.labels.to_string(),
                           room.free.cpu_milli, room.free.pods, room.taints.size());
    }
    for (const model::PoolView& pool : snapshot.pools) {
        out += fmt::format("pool {} [{}] taints {}", pool.name, pool.requirements.to_string(),
                           pool.taints.size());
        for (const auto& [name, left] : pool.remaining) out += fmt::format(" {} {}", name, left);
        out += "\n";
    }
    for (const model::StandingPods& s : snapshot.standing) {
        out += fmt::format("standing {} {} at {} x{}{}{}\n", s.labels->ns, s.labels->labels.at("app"),
                           s.places[0].first, s.places[0].second, s.is_going ? " going" : "",
                           s.shape ? s.shape->constraints.key : "");
    }
    for (const model::PodView& pod : snapshot.pods) {
        out += fmt::format("pod {} {} app {} cpu {} [", pod.id.ns(), pod.id.name(),
                           pod.labels->labels.at("app"), pod.shape->requests.cpu_milli);
        for (const auto& one : pod.shape->required) out += "{" + one.to_string() + "}";
        out += fmt::format("] tolerates {} {}\n", pod.shape->tolerations.size(), pod.shape->constraints.key);
    }
    for (const Placement& p : plan.placements)
        out += fmt::format("{} -> {}\n", snapshot.pods[p.pod].id.name(), snapshot.rooms[p.room].name);
    for (const Launch& launch : plan.launches) {
        out += fmt::format("new {} {} {} [{}]:", launch.spec->types.front(), launch.spec->zone,
                           launch.spec->capacity_type, launch.spec->requirements.to_string());
        for (const model::PodIndex pod : launch.pods) out += " " + snapshot.pods[pod].id.name();
        out += "\n";
    }
    for (const Wait& wait : plan.waits)
        out += fmt::format("{} waits: {}\n", snapshot.pods[wait.pod].id.name(), wait.reason);
    return out;
}

inline std::string words(const model::Snapshot& snapshot, const std::vector<Violation>& found) {
    std::string out;
    for (const Violation& one : found)
        out += fmt::format("{}: {}\n", snapshot.pods[one.pod].id.name(), one.what);
    return out;
}

// Every machine one could buy, with the racks spelled out.
inline std::vector<std::shared_ptr<const MachineSpec>> all_machines(const model::Snapshot& snapshot) {
    std::vector<std::shared_ptr<const MachineSpec>> out;
    for (model::PoolIndex p = 0; p < snapshot.pools.size(); ++p) {
        const model::PoolView& pool = snapshot.pools[p];
        for (const rules::InstanceType& type : *pool.types) {
            for (const rules::Offering& offering : type.offerings) {
                std::vector<std::string> racks{""};
                if (const Requirement* rack = pool.requirements.find(kRack)) racks = rack->values();
                const Requirement* zones = pool.requirements.find(kZone);
                if (zones != nullptr && !zones->allows(offering.zone())) continue;
                for (const std::string& rack : racks) {
                    MachineSpec spec;
                    spec.pool = p;
                    spec.types = {type.name};
                    spec.zone = offering.zone();
                    spec.capacity_type = offering.capacity_type();
                    spec.price = offering.price;
                    spec.requirements = pool.requirements;
                    if (!rack.empty()) spec.requirements.add(Requirement::in(kRack, {rack}));
                    out.push_back(std::make_shared<const MachineSpec>(std::move(spec)));
                }
            }
        }
    }
    return out;
}

}  // namespace joiner::plan::testing
