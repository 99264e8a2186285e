// The smallest change that would let a pod have a new node of a NodePool, found by trying: of the pod before
// of the pool, one change before two. A change is data, and carry_out() makes it on the objects. Pure; one
// call, any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"
#include "rules/pod_shape.h"

namespace joiner::plan {

// Those of the pod first, each sort in the order of preference.
enum class ChangeKind : std::uint8_t {
    kTolerate,
    kDropSelector,
    kDropExpression,    // Of one required node affinity term; a term without any goes, and its affinity with
                        // it.
    kDropNodeAffinity,  // All required terms.
    kLowerRequest,
    kDropSpread,
    kDropAntiAffinity,
    kDropAffinity,
    kDropHostPort,
    kDropVolume,
    kDropResourceClaims,
    // Of the pool.
    kDropTaint,
    kSetLabel,
    kAllowValue,
    kRaiseLimit,
    kDropMinValues,
    kDropRequirement,
    kDropLabel,
};
std::string_view word_for(ChangeKind kind);
inline bool is_of_pod(ChangeKind kind) {
    return kind < ChangeKind::kDropTaint;
}

struct Change {
    ChangeKind kind = ChangeKind::kTolerate;
    // The label, the taint's key, the resource, the topology key, the volume or its claim; what it is about.
    std::string key = {};
    std::string value = {};   // Of the label or taint.
    std::string effect = {};  // Of the taint.
    // Where it stands in the object as it is: the term, constraint or container, and the expression or port.
    std::size_t index = 0;
    std::size_t part = 0;
    // Of a request or a limit, as rules::Resources counts them ("nodes" as they are).
    std::int64_t from = 0;
    std::int64_t to = 0;

    friend bool operator==(const Change&, const Change&) = default;
};

// All at once. REQUIRES: they were found for these objects, each of them once.
void carry_out(const std::vector<Change>& changes, api::Pod& pod, api::NodePool& pool);

// "a toleration of gpu=yes:NoSchedule on the pod"; `pool`: the NodePool's name.
std::string in_words(const Change& change, std::string_view pool);
// "add to the pod a toleration of gpu=yes:NoSchedule": what to do, for the last line.
std::string as_advice(const Change& change, std::string_view pool);

// Whether the pod would have a node of the pool, were both so.
using Tryout = std::function<bool(const api::Pod&, const api::NodePool&)>;

// Every single change that could matter, requests at nothing and limits at no end, best first. `shape`: what
// the pod asks for now, its volumes included.
std::vector<Change> possible_changes(const api::Pod& pod, const api::NodePool& pool,
                                     const rules::PodShape& shape);

struct SmallestChange {
    // The best first; all of one size, one change or two. Of pairs, only the best. Empty: none helps.
    std::vector<std::vector<Change>> found;
    std::size_t tries = 0;
    bool is_cut = false;  // It was not looked at everything.
};

inline constexpr std::size_t kMostChangeTries = 1'500;  // For one pool.

// REQUIRES: as they are, `works` says no.
SmallestChange find_smallest_change(const api::Pod& pod, const api::NodePool& pool,
                                    const rules::PodShape& shape, const Tryout& works,
                                    std::size_t most_tries = kMostChangeTries);

}  // namespace joiner::plan
