#include "plan/provision/node_filter.h"

#include <algorithm>

#include "rules/taints.h"

namespace joiner::plan {

using rules::Requirements;

namespace {

bool has_label(const Requirements& labels, const std::string& key) {
    const rules::Requirement* own = labels.find(key);
    return own != nullptr && own->is_single();
}

}  // namespace

bool passes(const NodeFilter& filter, const std::vector<std::string>& keys, const Requirements& labels,
            std::string_view name, const std::vector<api::Taint>& taints) {
    return std::all_of(filter.keys.begin(), filter.keys.end(),
                       [&](KeyId key) { return has_label(labels, keys[key]); }) &&
           (filter.affinity == nullptr || std::any_of(filter.affinity->begin(), filter.affinity->end(),
                                                      [&](const Requirements& wanted) {
                                                          return rules::admits_node(labels, name, wanted);
                                                      })) &&
           (filter.tolerations == nullptr ||
            rules::untolerated_taint(*filter.tolerations, taints) == nullptr);
}

bool may_pass(const NodeFilter& filter, const std::vector<std::string>& keys,
              const std::vector<const Requirements*>& sources, KeyId key, const std::string& value) {
    const auto label = [&](const std::string& name) {
        for (const Requirements* source : sources) {
            if (const rules::Requirement* own = source->find(name)) return own;
        }
        return static_cast<const rules::Requirement*>(nullptr);
    };
    const rules::Requirement* own = label(keys[key]);
    if (own == nullptr || !own->allows(value)) return false;
    const auto is_met = [&](const rules::Requirement& wanted) {
        return wanted.key() == keys[key] ? wanted.allows(value) : rules::suits(label(wanted.key()), wanted);
    };
    return std::all_of(filter.keys.begin(), filter.keys.end(),
                       [&](KeyId other) { return label(keys[other]) != nullptr; }) &&
           (filter.affinity == nullptr ||
            std::any_of(filter.affinity->begin(), filter.affinity->end(), [&](const Requirements& one) {
                return std::all_of(one.begin(), one.end(), is_met);
            }));
}

}  // namespace joiner::plan
