// Amounts of resources as integers: CPU in milli-cores, everything else in its own unit (bytes, pods,
// devices). Requests round up, capacities round down. A value type; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/core.h"

namespace joiner::rules {

struct Resources {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    std::int64_t ephemeral_bytes = 0;
    std::int64_t pods = 0;
    // Extended resources and hugepages, sorted by name, no zeros.
    std::vector<std::pair<std::string, std::int64_t>> extended;

    std::int64_t get(std::string_view name) const;
    void set(std::string_view name, std::int64_t amount);

    Resources& operator+=(const Resources& other);
    // May go below zero: an overcommitted node has less than nothing free.
    Resources& operator-=(const Resources& other);
    // Each amount the larger of the two; names missing on one side count as zero there.
    void max_with(const Resources& other);
    void min_with(const Resources& other);
    void floor_at_zero();
    bool is_zero() const;

    friend Resources operator+(Resources a, const Resources& b) { return a += b; }
    friend Resources operator-(Resources a, const Resources& b) { return a -= b; }
    friend bool operator==(const Resources&, const Resources&) = default;
};

Resources as_request(const api::ResourceMap& map);
Resources as_capacity(const api::ResourceMap& map);
// Back to quantities, without zeros.
api::ResourceMap to_resource_map(const Resources& resources);

// Every requested amount is there; what `free` does not name, it has none of. Zero requests always fit, and
// an overcommitted resource only rules out pods that ask for some of it.
bool fits(const Resources& request, const Resources& free);
// "1500m", "2Gi": an amount as Resources keeps it, written as users write it.
std::string amount_text(std::string_view name, std::int64_t amount);
// The first resource that is short: "memory: 9Gi asked, 7.5Gi free". Empty when all fits.
std::string shortage(const Resources& request, const Resources& free);

// What the scheduler reserves for a pod: containers and sidecars, or the largest init step; pod-level
// resources where given; of a resize under way the most it may take; overhead; and one of "pods". Source:
// k8s.io/component-helpers resource.PodRequests with status resources.
Resources pod_requests(const api::PodSpec& spec, const api::PodStatus& status);

}  // namespace joiner::rules
