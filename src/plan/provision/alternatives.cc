#include "plan/provision/alternatives.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace joiner::plan {
namespace {

void join(const Match& one, Match& any) {
    if (!any.possible && one.possible) {
        any = one;
        return;
    }
    if (!one.possible || one.open != any.open) return;
    for (std::size_t t = 0; t < any.masks.size(); ++t) any.masks[t] |= one.masks[t];
    if (any.beyond_limits.empty()) any.beyond_limits = one.beyond_limits;
    for (std::size_t t = 0; t < one.beyond_limits.size(); ++t) any.beyond_limits[t] |= one.beyond_limits[t];
}

}  // namespace

void add_any_of_required(Group& group) {
    const auto first = static_cast<std::ptrdiff_t>(group.shape->preferred.size());
    if (group.alternatives.size() - static_cast<std::size_t>(first) < 2) return;
    std::vector<Match> any(group.matches.front().size());
    for (std::size_t pool = 0; pool < any.size(); ++pool) {
        for (std::size_t a = static_cast<std::size_t>(first); a < group.matches.size(); ++a)
            join(group.matches[a][pool], any[pool]);
        if (!any[pool].possible) any[pool] = group.matches[static_cast<std::size_t>(first)][pool];
    }
    group.alternatives.insert(group.alternatives.begin() + first, nullptr);
    group.matches.insert(group.matches.begin() + first, std::move(any));
}

Machine with_named_alternatives(const Problem& problem, Machine machine) {
    const TypeOption& option = problem.pools()[machine.pool].types[machine.option];
    const OfferingMask chosen = OfferingMask{1} << Problem::cheapest(option, machine.offerings);
    for (auto& [c, alternative] : machine.alternative) {
        const Group& group = problem.groups()[problem.classes()[c].group];
        if (group.alternatives[alternative] != nullptr) continue;
        const Match& any = group.matches[alternative][machine.pool];
        const auto mask = [&](std::uint32_t a) {
            const Match& match = group.matches[a][machine.pool];
            const bool is_one_of_any = match.possible && match.open == any.open;
            return is_one_of_any ? match.masks[machine.option] : OfferingMask{0};
        };
        std::uint32_t named = alternative + 1;
        while (named < group.alternatives.size() && (mask(named) & chosen) == 0) ++named;
        CHECK(named < group.alternatives.size());
        alternative = named;
        machine.offerings &= mask(named);
    }
    return machine;
}

}  // namespace joiner::plan
