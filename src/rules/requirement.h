// The requirement algebra: what values one label key may take, and sets of such requirements. It decides
// whether a pod, a NodePool, an instance type and a node can go together. Value types; any thread. Semantics:
// upstream's scheduling requirements, as docs/requirements.md lays down.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "api/meta.h"
#include "base/result.h"

namespace joiner::rules {

enum class Operator { kIn, kNotIn, kExists, kDoesNotExist };

class Requirement {
  public:
    // Any value at all, but there must be one.
    static Requirement exists(std::string key);
    static Requirement does_not_exist(std::string key);
    static Requirement in(std::string key, std::vector<std::string> values);
    static Requirement not_in(std::string key, std::vector<std::string> values);
    // From the API's form: In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte, Lte. The key's aliases are
    // rewritten.
    static Result<Requirement> make(const api::SelectorRequirement& source);

    const std::string& key() const { return key_; }
    Operator op() const;
    // Sorted. The allowed values, or the forbidden ones where is_complement().
    const std::vector<std::string>& values() const { return values_; }
    bool is_complement() const { return complement_; }
    bool is_bounded() const { return lower_ != kNoLower || upper_ != kNoUpper; }
    std::int64_t lower() const { return lower_; }
    std::int64_t upper() const { return upper_; }
    std::optional<int> min_values() const { return min_values_; }
    void set_min_values(std::optional<int> n) { min_values_ = n; }

    // No value can satisfy it.
    bool is_empty() const { return !complement_ && values_.empty(); }
    // Who lacks the label meets it. So it is for NotIn and DoesNotExist, as long as nothing that asks for the
    // label (Exists, In, a bound) has met them.
    bool allows_absence() const { return allows_absence_; }
    // Exactly one value is left.
    bool is_single() const { return !complement_ && values_.size() == 1; }
    bool allows(std::string_view value) const;
    bool overlaps(const Requirement& other) const;

    friend Requirement intersect(const Requirement& a, const Requirement& b);
    // One to three API requirements that together say the same.
    void append_to(std::vector<api::SelectorRequirement>& out) const;
    // A value that satisfies it, the first in order; empty where none can, and where none has to be there.
    std::string any_value() const;
    // "zone In [a b]", for messages.
    std::string to_string() const;

    friend bool operator==(const Requirement&, const Requirement&) = default;

    static constexpr std::int64_t kNoLower = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t kNoUpper = std::numeric_limits<std::int64_t>::max();

  private:
    void drop_out_of_bounds();

    std::string key_;
    std::vector<std::string> values_;
    bool complement_ = false;
    bool allows_absence_ = true;
    std::int64_t lower_ = kNoLower;  // Inclusive.
    std::int64_t upper_ = kNoUpper;  // Inclusive.
    std::optional<int> min_values_;
};

Requirement intersect(const Requirement& a, const Requirement& b);

// Whether what is offered for its key suits `wanted`; nullptr: the label is not there.
bool suits(const Requirement* offered, const Requirement& wanted);

// Keys that a new node may define although nobody said so yet.
// Copies share the list until one of them adds to it.
class WellKnownLabels {
  public:
    WellKnownLabels();  // The core set.
    void add(std::string key);
    bool contains(std::string_view key) const;

  private:
    std::shared_ptr<const std::vector<std::string>> keys_;  // Sorted.
};

// One requirement a key, sorted by key. A missing key allows anything. Copies share the list until one of
// them changes: thousands of offerings have the same few lists.
class Requirements {
  public:
    Requirements() = default;

    // Intersects with what is there for the key.
    void add(Requirement requirement);
    void add_all(const Requirements& other);
    void add_labels(const api::StringMap& labels);
    void replace(Requirement requirement);
    void remove(std::string_view key);

    const Requirement* find(std::string_view key) const;
    bool has(std::string_view key) const { return find(key) != nullptr; }
    const Requirement* begin() const { return items_ == nullptr ? nullptr : items_->data(); }
    const Requirement* end() const { return begin() + size(); }
    std::size_t size() const { return items_ == nullptr ? 0 : items_->size(); }
    bool empty() const { return size() == 0; }

    std::vector<api::SelectorRequirement> to_api() const;
    std::string to_string() const;

    friend bool operator==(const Requirements& a, const Requirements& b) {
        return a.items_ == b.items_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

  private:
    // The list, for changes: from now on nobody else's.
    std::vector<Requirement>& own();

    std::shared_ptr<std::vector<Requirement>> items_;  // nullptr: none.
};

Result<Requirements> make_requirements(const std::vector<api::SelectorRequirement>& source);
// What a pod's nodeSelector and the given required term ask for together.
Result<Requirements> pod_requirements(const api::PodSpec& spec, std::size_t term_index);

// The node's name, which `matchFields` asks about, as if it were a label; no label can have this key.
inline constexpr std::string_view kNodeNameField = "field:metadata.name";

// Whether a node that is there meets `wanted`. `name` is empty while a claim has no node yet.
bool admits_node(const Requirements& labels, std::string_view name, const Requirements& wanted);

// For every key both define, some value (or absence) suits both.
bool intersects(const Requirements& a, const Requirements& b);
// The first key on which they do not, or empty.
std::string first_conflict(const Requirements& a, const Requirements& b);

// `wanted` can be met by something that is `offered`: they intersect, and each key of `wanted` that `offered`
// leaves undefined may be absent or is one of `allowed_undefined` (nullptr: none, as for an existing node).
// Returns the reason in words when it is not so.
std::optional<std::string> incompatibility(const Requirements& offered, const Requirements& wanted,
                                           const WellKnownLabels* allowed_undefined);
inline bool compatible(const Requirements& offered, const Requirements& wanted,
                       const WellKnownLabels* allowed_undefined) {
    return !incompatibility(offered, wanted, allowed_undefined).has_value();
}

// "failure-domain.beta.kubernetes.io/zone" and the other old names become today's; the rest stays.
std::string_view normalize_label(std::string_view key);

}  // namespace joiner::rules
