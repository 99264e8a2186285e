#include "model/make_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "api/names.h"
#include "model/capacity_mix.h"
#include "model/commitments.h"
#include "model/default_spread.h"
#include "model/exclusive_claims.h"
#include "model/headroom.h"
#include "model/hedge.h"
#include "model/reservations.h"
#include "model/volume_places.h"
#include "rules/conditions.h"
#include "rules/daemon.h"
#include "rules/new_node.h"
#include "rules/node_cost.h"
#include "rules/taints.h"

namespace joiner::model {
namespace {

using rules::Requirement;
using rules::Requirements;
using rules::Resources;

bool is_true(const api::StringMap& labels, std::string_view key) {
    return api::find_or_empty(labels, key) == "true";
}

std::string_view pool_of(const api::ObjectMeta& meta) {
    return api::find_or_empty(meta.labels, api::kNodePoolLabel);
}

// The names in the claim's instance-type requirement.
const std::vector<std::string>* listed_types(const api::NodeClaim& claim) {
    for (const api::SelectorRequirement& r : claim.requirements) {
        if (r.key == api::kInstanceTypeLabel && r.op == "In") return &r.values;
    }
    return nullptr;
}

template <typename F>
void for_each_listed_type(const api::NodeClaim& claim, const std::vector<rules::InstanceType>& types, F f) {
    const std::vector<std::string>* names = listed_types(claim);
    for (const rules::InstanceType& type : types) {
        if (names == nullptr || std::find(names->begin(), names->end(), type.name) != names->end()) f(type);
    }
}

class SnapshotMaker {
  public:
    // `gives_back`: claims whose reservations count as free; nullptr: none.
    SnapshotMaker(const Cluster& cluster, const SnapshotInputs& inputs, const ClaimNames* gives_back)
        : cluster_(cluster),
          inputs_(inputs),
          gives_back_(gives_back),
          exclusive_claims_(cluster, inputs.planned) {}

    Snapshot make() {
        out_.types_source = inputs_.types_source;
        add_daemons();
        if (some_have_volumes()) volume_users_ = count_volume_users(cluster_);
        if (!volume_users_.empty()) out_.volume_limits = volume_limits_by_type(cluster_);
        sum_planned();
        add_rooms();
        add_pools();
        add_pods();
        add_standing();
        return std::move(out_);
    }

  private:
    rules::WellKnownLabels well_known_to(const api::NodeClassReference& node_class) const {
        return inputs_.well_known ? inputs_.well_known(node_class) : rules::WellKnownLabels();
    }

    void add_daemons() {
        for (const auto& [name, daemon] : cluster_.daemons()) {
            if (!daemon.meta.deleted) out_.daemons.push_back({name, daemon.shape, daemon.labels});
        }
    }

    bool is_planned(const PodState& pod) const {
        return inputs_.planned != nullptr && inputs_.planned->contains(pod.id.uid());
    }

    // What the pods planned for each claim will take of it, and those nominated to each node.
    void sum_planned() {
        for (const PodKey& key : cluster_.unbound_pods()) {
            const PodState& pod = *cluster_.find_pod(key);
            if (is_planned(pod)) {
                const std::string& claim = inputs_.planned->at(pod.id.uid());
                planned_[claim] += pod.shape->requests;
                if (pod.volumes != nullptr) planned_pods_[claim].push_back(&pod);
            } else if (is_nominated(cluster_, pod)) {
                nominated_[pod.nominated_node] += pod.shape->requests;
            }
        }
    }

    // Among the pods to be placed. Where none has, it does not matter which are attached where.
    bool some_have_volumes() const {
        const auto has = [](const PodState* pod) { return pod->volumes != nullptr; };
        if (inputs_.moving != nullptr)
            return std::any_of(inputs_.moving->begin(), inputs_.moving->end(), has);
        const std::vector<const PodState*> leaving = leaving_pods();
        return std::any_of(leaving.begin(), leaving.end(), has) ||
               std::any_of(cluster_.unbound_pods().begin(), cluster_.unbound_pods().end(),
                           [&](const PodKey& key) { return has(cluster_.find_pod(key)); });
    }

    Resources planned_for(const std::string& claim) const {
        const auto it = planned_.find(claim);
        return it == planned_.end() ? Resources{} : it->second;
    }

    Resources reserved_for(std::string_view name) const {
        if (inputs_.reserved == nullptr) return {};
        const auto it = inputs_.reserved->find(name);
        return it == inputs_.reserved->end() ? Resources{} : it->second;
    }

    bool is_leaving(const ClaimState* claim) const {
        return claim != nullptr && inputs_.leaving != nullptr &&
               inputs_.leaving->contains(claim->claim.meta.name);
    }

    bool is_given_up(const api::NodeClaim& claim) const {
        return (inputs_.given_up != nullptr && inputs_.given_up->contains(claim.meta.name)) ||
               stands_by(cluster_, claim);
    }

    // `undefined`: labels that may still come to be defined; nullptr where all are known.
    Resources expected_daemons(const Requirements& labels, const std::vector<api::Taint>& taints,
                               const rules::WellKnownLabels* undefined) const {
        Resources sum;
        for (const DaemonView& daemon : out_.daemons) {
            if (rules::daemon_lands(*daemon.shape, labels, taints, undefined)) sum += daemon.shape->requests;
        }
        return sum;
    }

    void add_rooms() {
        out_.rooms.reserve(cluster_.nodes().size());
        for (const auto& [name, state] : cluster_.nodes()) add_node(state);
        for (const auto& [name, state] : cluster_.claims()) {
            if (cluster_.node_of(state.claim) == nullptr) add_claim(state.claim);
        }
        const auto before = [](const RoomView& a, const RoomView& b) {
            return std::pair(!a.is_initialized, std::string_view(a.name)) <
                   std::pair(!b.is_initialized, std::string_view(b.name));
        };
        // Mostly they are, and rooms are large to move.
        if (!std::is_sorted(out_.rooms.begin(), out_.rooms.end(), before))
            std::stable_sort(out_.rooms.begin(), out_.rooms.end(), before);
    }

    void add_node(const NodeState& state) {
        const api::Node& node = state.node;
        const ClaimState* claim = cluster_.claim_of(node);
        const bool is_going = node.meta.deleted || (claim != nullptr && claim->claim.meta.deleted) ||
                              (claim != nullptr && is_given_up(claim->claim)) ||
                              rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule);
        const bool is_up = claim == nullptr || is_true(node.meta.labels, api::kInitializedLabel);
        if (is_going || is_leaving(claim) || (inputs_.leaving != nullptr && !is_up)) {
            ClosedNode closed;
            closed.name = node.meta.name;
            closed.labels = state.labels;
            closed.taints = node.taints;
            out_.closed_nodes.push_back(std::move(closed));
            return;
        }
        RoomView room;
        room.name = node.meta.name;
        room.is_initialized = is_up;
        room.is_open = !rules::has_taint(node.taints, api::kBindingTaint, api::kNoSchedule) &&
                       !rules::has_taint(node.taints, api::kUnregisteredTaint, api::kNoExecute);
        room.labels = state.labels;
        if (!room.labels.has(api::kHostnameLabel))
            room.labels.add(Requirement::in(std::string(api::kHostnameLabel), {room.name}));
        if (!is_up) rules::add_labels_once_up(room.labels);
        std::vector<api::Taint> awaited;
        // Nobody is told what the pool of another controller is to declare.
        if (claim != nullptr && claim->is_ours && inputs_.leaving == nullptr && inputs_.moving == nullptr &&
            is_young(claim->claim, inputs_.now))
            awaited = rules::undeclared_taints(node.taints, claim->claim);
        const auto is_in = [](const std::vector<api::Taint>& taints, const api::Taint& taint) {
            return std::any_of(taints.begin(), taints.end(),
                               [&](const api::Taint& one) { return rules::same_taint(one, taint); });
        };
        // A machine that is started anew is back in a moment.
        const bool is_rebooting = claim != nullptr && rules::is_true(claim->claim.conditions, "Rebooting");
        const bool comes_up = is_rebooting || !room.is_initialized;
        for (const api::Taint& taint : node.taints) {
            const bool goes_away =
                is_in(awaited, taint) || (is_rebooting && taint.key == api::kRebootingTaint) ||
                (comes_up && (rules::is_ephemeral_taint(taint) || is_in(claim->claim.startup_taints, taint)));
            if (!goes_away) room.taints.push_back(taint);
        }
        // The taint, where the node controller has not put it yet.
        if (node.unschedulable)
            room.taints.push_back(
                {std::string(api::kUnschedulableTaint), "", std::string(api::kNoSchedule), {}});
        room.free = state.allocatable;
        if (!room.is_initialized) {
            const Resources promised = rules::as_capacity(claim->claim.allocatable);
            fill_missing(room.free, promised);
        }
        Resources daemons = expected_daemons(room.labels, room.taints, nullptr) - state.daemon_used;
        daemons.floor_at_zero();
        room.free -= daemons;
        room.free -= state.used;
        if (const auto nominated = nominated_.find(room.name); nominated != nominated_.end())
            room.free -= nominated->second;
        room.free -= reserved_for(room.name);
        if (claim != nullptr) {
            room.free -= planned_for(claim->claim.meta.name);
            if (claim->claim.meta.name != room.name) room.free -= reserved_for(claim->claim.meta.name);
        }
        add_volumes(state, claim, room);
        out_.rooms.push_back(std::move(room));
    }

    void add_volumes(const NodeState& state, const ClaimState* claim, RoomView& room) {
        if (volume_users_.empty()) return;
        AttachedVolumes there;
        for (const auto& [key, pod] : state.pods) there.add(cluster_, *pod);
        if (claim != nullptr) add_planned_volumes(claim->claim.meta.name, there);
        room.volumes_left = there.left_of(volume_limits_of(state));
        room.shared_volumes = there.shared(volume_users_);
    }

    void add_planned_volumes(const std::string& claim, AttachedVolumes& there) const {
        const auto planned = planned_pods_.find(claim);
        if (planned == planned_pods_.end()) return;
        for (const PodState* pod : planned->second) there.add(cluster_, *pod);
    }

    // As the drivers on the node say; for those that are not on it, as its type says.
    VolumeLimits volume_limits_of(const NodeState& state) {
        const auto known = cluster_.csi_nodes().find(state.node.meta.name);
        const api::CSINode* there = known == cluster_.csi_nodes().end() ? nullptr : &known->second.object;
        VolumeLimits out;
        if (there != nullptr) out.assign(there->volume_limits.begin(), there->volume_limits.end());
        for (const auto& [driver, limit] : limits_of_its_type(state)) {
            if (there == nullptr || !there->topology_keys.contains(driver)) out.emplace_back(driver, limit);
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    const VolumeLimits& limits_of_its_type(const NodeState& state) {
        const std::string_view pool_name = pool_of(state.node.meta);
        const std::string_view type_name =
            api::find_or_empty(state.node.meta.labels, api::kInstanceTypeLabel);
        const auto [it, is_new] = type_limits_.try_emplace({std::string(pool_name), std::string(type_name)});
        if (!is_new) return it->second;
        const PoolState* pool = cluster_.find_pool(pool_name);
        const auto types = pool == nullptr ? nullptr : inputs_.types(pool->pool);
        if (types != nullptr) {
            const auto type = std::find_if(types->begin(), types->end(),
                                           [&](const auto& each) { return each.name == type_name; });
            if (type != types->end()) return it->second = volume_limits_of_type(out_, *type);
        }
        if (const auto seen = out_.volume_limits.find(type_name); seen != out_.volume_limits.end())
            it->second = seen->second;
        return it->second;
    }

    // Whichever of its types the claim becomes.
    VolumeLimits least_volume_limits(const api::NodeClaim& claim, const api::NodePool& pool) const {
        std::map<std::string, int> least;
        const auto types = inputs_.types(pool);
        if (types == nullptr) return {};
        for_each_listed_type(claim, *types, [&](const rules::InstanceType& type) {
            for (const auto& [driver, limit] : volume_limits_of_type(out_, type)) {
                const auto [it, is_new] = least.try_emplace(driver, limit);
                if (!is_new) it->second = std::min(it->second, limit);
            }
        });
        return {least.begin(), least.end()};
    }

    // A fresh node's status may not name everything yet; what the claim promised stands in.
    static void fill_missing(Resources& free, const Resources& promised) {
        if (free.cpu_milli == 0) free.cpu_milli = promised.cpu_milli;
        if (free.memory_bytes == 0) free.memory_bytes = promised.memory_bytes;
        if (free.ephemeral_bytes == 0) free.ephemeral_bytes = promised.ephemeral_bytes;
        if (free.pods == 0) free.pods = promised.pods;
        for (const auto& [name, amount] : promised.extended) {
            if (free.get(name) == 0) free.set(name, amount);
        }
    }

    void add_claim(const api::NodeClaim& claim) {
        if (claim.meta.deleted || inputs_.leaving != nullptr || is_given_up(claim)) return;
        const api::NodePool* pool = nullptr;
        if (const PoolState* state = cluster_.find_pool(pool_of(claim.meta))) pool = &state->pool;
        RoomView room;
        room.name = claim.meta.name;
        room.is_claim = true;
        room.is_open = false;
        room.is_initialized = false;
        room.labels.add_labels(claim.meta.labels);
        for (const api::SelectorRequirement& r : claim.requirements) {
            // A key that may still become one value or another promises nothing.
            auto requirement = Requirement::make(r);
            if (requirement && requirement->is_single()) room.labels.add(std::move(*requirement));
        }
        rules::add_labels_once_up(room.labels);
        room.taints = claim.taints;
        if (!claim.provider_id.empty()) {
            room.free = rules::as_capacity(claim.allocatable);
        } else if (pool != nullptr) {
            room.free = least_allocatable(claim, *pool);
        }
        // Its type may add what a daemon asks for (the operating system, say), so that room is kept too.
        const rules::WellKnownLabels well_known = well_known_to(claim.node_class);
        room.free -= expected_daemons(room.labels, room.taints, &well_known);
        room.free -= planned_for(claim.meta.name);
        room.free -= reserved_for(claim.meta.name);
        if (!volume_users_.empty()) {
            AttachedVolumes there;
            add_planned_volumes(claim.meta.name, there);
            if (pool != nullptr) room.volumes_left = there.left_of(least_volume_limits(claim, *pool));
            room.shared_volumes = there.shared(volume_users_);
        }
        out_.rooms.push_back(std::move(room));
    }

    // What the claim holds whichever of its types it becomes.
    Resources least_allocatable(const api::NodeClaim& claim, const api::NodePool& pool) const {
        const auto types = inputs_.types(pool);
        Resources least;
        bool first = true;
        if (types == nullptr) return least;
        for_each_listed_type(claim, *types, [&](const rules::InstanceType& type) {
            if (first) {
                least = type.allocatable();
            } else {
                least.min_with(type.allocatable());
            }
            first = false;
        });
        return least;
    }

    // Of each; empty where there are none.
    std::vector<std::int64_t> find_commitments_left() const {
        if (inputs_.commitments == nullptr || inputs_.commitments->empty()) return {};
        ClaimNames goes;
        if (inputs_.leaving != nullptr) goes = *inputs_.leaving;
        if (gives_back_ != nullptr) goes.insert(gives_back_->begin(), gives_back_->end());
        const OnDemandMachines there = on_demand_machines(cluster_, inputs_.types, &goes);
        return rules::use_commitments(*inputs_.commitments, there.machines).left;
    }

    // Without what goes, or may not be relied on.
    CapacityMixes find_mixes() const {
        ClaimNames goes;
        if (inputs_.leaving != nullptr) goes = *inputs_.leaving;
        if (inputs_.given_up != nullptr) goes.insert(inputs_.given_up->begin(), inputs_.given_up->end());
        for (const auto& [name, state] : cluster_.claims()) {
            if (stands_by(cluster_, state.claim)) goes.insert(name);
        }
        return capacity_mixes({cluster_, inputs_.types, &goes});
    }

    void add_paid_parts(PoolView view, const std::vector<std::int64_t>& commitments_left) {
        if (commitments_left.empty() || view.is_reservation) {
            out_.pools.push_back(std::move(view));
            return;
        }
        for (PoolView& part : split_by_commitment(std::move(view), *inputs_.commitments, commitments_left))
            out_.pools.push_back(std::move(part));
    }

    void add_pools() {
        struct Used {
            Resources capacity;
            std::int64_t nodes = 0;
        };
        std::map<std::string, Used, std::less<>> used;
        const ReservationsUsed reserved = reservations_used(cluster_, gives_back_);
        const std::vector<std::int64_t> commitments_left = find_commitments_left();
        const CapacityMixes mixes = find_mixes();
        for (const auto& [name, state] : cluster_.claims()) {
            const PoolState* pool = cluster_.find_pool(pool_of(state.claim.meta));
            if (pool == nullptr || !pool->pool.limits) continue;
            Used& sum = used[pool->pool.meta.name];
            const auto types = inputs_.types(pool->pool);
            sum.capacity += claimed_capacity(state.claim, types.get());
            ++sum.nodes;
        }
        // A simulation knows nodes of a pool that have no claim; they count against its limits too.
        for (const auto& [name, state] : cluster_.nodes()) {
            if (cluster_.claim_of(state.node) != nullptr) continue;
            const PoolState* pool = cluster_.find_pool(pool_of(state.node.meta));
            if (pool == nullptr || !pool->pool.limits) continue;
            Used& sum = used[pool->pool.meta.name];
            sum.capacity += rules::as_capacity(state.node.capacity);
            ++sum.nodes;
        }
        for (const auto& [name, state] : cluster_.our_pools()) {
            const Used& sum = used[name];
            if (!inputs_.is_usable(state.pool)) continue;
            PoolView view = make_pool_view(state.pool, sum.capacity, sum.nodes);
            view.types = inputs_.types(state.pool);
            if (view.types == nullptr && inputs_.why_no_types)
                view.why_no_types = inputs_.why_no_types(state.pool);
            view.well_known = well_known_to(state.pool.node_template.node_class);
            const auto mix = mixes.find(name);
            for (PoolView& part : split_by_reservation(std::move(view), reserved)) {
                if (mix == mixes.end() || part.is_reservation) {
                    add_paid_parts(std::move(part), commitments_left);
                    continue;
                }
                for (PoolView& half : split_by_ratio(std::move(part), mix->second))
                    add_paid_parts(std::move(half), commitments_left);
            }
        }
        std::stable_sort(out_.pools.begin(), out_.pools.end(), [](const PoolView& a, const PoolView& b) {
            return a.weight != b.weight ? a.weight > b.weight : a.name > b.name;
        });
    }

    void add_pods() {
        if (inputs_.moving != nullptr) {
            out_.pods.reserve(inputs_.moving->size());
            for (const PodState* pod : *inputs_.moving) add_pod(*pod);
            return;
        }
        for (const PodKey& key : cluster_.unbound_pods()) {
            const PodState& pod = *cluster_.find_pod(key);
            if (wants_room(cluster_, pod) && !is_planned(pod)) add_pod(pod);
        }
        // Already by name; now by age, which keeps names in order among equals.
        std::stable_sort(out_.pods.begin(), out_.pods.end(),
                         [](const PodView& a, const PodView& b) { return a.created < b.created; });
        add_coming();
        for (const PodState* pod : leaving_pods()) {
            if (!is_expected_elsewhere(*pod)) add_pod(*pod);
        }
        add_headroom();
    }

    bool is_expected_elsewhere(const PodState& pod) const {
        return inputs_.expected != nullptr &&
               std::any_of(inputs_.expected->begin(), inputs_.expected->end(),
                           [&](const ExpectedPod& each) { return each.moved == pod.id; });
    }

    void add_headroom() {
        for (const auto& [name, kept] : cluster_.buffers()) {
            const Headroom headroom = headroom_of(cluster_, kept.object);
            const api::ObjectMeta& meta = kept.object.meta;
            for (std::int32_t i = 1; i <= headroom.replicas; ++i) {
                out_.pods.push_back({{meta.ns, fmt::format("{}{}-{}", api::kHeadroomPodPrefix, meta.name, i),
                                      fmt::format("{}-{}", meta.uid, i)},
                                     headroom.source->shape,
                                     kNoTime,
                                     headroom.source->labels,
                                     name});
            }
        }
    }

    void add_coming() {
        if (inputs_.coming == nullptr) return;
        for (const auto& [set, like, count] : *inputs_.coming) {
            const auto shape = shape_of(*like);
            for (std::int64_t i = 1; i <= count; ++i) {
                const std::string name = fmt::format("{}-to-come-{}", set, i);
                out_.pods.push_back(
                    {{like->id.ns(), name, name}, shape, like->created, like->labels, {}, set});
            }
        }
    }

    void add_pod(const PodState& pod) {
        out_.pods.push_back({pod.id, shape_of(pod), pod.created, pod.labels});
    }

    // By claim, then name.
    std::vector<const PodState*> leaving_pods() const {
        std::vector<const PodState*> out;
        if (inputs_.leaving == nullptr) return out;
        for (const std::string& name : *inputs_.leaving) {
            const ClaimState* claim = cluster_.find_claim(name);
            const NodeState* node = claim == nullptr ? nullptr : cluster_.node_of(claim->claim);
            if (node == nullptr) continue;
            for (const auto& [key, pod] : node->pods) {
                if (pod->is_reschedulable()) out.push_back(pod);
            }
        }
        return out;
    }

    // Pods that share a shape, what spreads them by default and the places of their volumes share what comes
    // of it.
    std::shared_ptr<const rules::PodShape> shape_of(const PodState& pod) {
        std::shared_ptr<const rules::PodShape> spread = spread_by_default(pod);
        if (pod.volumes == nullptr) return spread;
        rules::PodVolumes volumes = volume_places(cluster_, pod, volume_users_);
        if (volumes.problem.empty()) volumes.problem = exclusive_claims_.problem(pod);
        return shared(rules::with_volumes(*spread, std::move(volumes)));
    }

    std::shared_ptr<const rules::PodShape> spread_by_default(const PodState& pod) {
        if (pod.has_spread || inputs_.default_spread == nullptr || inputs_.default_spread->empty())
            return pod.shape;
        auto& known = spread_[{pod.shape.get(), pod.labels.get(), pod.selecting_owner}];
        if (known != nullptr) return known;
        const auto selector = default_selector(cluster_, pod);
        known = selector
                    ? shared(rules::with_spread(*pod.shape, pod.id.ns(), *selector, *inputs_.default_spread))
                    : pod.shape;
        return known;
    }

    std::shared_ptr<const rules::PodShape> shared(rules::PodShape shape) {
        auto& known = shapes_[shape.key];
        if (known == nullptr) known = std::make_shared<const rules::PodShape>(std::move(shape));
        return known;
    }

    // Nothing is listed that no pod asks about.
    void add_standing() {
        for (const auto& [name, ns] : cluster_.namespaces()) out_.namespaces[name] = ns.object.meta.labels;
        const bool some_ask = std::any_of(out_.pods.begin(), out_.pods.end(), [](const PodView& pod) {
            return !pod.shape->constraints.key.empty();
        });
        add_expected_daemons(some_ask);
        const bool some_are_expected = inputs_.expected != nullptr && !inputs_.expected->empty();
        if (!some_ask && cluster_.binding_pods().empty() && !some_are_expected) return;
        std::vector<const PodState*> moving = inputs_.moving != nullptr ? *inputs_.moving : leaving_pods();
        std::sort(moving.begin(), moving.end(), std::less<>());
        std::map<std::string_view, PlaceIndex> place_of;
        for (const RoomView& room : out_.rooms)
            place_of.emplace(room.name, static_cast<PlaceIndex>(place_of.size()));
        for (const ClosedNode& node : out_.closed_nodes)
            place_of.emplace(node.name, static_cast<PlaceIndex>(place_of.size()));
        using Key = std::tuple<const rules::PodLabels*, const rules::PodShape*, bool>;
        std::map<Key, std::map<PlaceIndex, std::uint32_t>> counts;
        const auto count = [&](const PodState& pod) {
            if (pod.is_terminal) return;
            if (std::binary_search(moving.begin(), moving.end(), &pod, std::less<>())) return;
            const auto place = place_of.find(node_of(pod));
            if (place == place_of.end()) return;
            // One that is planned decides where a volume will be made that others share.
            const auto shape = pod.volumes != nullptr && pod.node_name.empty() ? shape_of(pod) : pod.shape;
            const bool binds_others = shape->constraints.binds_others();
            ++counts[{pod.labels.get(), binds_others ? shape.get() : nullptr, pod.deleted.has_value()}]
                    [place->second];
            holders_[pod.labels.get()] = pod.labels;
            if (binds_others) shape_holders_[shape.get()] = shape;
        };
        if (some_ask) {
            for (const auto& [key, pod] : cluster_.pods()) count(pod);
        } else {
            for (const PodState* pod : cluster_.binding_pods()) count(*pod);
        }
        if (some_are_expected) {
            for (const ExpectedPod& pod : *inputs_.expected) {
                const auto place = place_of.find(node_or_claim(pod.place));
                const bool binds_others = pod.shape->constraints.binds_others();
                if (place == place_of.end() || (!some_ask && !binds_others)) continue;
                // Spread counts the moved one as long as it stays.
                const PodState* moved = cluster_.find_pod(pod.moved.full_name());
                const bool stays = moved != nullptr && moved->id == pod.moved && !moved->deleted;
                ++counts[{pod.labels.get(), binds_others ? pod.shape.get() : nullptr, stays}][place->second];
                holders_[pod.labels.get()] = pod.labels;
                if (binds_others) shape_holders_[pod.shape.get()] = pod.shape;
            }
        }
        for (const auto& [key, places] : counts) {
            const auto& [labels, shape, is_going] = key;
            out_.standing.push_back({holders_.at(labels),
                                     shape == nullptr ? nullptr : shape_holders_.at(shape),
                                     is_going,
                                     {places.begin(), places.end()}});
        }
        // Addresses came first above; the order is that of what they mean.
        std::sort(
            out_.standing.begin(), out_.standing.end(), [](const StandingPods& a, const StandingPods& b) {
                const auto rank = [](const StandingPods& s) {
                    return std::tie(s.labels->ns, s.labels->labels, s.is_going, s.places);
                };
                if (rank(a) != rank(b)) return rank(a) < rank(b);
                return (a.shape == nullptr ? "" : a.shape->key) < (b.shape == nullptr ? "" : b.shape->key);
            });
    }

    // Those of nodes that are coming up stand there too, although no pod of theirs may be seen yet. Spread
    // does not count them.
    void add_expected_daemons(bool some_ask) {
        std::map<std::string_view, rules::WellKnownLabels> well_known_on;  // By room.
        for (const RoomView& room : out_.rooms) {
            if (!room.is_claim || room.is_initialized) continue;
            const ClaimState* claim = cluster_.find_claim(room.name);
            well_known_on[room.name] =
                claim == nullptr ? rules::WellKnownLabels() : well_known_to(claim->claim.node_class);
        }
        for (const DaemonView& daemon : out_.daemons) {
            const bool binds_others = daemon.shape->constraints.binds_others();
            if (!some_ask && !binds_others) continue;
            StandingPods standing{daemon.labels, binds_others ? daemon.shape : nullptr, true, {}};
            for (RoomIndex i = 0; i < out_.rooms.size(); ++i) {
                const RoomView& room = out_.rooms[i];
                if (!room.is_initialized &&
                    rules::daemon_lands(*daemon.shape, room.labels, room.taints,
                                        room.is_claim ? &well_known_on.at(room.name) : nullptr))
                    standing.places.emplace_back(i, 1);
            }
            if (!standing.places.empty()) out_.standing.push_back(std::move(standing));
        }
    }

    // The name of the place where the pod stands, or is planned or nominated to stand; empty for none.
    std::string_view node_of(const PodState& pod) const {
        if (!pod.node_name.empty()) return pod.node_name;
        if (!is_planned(pod)) return is_nominated(cluster_, pod) ? pod.nominated_node : std::string_view{};
        return node_or_claim(inputs_.planned->at(pod.id.uid()));
    }

    // The claim's node, where it has one.
    std::string_view node_or_claim(const std::string& name) const {
        const ClaimState* claim = cluster_.find_claim(name);
        const NodeState* node = claim == nullptr ? nullptr : cluster_.node_of(claim->claim);
        return node == nullptr ? name : node->node.meta.name;
    }

    const Cluster& cluster_;
    const SnapshotInputs& inputs_;
    const ClaimNames* gives_back_;
    ExclusiveClaims exclusive_claims_;
    Snapshot out_;
    std::map<std::string, std::shared_ptr<const rules::PodShape>> shapes_;
    std::map<std::tuple<const rules::PodShape*, const rules::PodLabels*, std::string>,
             std::shared_ptr<const rules::PodShape>>
        spread_;
    std::map<const rules::PodLabels*, std::shared_ptr<const rules::PodLabels>> holders_;
    std::map<const rules::PodShape*, std::shared_ptr<const rules::PodShape>> shape_holders_;
    std::map<std::string, Resources, std::less<>> planned_;                          // By claim.
    std::map<std::string, Resources, std::less<>> nominated_;                        // By node.
    std::map<std::string, std::vector<const PodState*>, std::less<>> planned_pods_;  // With volumes.
    VolumeUsers volume_users_;
    // By pool and type, worked out when a node of it is met.
    std::map<std::pair<std::string, std::string>, VolumeLimits> type_limits_;
};

}  // namespace

bool is_waiting(const PodState& pod) {
    return pod.node_name.empty() && !pod.is_terminal && !pod.deleted && !pod.has_gates && !pod.is_daemon &&
           !pod.is_mirror && !pod.shape->avoids_node_pools &&
           (pod.is_default_scheduler || pod.is_unschedulable);
}

bool is_nominated(const Cluster& cluster, const PodState& pod) {
    if (pod.nominated_node.empty() || !pod.node_name.empty() || !pod.is_active()) return false;
    const NodeState* node = cluster.find_node(pod.nominated_node);
    if (node == nullptr || node->node.meta.deleted) return false;
    Resources free = node->allocatable - node->used;
    for (const auto& [key, other] : node->pods) {
        if (other->deleted && !other->is_terminal) free += other->shape->requests;
    }
    return rules::fits(pod.shape->requests, free);
}

bool is_young(const api::NodeClaim& claim, WallTime now) {
    const api::Condition* registered = api::find_condition(claim.conditions, "Registered");
    return now != kNoTime && registered != nullptr && registered->status == "True" &&
           now - registered->last_transition < kYoung;
}

bool wants_room(const Cluster& cluster, const PodState& pod) {
    return is_waiting(pod) && !is_nominated(cluster, pod);
}

Snapshot make_snapshot(const Cluster& cluster, const SnapshotInputs& inputs) {
    return SnapshotMaker(cluster, inputs, nullptr).make();
}

Snapshot make_snapshot_once_given_back(const Cluster& cluster, const SnapshotInputs& inputs,
                                       const ClaimNames& gives_back) {
    return SnapshotMaker(cluster, inputs, &gives_back).make();
}

PoolView make_pool_view(const api::NodePool& pool, const Resources& used_capacity, std::int64_t used_nodes) {
    PoolView view;
    view.name = pool.meta.name;
    view.pool = pool;
    view.weight = pool.weight;
    // A pool whose cost cannot be read is not usable; validation says so.
    view.node_cost = rules::node_cost(pool).value_or(rules::Money{});
    if (auto requirements = rules::make_requirements(pool.node_template.requirements))
        view.requirements = std::move(*requirements);
    view.requirements.add_labels(pool.node_template.labels);
    view.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {pool.meta.name}));
    view.requirements.add(Requirement::in(rules::node_class_label(pool.node_template.node_class),
                                          {pool.node_template.node_class.name}));
    view.taints = pool.node_template.taints;
    if (pool.limits) {
        const Resources limits = rules::as_capacity(*pool.limits);
        for (const auto& [name, quantity] : *pool.limits) {
            view.remaining.emplace_back(name, name == "nodes" ? quantity.units_down() - used_nodes
                                                              : limits.get(name) - used_capacity.get(name));
        }
    }
    return view;
}

Resources claimed_capacity(const api::NodeClaim& claim, const std::vector<rules::InstanceType>* types) {
    if (!claim.capacity.empty()) return rules::as_capacity(claim.capacity);
    Resources most;
    if (types != nullptr) {
        for_each_listed_type(claim, *types,
                             [&](const rules::InstanceType& type) { most.max_with(type.capacity); });
    }
    return most;
}

}  // namespace joiner::model
