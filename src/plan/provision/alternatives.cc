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

bool has_unnamed_alternatives(const Problem& problem, const Machine& machine) {
    return std::any_of(machine.alternative.begin(), machine.alternative.end(), [&](const auto& one) {
        return problem.groups()[problem.classes()[one.first].group].alternatives[one.second] == nullptr;
    });
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> named_alternatives(const Problem& problem,
                                                                        const Machine& machine) {
    const TypeOption& option = problem.pools()[machine.pool].types[machine.option];
    const OfferingMask chosen = OfferingMask{1} << Problem::cheapest(option, machine.offerings);
    auto out = machine.alternative;
    for (auto& [c, alternative] : out) {
        const Group& group = problem.groups()[problem.classes()[c].group];
        if (group.alternatives[alternative] != nullptr) continue;
        const OpenId open = group.matches[alternative][machine.pool].open;
        const auto meets = [&](std::uint32_t a) {
            const Match& match = group.matches[a][machine.pool];
            return match.possible && match.open == open && (match.masks[machine.option] & chosen) != 0;
        };
        do {
            ++alternative;
            CHECK(alternative < group.alternatives.size());
        } while (!meets(alternative));
    }
    return out;
}

}  // namespace joiner::plan
