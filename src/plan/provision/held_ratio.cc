#include "plan/provision/held_ratio.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "api/names.h"

namespace joiner::plan {
namespace {

// Between what is surely allowed and what is not, each look halves the distance where nothing tells better.
constexpr int kMostHeldLooks = 8;
// Where one look more found nothing cheaper, the next is not taken.
constexpr int kMostRaises = 3;

// Looks are many, so each is shorter.
constexpr int kShareOfALook = 4;

using SpotCaps = std::map<std::string, std::int64_t, std::less<>>;  // Thousandths of a core, by pool.

model::Snapshot with_caps(const model::Snapshot& snapshot, const SpotCaps& caps) {
    model::Snapshot out = snapshot;
    for (model::PoolView& pool : out.pools) {
        if (pool.is_spot_part) cap_spot(pool, caps.at(pool.name));
    }
    return out;
}

struct Extremes {
    std::int64_t least = 0;
    std::int64_t most = 0;
};

Extremes cores_of(const MachineSpec& spec, const model::PoolView& pool) {
    Extremes out{kNoCap, 0};
    const std::set<std::string_view> names(spec.types.begin(), spec.types.end());
    for (const rules::InstanceType& type : *pool.types) {
        if (!names.contains(type.name)) continue;
        out.least = std::min(out.least, type.capacity.cpu_milli);
        out.most = std::max(out.most, type.capacity.cpu_milli);
    }
    if (out.least > out.most) out.least = out.most;
    return out;
}

// A stand-in that is smaller on demand, or larger as spot, than the machine that was planned would spoil the
// ratio. Where the pool wants many types, they stay, and count with their extremes.
void drop_stand_ins(const model::Snapshot& snapshot, Plan& plan) {
    std::map<const MachineSpec*, std::shared_ptr<const MachineSpec>> done;
    for (Launch& launch : plan.launches) {
        const model::PoolView& pool = snapshot.pools[launch.spec->pool];
        const bool needs_many = std::any_of(pool.requirements.begin(), pool.requirements.end(),
                                            [](const auto& one) { return one.min_values().has_value(); });
        if (!pool.mix || needs_many || launch.spec->types.size() < 2) continue;
        auto& its = done[launch.spec.get()];
        if (its == nullptr) {
            auto spec = std::make_shared<MachineSpec>(*launch.spec);
            std::map<std::string_view, std::int64_t> cores;
            for (const rules::InstanceType& type : *pool.types) cores[type.name] = type.capacity.cpu_milli;
            const std::int64_t planned = cores[spec->types.front()];
            std::erase_if(spec->types, [&](const std::string& name) {
                return pool.is_spot_part ? cores[name] > planned : cores[name] < planned;
            });
            its = std::move(spec);
        }
    }
    for (Launch& launch : plan.launches) {
        if (const auto it = done.find(launch.spec.get()); it != done.end()) launch.spec = it->second;
    }
}

std::int64_t cores_asked(const model::Snapshot& snapshot,
                         const std::function<bool(model::PodIndex)>& counts) {
    std::int64_t out = 0;
    for (model::PodIndex pod = 0; pod < snapshot.pods.size(); ++pod) {
        if (counts(pod)) out += snapshot.pods[pod].shape->requests.cpu_milli;
    }
    return out;
}

bool is_better(const Plan& a, const Plan& b) {
    if (a.waits.size() != b.waits.size()) return a.waits.size() < b.waits.size();
    return a.price + a.node_cost < b.price + b.node_cost;
}

class HeldPlanner {
  public:
    HeldPlanner(const model::Snapshot& snapshot, std::function<Plan(const model::Snapshot&)> plan)
        : snapshot_(snapshot), plan_(std::move(plan)), before_(mixes_of(snapshot)) {}

    Plan make() {
        Plan out = cheapest_held();
        if (!out.waits.empty()) place_more(out);
        // Each was the bound of a question of its own.
        out.lower_bound = {};
        return out;
    }

  private:
    Plan look(const SpotCaps& caps) const {
        Plan out = plan_(with_caps(snapshot_, caps));
        drop_stand_ins(snapshot_, out);
        return out;
    }

    Plan cheapest_held() const {
        const std::int64_t asked = cores_asked(snapshot_, [](auto) { return true; });
        SpotCaps sure;
        SpotCaps too_much;  // Exclusive.
        SpotCaps caps;
        for (const auto& [pool, mix] : before_) {
            sure[pool] = mix.spot_left();
            too_much[pool] = kNoCap;
            caps[pool] = std::max(sure[pool], mix.spot_left(mix.on_demand + mix.spot + asked));
        }
        std::optional<Plan> best;
        for (int looks = 0, raises = 0; looks < kMostHeldLooks && raises < kMostRaises; ++looks) {
            const bool is_last = looks + 1 == kMostHeldLooks && !best;
            if (is_last) caps = sure;
            Plan plan = look(caps);
            const Mixes after = mixes_after(before_, snapshot_, plan.launches);
            const bool is_held = made_worse(before_, after) == nullptr;
            const bool is_gain = is_held && (!best || is_better(plan, *best));
            if (is_gain) best = std::move(plan);
            if (is_held && !is_gain) break;
            if (!next_caps(after, is_held, sure, too_much, caps)) break;
            raises += is_held ? 1 : 0;
        }
        return std::move(*best);
    }

    // False: there is nothing else to try.
    bool next_caps(const Mixes& after, bool is_held, SpotCaps& sure, SpotCaps& too_much,
                   SpotCaps& caps) const {
        bool is_new = false;
        for (const auto& [pool, mix] : before_) {
            const rules::CapacityMix& then = after.at(pool);
            const bool is_worse = then.missing() > mix.missing();
            if (is_worse) {
                too_much[pool] = caps[pool];
            } else if (is_held) {
                sure[pool] = std::max(sure[pool], caps[pool]);
            }
            std::int64_t next = caps[pool];
            if (is_worse || is_held) next = mix.spot_left(then.on_demand + then.spot);
            if (next >= too_much[pool]) next = sure[pool] + (too_much[pool] - sure[pool]) / 2;
            next = std::max(next, sure[pool]);
            is_new = is_new || next != caps[pool];
            caps[pool] = next;
        }
        return is_new;
    }

    void place_more(Plan& held) const {
        SpotCaps caps;
        for (const auto& [pool, mix] : before_) caps[pool] = kNoCap;
        Plan open = look(caps);
        if (open.waits.size() >= held.waits.size()) return;
        std::set<model::PodIndex> wait;
        for (const Wait& one : held.waits) wait.insert(one.pod);
        for (const Wait& one : open.waits) wait.erase(one.pod);
        const std::int64_t asked = cores_asked(snapshot_, [&](auto pod) { return wait.contains(pod); });
        const Mixes after = mixes_after(before_, snapshot_, held.launches);
        for (const std::int64_t times : {1, 2, 4}) {
            for (const auto& [pool, mix] : before_)
                caps[pool] = after.at(pool).spot - mix.spot + times * asked;
            Plan plan = look(caps);
            if (plan.waits.size() > open.waits.size()) continue;
            held = std::move(plan);
            return;
        }
        held = std::move(open);
    }

    const model::Snapshot& snapshot_;
    const std::function<Plan(const model::Snapshot&)> plan_;
    const Mixes before_;
};

}  // namespace

void cap_spot(model::PoolView& part, std::int64_t milli_cores) {
    if (milli_cores == kNoCap) return;
    for (auto& [name, left] : part.remaining) {
        if (name != "cpu") continue;
        left = std::min(left, milli_cores);
        return;
    }
    part.remaining.emplace_back("cpu", milli_cores);
}

Mixes mixes_of(const model::Snapshot& snapshot) {
    Mixes out;
    for (const model::PoolView& pool : snapshot.pools) {
        if (pool.mix) out.emplace(pool.name, *pool.mix);
    }
    return out;
}

Mixes mixes_after(Mixes mixes, const model::Snapshot& snapshot, const std::vector<Launch>& launches) {
    std::map<const MachineSpec*, Extremes> known;
    for (const Launch& launch : launches) {
        const model::PoolView& pool = snapshot.pools[launch.spec->pool];
        const auto mix = mixes.find(pool.name);
        if (mix == mixes.end()) continue;
        const auto [it, is_new] = known.try_emplace(launch.spec.get());
        if (is_new) it->second = cores_of(*launch.spec, pool);
        if (pool.is_spot_part) {
            mix->second.spot += it->second.most;
        } else {
            mix->second.on_demand += it->second.least;
        }
    }
    return mixes;
}

const std::string* made_worse(const Mixes& before, const Mixes& after) {
    for (const auto& [pool, mix] : before) {
        if (after.at(pool).missing() > mix.missing()) return &pool;
    }
    return nullptr;
}

bool keeps_ratio(const model::Snapshot& snapshot) {
    return std::any_of(snapshot.pools.begin(), snapshot.pools.end(),
                       [](const auto& pool) { return pool.mix.has_value(); });
}

Plan plan_with_ratio(const model::Snapshot& snapshot, const ProvisionOptions& options,
                     const std::function<Plan(const model::Snapshot&, const ProvisionOptions&)>& plan) {
    ProvisionOptions shorter = options;
    shorter.effort /= kShareOfALook;
    shorter.budget_seconds /= kShareOfALook;
    const auto look = [&](const model::Snapshot& question) { return plan(question, shorter); };
    return HeldPlanner(snapshot, look).make();
}

}  // namespace joiner::plan
