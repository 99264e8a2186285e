// What every Kubernetes object has, as plain structs. Value types; any thread. Times are UTC.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "base/time.h"

namespace joiner::api {

// Sorted, so that everything made from it comes out in one order.
using StringMap = std::map<std::string, std::string, std::less<>>;
using ResourceMap = std::map<std::string, Quantity, std::less<>>;

struct OwnerReference {
    std::string api_version;
    std::string kind;
    std::string name;
    std::string uid;
    bool controller = false;
    bool block_owner_deletion = false;
};

struct ObjectMeta {
    std::string name;
    std::string ns;  // Empty for cluster-scoped kinds.
    std::string uid;
    std::string resource_version;
    std::int64_t generation = 0;
    StringMap labels;
    StringMap annotations;
    std::vector<OwnerReference> owners;
    std::vector<std::string> finalizers;
    WallTime created = kNoTime;
    std::optional<WallTime> deleted;  // deletionTimestamp: when set, the object is on its way out.
};

// "ns/name", or "name" for cluster-scoped objects.
std::string full_name(const ObjectMeta& meta);
// The owner with controller=true, or nullptr.
const OwnerReference* controller_of(const ObjectMeta& meta);
// The value for `key`, or an empty view.
std::string_view find_or_empty(const StringMap& map, std::string_view key);

// metav1.Condition, and the older condition kinds of Pod and Node, which lack some of the fields.
struct Condition {
    std::string type;
    std::string status;  // "True", "False" or "Unknown".
    std::string reason;
    std::string message;
    WallTime last_transition = kNoTime;
    std::int64_t observed_generation = 0;

    friend bool operator==(const Condition&, const Condition&) = default;
};
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);

struct SelectorRequirement {
    std::string key;
    std::string op;  // In, NotIn, Exists, DoesNotExist; node selectors also Gt, Lt, and ours Gte, Lte.
    std::vector<std::string> values;
    std::optional<int> min_values;  // NodePool and NodeClaim requirements only.

    friend bool operator==(const SelectorRequirement&, const SelectorRequirement&) = default;
};

struct LabelSelector {
    StringMap match_labels;
    std::vector<SelectorRequirement> match_expressions;

    friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

struct Taint {
    std::string key;
    std::string value;
    std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute.
    std::optional<WallTime> time_added;

    friend bool operator==(const Taint& a, const Taint& b) {
        return a.key == b.key && a.value == b.value && a.effect == b.effect;
    }
};

}  // namespace joiner::api
