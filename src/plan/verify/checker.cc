#include "plan/verify/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "api/names.h"
#include "plan/verify/binding_order.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using rules::Requirement;
using rules::Resources;

// A missing label meets only what asks for no label.
bool meets(const NodeLabels& labels, const Requirement& wanted) {
    const auto it = labels.find(wanted.key());
    return it == labels.end() ? wanted.allows_absence() : wanted.allows(it->second);
}

const rules::InstanceType* find_type(const model::PoolView& pool, const std::string& name) {
    const auto it = std::find_if(pool.types->begin(), pool.types->end(),
                                 [&](const auto& type) { return type.name == name; });
    return it == pool.types->end() ? nullptr : &*it;
}

void add_values(const rules::Requirements& requirements, NodeLabels& labels) {
    for (const Requirement& r : requirements) {
        if (r.is_single()) labels.emplace(r.key(), r.values().front());
    }
}

class Checker {
  public:
    Checker(const model::Snapshot& snapshot, const Plan& plan, Order order)
        : snapshot_(snapshot), plan_(plan), order_(order) {}

    std::vector<Violation> run() {
        count_pods();
        add_existing();
        read_standing_volumes();
        for (std::size_t i = 0; i < plan_.launches.size(); ++i) add_launch(i);
        for (std::size_t node = 0; node < nodes_.size(); ++node) check_node(node);
        check_limits();
        for (auto& [pod, what] : check_binding_order(snapshot_, nodes_, order_)) fail(pod, std::move(what));
        return std::move(found_);
    }

  private:
    void fail(PodIndex pod, std::string what) { found_.push_back({pod, std::move(what)}); }

    void count_pods() {
        std::vector<int> seen(snapshot_.pods.size(), 0);
        for (const Placement& one : plan_.placements) ++seen[one.pod];
        for (const Launch& launch : plan_.launches) {
            for (const PodIndex pod : launch.pods) ++seen[pod];
        }
        for (const Wait& wait : plan_.waits) ++seen[wait.pod];
        for (PodIndex pod = 0; pod < seen.size(); ++pod) {
            if (seen[pod] != 1) fail(pod, fmt::format("it stands in the plan {} times", seen[pod]));
        }
    }

    void add_existing() {
        for (const model::RoomView& room : snapshot_.rooms) {
            CheckedNode& node = nodes_.emplace_back();
            node.name = room.name;
            add_values(room.labels, node.labels);
            node.labels.emplace(std::string(api::kHostnameLabel), room.name);
            if (!room.is_claim) node.labels.emplace(std::string(rules::kNodeNameField), room.name);
            node.taints = &room.taints;
            free_.push_back(room.free);
            limits_.push_back(room.volumes_left);
        }
        for (const model::ClosedNode& closed : snapshot_.closed_nodes) {
            CheckedNode& node = nodes_.emplace_back();
            node.name = closed.name;
            add_values(closed.labels, node.labels);
            node.labels.emplace(std::string(api::kHostnameLabel), closed.name);
            node.labels.emplace(std::string(rules::kNodeNameField), closed.name);
            node.taints = &closed.taints;
            free_.emplace_back();
            limits_.emplace_back();
        }
        for (const Placement& one : plan_.placements) nodes_[one.room].pods.push_back(one.pod);
    }

    void add_launch(std::size_t index) {
        const Launch& launch = plan_.launches[index];
        const MachineSpec& spec = *launch.spec;
        const model::PoolView& pool = snapshot_.pools[spec.pool];
        auto [it, is_new] = made_.try_emplace(launch.spec.get());
        Made& made = it->second;
        if (is_new) make_node(spec, pool, made);
        if (!made.problem.empty()) {
            for (const PodIndex pod : launch.pods) fail(pod, made.problem);
        }
        CheckedNode& node = nodes_.emplace_back(made.node);
        node.name = fmt::format("machine {} ({})", index, spec.types.empty() ? "" : spec.types.front());
        node.labels.insert_or_assign(std::string(api::kHostnameLabel), fmt::format("machine-{}", index));
        node.pods = launch.pods;
        node.is_new = true;
        free_.push_back(made.free);
        limits_.push_back(made.limits);
    }

    struct Made {
        CheckedNode node;
        Resources free;
        model::VolumeLimits limits;
        std::string problem;
    };

    void make_node(const MachineSpec& spec, const model::PoolView& pool, Made& made) const {
        made.node.taints = &pool.taints;
        const rules::InstanceType* type = spec.types.empty() ? nullptr : find_type(pool, spec.types.front());
        if (type == nullptr) {
            made.problem = "its machine has no type of its pool";
            return;
        }
        const auto offering =
            std::find_if(type->offerings.begin(), type->offerings.end(), [&](const auto& o) {
                return o.available && o.zone() == spec.zone && o.capacity_type() == spec.capacity_type &&
                       o.price == spec.price;
            });
        if (offering == type->offerings.end()) {
            made.problem = "its machine has no offering to buy";
            return;
        }
        NodeLabels& labels = made.node.labels;
        add_values(offering->requirements, labels);
        add_values(type->requirements, labels);
        add_values(spec.requirements, labels);
        add_values(pool.requirements, labels);
        labels.emplace(std::string(api::kHostnameLabel), "machine");
        labels.emplace(std::string(api::kRegisteredLabel), "true");
        labels.emplace(std::string(api::kInitializedLabel), "true");
        // A value left open is chosen at launch.
        for (const Requirement& r : spec.requirements) {
            if (const std::string value = r.any_value(); !value.empty()) labels.emplace(r.key(), value);
        }
        for (const rules::Requirements* wanted : {&pool.requirements, &spec.requirements}) {
            for (const Requirement& r : *wanted) {
                if (!meets(labels, r) && made.problem.empty())
                    made.problem = fmt::format("its machine is not {}", r.to_string());
            }
        }
        made.free = type->allocatable();
        made.limits = model::volume_limits_of_type(snapshot_, *type);
        for (std::size_t i = 0; i < snapshot_.daemons.size(); ++i) {
            const rules::PodShape& daemon = *snapshot_.daemons[i].shape;
            if (rules::untolerated_taint(daemon.tolerations, pool.taints) != nullptr ||
                !meets_any(daemon.required, labels))
                continue;
            made.free -= daemon.requests;
            made.node.daemons.push_back(i);
        }
    }

    static bool meets_any(const std::vector<rules::Requirements>& alternatives, const NodeLabels& labels) {
        return std::any_of(alternatives.begin(), alternatives.end(), [&](const rules::Requirements& one) {
            return std::all_of(one.begin(), one.end(),
                               [&](const Requirement& r) { return meets(labels, r); });
        });
    }

    void check_node(std::size_t index) {
        const CheckedNode& node = nodes_[index];
        if (node.pods.empty()) return;
        Resources sum;
        std::map<std::string, int> volumes;
        std::set<std::string> shared;
        if (index < snapshot_.rooms.size()) {
            const auto& there = snapshot_.rooms[index].shared_volumes;
            shared.insert(there.begin(), there.end());
        }
        const rules::PodShape* last = nullptr;
        for (const PodIndex pod : node.pods) {
            const rules::PodShape& shape = *snapshot_.pods[pod].shape;
            sum += shape.requests;
            if (!rules::fits(sum, free_[index]) && !shape.requests.is_zero())
                fail(pod, fmt::format("{} has too little room", node.name));
            for (const auto& [driver, count] : shape.volumes) volumes[driver] += count;
            for (const auto& [driver, id] : shape.shared_volumes) volumes[driver] += shared.insert(id).second;
            if (&shape == last) continue;
            last = &shape;
            if (!shape.problem.empty()) fail(pod, shape.problem);
            if (rules::untolerated_taint(shape.tolerations, *node.taints) != nullptr)
                fail(pod, fmt::format("a taint of {} keeps it off", node.name));
            if (!meets_any(shape.required, node.labels))
                fail(pod, fmt::format("its node affinity does not let it on {}", node.name));
        }
        for (const auto& [driver, left] : limits_[index]) {
            if (volumes[driver] > left)
                fail(node.pods.back(), fmt::format("{} takes no more volumes of {}", node.name, driver));
        }
        check_together(node);
    }

    // A volume still to be made is in the domain of the first pod that uses it.
    void check_together(const CheckedNode& node) {
        const rules::PodShape* last = nullptr;
        for (const PodIndex pod : node.pods) {
            const rules::PodShape& shape = *snapshot_.pods[pod].shape;
            if (&shape == last) continue;
            last = &shape;
            for (const rules::TogetherTerm& term : shape.constraints.together) {
                const auto label = node.labels.find(term.topology_key);
                if (label == node.labels.end()) {
                    fail(pod,
                         fmt::format("the volume {} asks for a label that {} lacks", term.id, node.name));
                    continue;
                }
                const auto [at, is_first] = place_of_volume_.try_emplace(term.id, label->second);
                if (!is_first && at->second != label->second)
                    fail(pod, fmt::format("the volume {} cannot be on {}", term.id, node.name));
            }
        }
    }

    // Pods that stand, or are planned, decide too.
    void read_standing_volumes() {
        for (const model::StandingPods& standing : snapshot_.standing) {
            if (standing.shape == nullptr) continue;
            for (const rules::TogetherTerm& term : standing.shape->constraints.together) {
                const NodeLabels& labels = nodes_[standing.places.front().first].labels;
                if (const auto label = labels.find(term.topology_key); label != labels.end())
                    place_of_volume_.try_emplace(term.id, label->second);
            }
        }
    }

    // Whichever of its types each machine becomes.
    void check_limits() {
        std::vector<std::map<std::string, std::int64_t>> bought(snapshot_.pools.size());
        std::map<const MachineSpec*, std::map<std::string, std::int64_t>> most;
        for (const Launch& launch : plan_.launches) {
            const model::PoolView& pool = snapshot_.pools[launch.spec->pool];
            if (pool.remaining.empty()) continue;
            auto [it, is_new] = most.try_emplace(launch.spec.get());
            for (std::size_t t = 0; is_new && t < launch.spec->types.size(); ++t) {
                const rules::InstanceType* type = find_type(pool, launch.spec->types[t]);
                for (const auto& [name, left] : pool.remaining) {
                    if (type == nullptr) continue;
                    auto& amount = it->second[name];
                    amount = std::max(amount, name == "nodes" ? 1 : type->capacity.get(name));
                }
            }
            for (const auto& [name, left] : pool.remaining) {
                const std::int64_t more = it->second[name];
                std::int64_t& sum = bought[launch.spec->pool][name];
                sum += more;
                if (more <= 0 || sum <= left) continue;
                for (const PodIndex pod : launch.pods)
                    fail(pod, fmt::format("the limit of NodePool {} on {} is overshot", pool.name, name));
                sum -= more;
            }
        }
    }

    const model::Snapshot& snapshot_;
    const Plan& plan_;
    const Order order_;
    std::vector<CheckedNode> nodes_;  // Rooms, closed nodes, launches.
    std::vector<Resources> free_;
    std::vector<model::VolumeLimits> limits_;
    std::map<std::string, std::string> place_of_volume_;  // By id: the value of its key.
    std::map<const MachineSpec*, Made> made_;
    std::vector<Violation> found_;
};

}  // namespace

std::vector<Violation> check_plan(const model::Snapshot& snapshot, const Plan& plan, Order order) {
    return Checker(snapshot, plan, order).run();
}

void let_wait(const model::Snapshot& snapshot, const std::map<PodIndex, std::string>& reasons, Plan& plan) {
    const auto is_one = [&](PodIndex pod) { return reasons.contains(pod); };
    std::erase_if(plan.placements, [&](const Placement& one) { return is_one(one.pod); });
    for (Launch& launch : plan.launches) std::erase_if(launch.pods, is_one);
    for (const Launch& launch : plan.launches) {
        if (launch.pods.empty()) plan.price -= launch.spec->price;
        if (launch.pods.empty()) plan.node_cost -= cost_besides(snapshot, *launch.spec);
    }
    std::erase_if(plan.launches, [](const Launch& launch) { return launch.pods.empty(); });
    std::erase_if(plan.waits, [&](const Wait& wait) { return is_one(wait.pod); });
    for (const auto& [pod, reason] : reasons) plan.waits.push_back({pod, reason});
    std::sort(plan.waits.begin(), plan.waits.end(),
              [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
}

void drop_violations(const model::Snapshot& snapshot, Plan& plan, Order order) {
    while (true) {
        const std::vector<Violation> found = check_plan(snapshot, plan, order);
        if (found.empty()) return;
        std::map<PodIndex, std::string> bad;
        for (const Violation& one : found) bad.emplace(one.pod, one.what);
        const std::size_t waiting = plan.waits.size();
        let_wait(snapshot, bad, plan);
        // Every turn lets one more pod wait, unless the plan is broken beyond that.
        if (plan.waits.size() == waiting) return;
    }
}

}  // namespace joiner::plan
