// Which objects a list or watch asks for, by labels and by fields, and label selectors inside objects. Any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "sim/api_error.h"
#include "sim/json.h"

namespace joiner::sim {

struct Selector {
    api::LabelSelector labels;
    struct FieldTerm {
        std::string field;
        std::vector<std::string> path;
        std::string value;
        bool is_equal = true;
    };
    std::vector<FieldTerm> fields;

    bool selects_all() const {
        return labels.match_labels.empty() && labels.match_expressions.empty() && fields.empty();
    }
    // The value demanded of "metadata.name", or empty.
    std::string_view name() const;
};

// From the texts of a request. Errors are 400.
Answer<Selector> parse_selector(const ResourceType& type, std::string_view label_selector,
                                std::string_view field_selector);
bool matches(const Selector& selector, const Json& object);

// A metav1.LabelSelector as it stands in an object; null selects nothing, {} everything.
bool matches_label_selector(const Json& selector, const Json& labels);
// As kubectl prints it: "app=web,tier in (a,b)"; "<none>" when empty.
std::string label_selector_text(const Json& selector);

}  // namespace joiner::sim
