#include "plan/provision/passed_over.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plan/provision/problem.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {
namespace {

struct FirstChoice {
    int weight = 0;
    std::string pool;
};

void lend_types(const model::Snapshot& snapshot, const std::vector<Launch>& launches,
                std::vector<model::PoolView>& pools) {
    for (model::PoolView& pool : pools) {
        const api::NodeClassReference& own = pool.pool.node_template.node_class;
        for (std::size_t i = 0; i < launches.size() && pool.types == nullptr; ++i) {
            const model::PoolView& other = snapshot.pools[launches[i].spec->pool];
            const api::NodeClassReference& its = other.pool.node_template.node_class;
            if (its.group == own.group && its.kind == own.kind) pool.types = other.types;
        }
    }
}

// The first of the alternatives that some pool meets, and the first pool there.
FirstChoice first_choice(const Problem& problem, const PodKind& kind) {
    const Group& group = problem.groups()[kind.group];
    for (const std::vector<Match>& matches : group.matches) {
        for (model::PoolIndex pool = 0; pool < matches.size(); ++pool) {
            if (!matches[pool].possible) continue;
            const PoolOptions& options = problem.pools()[pool];
            for (std::size_t t = 0; t < options.types.size(); ++t) {
                if (matches[pool].masks[t] == 0 ||
                    !holds(&options.room[t * problem.dimensions()], kind.request))
                    continue;
                const model::PoolView& view = problem.snapshot().pools[pool];
                return {view.weight, view.name};
            }
        }
    }
    return {};
}

}  // namespace

std::vector<std::string> passed_over(const model::Snapshot& snapshot, const std::vector<Launch>& launches,
                                     std::vector<model::PoolView> at_best) {
    std::vector<std::string> out(launches.size());
    if (at_best.empty()) return out;
    std::stable_sort(at_best.begin(), at_best.end(), [](const auto& a, const auto& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.name < b.name;
    });
    const auto weight_of = [&](const Launch& launch) { return snapshot.pools[launch.spec->pool].weight; };
    model::Snapshot best;
    std::map<const rules::PodShape*, FirstChoice> choices;
    for (const Launch& launch : launches) {
        if (weight_of(launch) >= at_best.front().weight) continue;
        for (const model::PodIndex pod : launch.pods) {
            if (choices.try_emplace(snapshot.pods[pod].shape.get()).second)
                best.pods.push_back(snapshot.pods[pod]);
        }
    }
    if (best.pods.empty()) return out;
    lend_types(snapshot, launches, at_best);
    best.pools = std::move(at_best);
    best.daemons = snapshot.daemons;
    best.namespaces = snapshot.namespaces;
    best.volume_limits = snapshot.volume_limits;
    const Problem problem(best);
    for (const PodKind& kind : problem.kinds()) {
        const FirstChoice choice = first_choice(problem, kind);
        for (const model::PodIndex pod : kind.pods) choices[best.pods[pod].shape.get()] = choice;
    }
    for (std::size_t i = 0; i < launches.size(); ++i) {
        const int own = weight_of(launches[i]);
        for (const model::PodIndex pod : launches[i].pods) {
            const auto choice = choices.find(snapshot.pods[pod].shape.get());
            if (choice == choices.end() || choice->second.weight <= own) {
                out[i].clear();
                break;
            }
            if (out[i].empty()) out[i] = choice->second.pool;
        }
    }
    return out;
}

}  // namespace joiner::plan
