#include "rules/node_cost.h"

#include <fmt/format.h>

#include <charconv>

#include "api/names.h"

namespace joiner::rules {

Result<Money> node_cost(const api::NodePool& pool) {
    const auto it = pool.meta.annotations.find(std::string(api::kNodeCostAnnotation));
    if (it == pool.meta.annotations.end()) return Money{};
    const std::string& text = it->second;
    double dollars = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dollars);
    if (error != std::errc{} || end != text.data() + text.size() || !(dollars >= 0 && dollars <= 1e6)) {
        return invalid(fmt::format("metadata.annotations: {}: \"{}\" is not a number of dollars per hour",
                                   api::kNodeCostAnnotation, text));
    }
    return Money::from_dollars(dollars);
}

}  // namespace joiner::rules
