#include "rules/capacity_ratio.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/names.h"
#include "base/quantity.h"
#include "rules/requirement.h"

namespace joiner::rules {
namespace {

// Thousandths of a core: a billion cores. No sum of a few such, times a hundred, leaves 64 bits.
constexpr std::int64_t kMostCapacity = 1'000'000'000'000;

RatioWish no_ratio(std::string reason, std::string problem) {
    return {std::nullopt, std::move(reason), std::move(problem)};
}

bool may_be(const Requirements& requirements, std::string_view capacity_type) {
    const Requirement* own = requirements.find(api::kCapacityTypeLabel);
    return own == nullptr || own->allows(capacity_type);
}

}  // namespace

std::int64_t CapacityMix::wanted(std::int64_t total) const {
    if (total <= ratio.base) return total;
    return ratio.base + ((total - ratio.base) * ratio.percent + 99) / 100;
}

std::int64_t CapacityMix::missing() const {
    return std::max<std::int64_t>(0, wanted(on_demand + spot) - on_demand);
}

std::int64_t CapacityMix::spot_left(std::int64_t total) const {
    return std::max<std::int64_t>(0, total - wanted(total) - spot);
}

std::int64_t CapacityMix::spot_left() const {
    if (on_demand < ratio.base) return 0;
    const std::int64_t most =
        ratio.percent == 0 ? kMostCapacity : (on_demand - ratio.base) * (100 - ratio.percent) / ratio.percent;
    return std::max<std::int64_t>(0, most - spot);
}

RatioWish ratio_wish(const api::NodePool& pool) {
    const auto& annotations = pool.meta.annotations;
    const auto base = annotations.find(std::string(api::kOnDemandBaseAnnotation));
    const auto percent = annotations.find(std::string(api::kOnDemandPercentAnnotation));
    if (base == annotations.end() && percent == annotations.end()) return {};
    CapacityRatio out;
    if (base != annotations.end()) {
        const auto cores = Quantity::parse(base->second);
        if (!cores || cores->is_negative() || cores->milli_up() > kMostCapacity)
            return no_ratio("InvalidAnnotation",
                            fmt::format("{}: \"{}\" is not a number of cores: write one as \"16\"",
                                        api::kOnDemandBaseAnnotation, base->second));
        out.base = cores->milli_up();
    }
    if (percent != annotations.end()) {
        const std::string& text = percent->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.percent);
        if (error != std::errc{} || end != text.data() + text.size() || out.percent < 0 || out.percent > 100)
            return no_ratio("InvalidAnnotation",
                            fmt::format("{}: \"{}\" is not a whole number from 0 to 100: write one as \"20\"",
                                        api::kOnDemandPercentAnnotation, text));
    }
    if (pool.replicas)
        return no_ratio(
            "StaticPool",
            "the pool has spec.replicas, and a ratio is kept only for nodes that are bought for pods: "
            "have two static pools, one of each capacity type");
    auto requirements = make_requirements(pool.node_template.requirements);
    if (!requirements) return {out};
    requirements->add_labels(pool.node_template.labels);
    const bool has_on_demand = may_be(*requirements, api::kOnDemand) || may_be(*requirements, api::kReserved);
    if (!has_on_demand || !may_be(*requirements, api::kSpot))
        return no_ratio("OneCapacityType",
                        fmt::format("the pool's requirement on {} allows {} capacity only: let it allow both "
                                    "on-demand and spot, or take the annotations off",
                                    api::kCapacityTypeLabel, has_on_demand ? "on-demand" : "spot"));
    return {out};
}

}  // namespace joiner::rules
