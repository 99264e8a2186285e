#include "rules/capacity_buffer.h"

#include <algorithm>
#include <optional>

namespace joiner::rules {
namespace {

// nullopt: they say nothing about what the pod asks for.
std::optional<std::int64_t> held_by(const api::ResourceMap& limits, const Resources& requests) {
    const Resources most = as_capacity(limits);
    std::optional<std::int64_t> out;
    for (const auto& [name, quantity] : limits) {
        const std::int64_t request = requests.get(name);
        if (request <= 0) continue;
        const std::int64_t count = std::max<std::int64_t>(most.get(name), 0) / request;
        out = std::min(out.value_or(count), count);
    }
    return out;
}

}  // namespace

std::int32_t headroom_replicas(const api::CapacityBuffer& buffer, std::int64_t scalable_replicas,
                               const Resources& requests) {
    std::int64_t wanted = std::max(buffer.replicas.value_or(0), 0);
    if (buffer.percentage && *buffer.percentage > 0 && scalable_replicas > 0) {
        const std::int64_t scaled = std::min<std::int64_t>(scalable_replicas, 1'000'000'000);
        wanted = std::max(wanted, (scaled * *buffer.percentage + 99) / 100);
    }
    if (buffer.limits) {
        if (const auto held = held_by(*buffer.limits, requests)) {
            const bool is_asked = buffer.replicas.has_value() || buffer.percentage.has_value();
            wanted = is_asked ? std::min(wanted, *held) : *held;
        }
    }
    return static_cast<std::int32_t>(std::min<std::int64_t>(wanted, kMostHeadroomPods));
}

}  // namespace joiner::rules
