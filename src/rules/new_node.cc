#include "rules/new_node.h"

#include "api/names.h"

namespace joiner::rules {
namespace {

// No node can have this name.
constexpr std::string_view kNobodysName = "a new node's own";

Requirement one(std::string_view key, std::string_view value) {
    return Requirement::in(std::string(key), {std::string(value)});
}

}  // namespace

void add_labels_once_up(Requirements& labels) {
    labels.replace(one(api::kRegisteredLabel, "true"));
    labels.replace(one(api::kInitializedLabel, "true"));
}

Requirements labels_of_new_node(const Requirements& pool) {
    Requirements out = pool;
    add_labels_once_up(out);
    out.replace(one(api::kHostnameLabel, kNobodysName));
    out.replace(one(kNodeNameField, kNobodysName));
    return out;
}

bool is_of_every_node(std::string_view key) {
    return key == api::kHostnameLabel || key == kNodeNameField || key == api::kRegisteredLabel ||
           key == api::kInitializedLabel;
}

bool is_for_the_claim(const Requirement& wanted, const Requirements& pool,
                      const WellKnownLabels& well_known) {
    if (is_of_every_node(wanted.key())) return false;
    return !wanted.allows_absence() || pool.has(wanted.key()) || well_known.contains(wanted.key());
}

}  // namespace joiner::rules
