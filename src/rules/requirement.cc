#include "rules/requirement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/label_text.h"
#include "api/names.h"

namespace joiner::rules {
namespace {

// A label value as an integer; values of another form never meet a bound.
std::optional<std::int64_t> as_integer(std::string_view text) {
    std::int64_t value = 0;
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool within(std::string_view text, std::int64_t lower, std::int64_t upper) {
    if (lower == Requirement::kNoLower && upper == Requirement::kNoUpper) return true;
    const auto value = as_integer(text);
    return value && *value >= lower && *value <= upper;
}

void sort_unique(std::vector<std::string>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

// A value that is empty would not be seen.
std::string words_of_values(const std::vector<std::string>& values) {
    std::string out;
    for (const std::string& value : values) {
        if (!out.empty()) out += ' ';
        out += value.empty() ? "\"\"" : value;
    }
    return out;
}

}  // namespace

std::string_view normalize_label(std::string_view key) {
    return api::normalize_label(key);
}

Requirement Requirement::exists(std::string key) {
    Requirement r;
    r.key_ = std::move(key);
    r.complement_ = true;
    r.allows_absence_ = false;
    return r;
}

Requirement Requirement::does_not_exist(std::string key) {
    Requirement r;
    r.key_ = std::move(key);
    return r;
}

Requirement Requirement::in(std::string key, std::vector<std::string> values) {
    Requirement r;
    r.key_ = std::move(key);
    r.values_ = std::move(values);
    r.allows_absence_ = false;
    sort_unique(r.values_);
    return r;
}

Requirement Requirement::not_in(std::string key, std::vector<std::string> values) {
    Requirement r = in(std::move(key), std::move(values));
    r.complement_ = true;
    r.allows_absence_ = true;
    return r;
}

Result<Requirement> Requirement::make(const api::SelectorRequirement& source) {
    const std::string key(normalize_label(source.key));
    Requirement r;
    if (source.op == "In") {
        r = in(key, source.values);
    } else if (source.op == "NotIn") {
        r = not_in(key, source.values);
    } else if (source.op == "Exists") {
        r = exists(key);
    } else if (source.op == "DoesNotExist") {
        r = does_not_exist(key);
    } else if (source.op == "Gt" || source.op == "Lt" || source.op == "Gte" || source.op == "Lte") {
        const auto bound = source.values.size() == 1 ? as_integer(source.values.front()) : std::nullopt;
        if (!bound) {
            return invalid(
                fmt::format("requirement on {}: operator {} takes exactly one whole number", key, source.op));
        }
        r = exists(key);
        if (source.op == "Gt" && *bound == kNoUpper) {
            r = in(key, {});
        } else if (source.op == "Lt" && *bound == kNoLower) {
            r = in(key, {});
        } else if (source.op[0] == 'G') {
            r.lower_ = source.op == "Gt" ? *bound + 1 : *bound;
        } else {
            r.upper_ = source.op == "Lt" ? *bound - 1 : *bound;
        }
    } else {
        return invalid(
            fmt::format("requirement on {}: operator \"{}\" is not one of In, NotIn, Exists, DoesNotExist, "
                        "Gt, Lt, Gte, Lte",
                        key, source.op));
    }
    r.min_values_ = source.min_values;
    return r;
}

Operator Requirement::op() const {
    if (complement_) return values_.empty() ? Operator::kExists : Operator::kNotIn;
    return allows_absence_ ? Operator::kDoesNotExist : Operator::kIn;
}

bool Requirement::allows(std::string_view value) const {
    const bool listed = std::binary_search(values_.begin(), values_.end(), value);
    return listed != complement_ && within(value, lower_, upper_);
}

void Requirement::drop_out_of_bounds() {
    if (complement_) return;
    std::erase_if(values_, [&](const std::string& v) { return !within(v, lower_, upper_); });
    lower_ = kNoLower;
    upper_ = kNoUpper;
}

Requirement intersect(const Requirement& a, const Requirement& b) {
    Requirement r;
    r.key_ = a.key_;
    r.allows_absence_ = a.allows_absence_ && b.allows_absence_;
    r.lower_ = std::max(a.lower_, b.lower_);
    r.upper_ = std::min(a.upper_, b.upper_);
    if (a.min_values_ || b.min_values_)
        r.min_values_ = std::max(a.min_values_.value_or(0), b.min_values_.value_or(0));
    if (r.lower_ > r.upper_) {
        r.lower_ = Requirement::kNoLower;
        r.upper_ = Requirement::kNoUpper;
        return r;
    }
    r.complement_ = a.complement_ && b.complement_;
    const auto out = std::back_inserter(r.values_);
    const auto& x = a.values_;
    const auto& y = b.values_;
    if (a.complement_ && b.complement_) {
        std::set_union(x.begin(), x.end(), y.begin(), y.end(), out);
    } else if (a.complement_) {
        std::set_difference(y.begin(), y.end(), x.begin(), x.end(), out);
    } else if (b.complement_) {
        std::set_difference(x.begin(), x.end(), y.begin(), y.end(), out);
    } else {
        std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), out);
    }
    r.drop_out_of_bounds();
    return r;
}

bool Requirement::overlaps(const Requirement& other) const {
    const std::int64_t lower = std::max(lower_, other.lower_);
    const std::int64_t upper = std::min(upper_, other.upper_);
    if (lower > upper) return false;
    if (complement_ && other.complement_) return true;
    const Requirement& listed = complement_ ? other : *this;
    const Requirement& against = complement_ ? *this : other;
    return std::any_of(listed.values_.begin(), listed.values_.end(), [&](const std::string& value) {
        return against.allows(value) && within(value, lower, upper);
    });
}

bool suits(const Requirement* offered, const Requirement& wanted) {
    if (wanted.allows_absence() && (offered == nullptr || offered->allows_absence())) return true;
    return offered != nullptr && offered->overlaps(wanted);
}

void Requirement::append_to(std::vector<api::SelectorRequirement>& out) const {
    if (is_bounded()) {
        if (lower_ != kNoLower) out.push_back({key_, "Gte", {std::to_string(lower_)}, min_values_});
        if (upper_ != kNoUpper) out.push_back({key_, "Lte", {std::to_string(upper_)}, min_values_});
        if (complement_ && !values_.empty()) out.push_back({key_, "NotIn", values_, {}});
        return;
    }
    switch (op()) {
        case Operator::kIn:
            out.push_back({key_, "In", values_, min_values_});
            break;
        case Operator::kNotIn:
            if (!allows_absence_) out.push_back({key_, "Exists", {}, {}});
            out.push_back({key_, "NotIn", values_, min_values_});
            break;
        case Operator::kExists:
            out.push_back({key_, "Exists", {}, min_values_});
            break;
        case Operator::kDoesNotExist:
            out.push_back({key_, "DoesNotExist", {}, min_values_});
            break;
    }
}

std::string Requirement::any_value() const {
    if (allows_absence_) return {};
    if (!complement_) return values_.empty() ? std::string{} : values_.front();
    // The smallest whole number that is in bounds and not forbidden; at most one step a forbidden value.
    for (std::int64_t n = std::max<std::int64_t>(lower_, 0);; ++n) {
        std::string text = std::to_string(n);
        if (allows(text)) return text;
        if (n >= upper_) return {};
    }
}

std::string Requirement::to_string() const {
    std::string out = key_;
    switch (op()) {
        case Operator::kIn:
            out += fmt::format(" In [{}]", words_of_values(values_));
            break;
        case Operator::kNotIn:
            if (!allows_absence_ && !is_bounded()) out += " Exists";
            out += fmt::format(" NotIn [{}]", words_of_values(values_));
            break;
        case Operator::kExists:
            out += is_bounded() ? "" : " Exists";
            break;
        case Operator::kDoesNotExist:
            out += " DoesNotExist";
            break;
    }
    if (lower_ != kNoLower) out += fmt::format(" >= {}", lower_);
    if (upper_ != kNoUpper) out += fmt::format(" <= {}", upper_);
    return out;
}

WellKnownLabels::WellKnownLabels() {
    static const auto kCore = [] {
        std::vector<std::string> keys;
        for (const std::string_view key :
             {api::kNodePoolLabel, api::kCapacityTypeLabel, api::kZoneLabel, api::kRegionLabel,
              api::kInstanceTypeLabel, api::kArchLabel, api::kOSLabel, api::kWindowsBuildLabel})
            keys.emplace_back(key);
        std::sort(keys.begin(), keys.end());
        return std::make_shared<const std::vector<std::string>>(std::move(keys));
    }();
    keys_ = kCore;
}

void WellKnownLabels::add(std::string key) {
    if (contains(key)) return;
    std::vector<std::string> keys = *keys_;
    keys.insert(std::lower_bound(keys.begin(), keys.end(), key), std::move(key));
    keys_ = std::make_shared<const std::vector<std::string>>(std::move(keys));
}

bool WellKnownLabels::contains(std::string_view key) const {
    return std::binary_search(keys_->begin(), keys_->end(), key);
}

namespace {
struct ByKey {
    bool operator()(const Requirement& r, std::string_view key) const { return r.key() < key; }
};
}  // namespace

std::vector<Requirement>& Requirements::own() {
    if (items_ == nullptr)
        items_ = std::make_shared<std::vector<Requirement>>();
    else if (items_.use_count() > 1)
        items_ = std::make_shared<std::vector<Requirement>>(*items_);
    return *items_;
}

void Requirements::add(Requirement requirement) {
    std::vector<Requirement>& items = own();
    const auto it = std::lower_bound(items.begin(), items.end(), requirement.key(), ByKey{});
    if (it != items.end() && it->key() == requirement.key()) {
        *it = intersect(*it, requirement);
        return;
    }
    const auto at = it - items.begin();
    // By less than a vector's doubling: lists are made once, and stay.
    if (items.size() == items.capacity())
        items.reserve(items.size() + std::max<std::size_t>(4, items.size() / 4));
    items.insert(items.begin() + at, std::move(requirement));
}

void Requirements::add_all(const Requirements& other) {
    if (empty()) {
        items_ = other.items_;
        return;
    }
    for (const Requirement& requirement : other) add(requirement);
}

void Requirements::add_labels(const api::StringMap& labels) {
    if (labels.empty()) return;
    own().reserve(size() + labels.size());
    for (const auto& [key, value] : labels)
        add(Requirement::in(std::string(normalize_label(key)), std::vector<std::string>(1, value)));
}

void Requirements::replace(Requirement requirement) {
    remove(requirement.key());
    add(std::move(requirement));
}

void Requirements::remove(std::string_view key) {
    const Requirement* found = find(key);
    if (found == nullptr) return;
    const auto at = found - begin();
    std::vector<Requirement>& items = own();
    items.erase(items.begin() + at);
}

const Requirement* Requirements::find(std::string_view key) const {
    const Requirement* it = std::lower_bound(begin(), end(), key, ByKey{});
    return it != end() && it->key() == key ? it : nullptr;
}

std::vector<api::SelectorRequirement> Requirements::to_api() const {
    std::vector<api::SelectorRequirement> out;
    for (const Requirement& requirement : *this) requirement.append_to(out);
    return out;
}

std::string Requirements::to_string() const {
    std::string out;
    for (const Requirement& requirement : *this) {
        if (!out.empty()) out += ", ";
        out += requirement.to_string();
    }
    return out;
}

Result<Requirements> make_requirements(const std::vector<api::SelectorRequirement>& source) {
    Requirements out;
    for (const api::SelectorRequirement& item : source) {
        TRY(Requirement requirement, Requirement::make(item));
        out.add(std::move(requirement));
    }
    return out;
}

std::string first_conflict(const Requirements& a, const Requirements& b) {
    const Requirement* x = a.begin();
    const Requirement* y = b.begin();
    while (x != a.end() && y != b.end()) {
        if (x->key() < y->key()) {
            ++x;
        } else if (y->key() < x->key()) {
            ++y;
        } else {
            if (!suits(&*x, *y)) return x->key();
            ++x;
            ++y;
        }
    }
    return {};
}

namespace {

// As the scheduler takes them: one name, by In or NotIn.
Result<Requirement> make_field_requirement(const api::SelectorRequirement& field) {
    if (field.key != "metadata.name")
        return invalid(
            fmt::format("node affinity by the field {} is not understood; use metadata.name", field.key));
    if (field.values.size() != 1 || (field.op != "In" && field.op != "NotIn"))
        return invalid("node affinity by the field metadata.name takes In or NotIn and exactly one name");
    const std::string key(kNodeNameField);
    return field.op == "In" ? Requirement::in(key, field.values) : Requirement::not_in(key, field.values);
}

}  // namespace

Result<Requirements> pod_requirements(const api::PodSpec& spec, std::size_t term_index) {
    Requirements out;
    out.add_labels(spec.node_selector);
    if (term_index < spec.required_node_terms.size()) {
        const api::NodeSelectorTerm& term = spec.required_node_terms[term_index];
        if (term.match_fields.empty() && term.match_expressions.empty())
            return invalid("a required node affinity term that is empty matches no node");
        for (const api::SelectorRequirement& expression : term.match_expressions) {
            TRY(const Requirements one, make_requirements({expression}));
            if (const std::string key = first_conflict(out, one); !key.empty())
                return invalid(
                    fmt::format("its node selector and node affinity contradict each other over {}", key));
            out.add_all(one);
        }
        for (const api::SelectorRequirement& field : term.match_fields) {
            TRY(Requirement one, make_field_requirement(field));
            if (const Requirement* other = out.find(kNodeNameField);
                other != nullptr && !other->overlaps(one))
                return invalid("its node affinity contradicts itself over metadata.name");
            out.add(std::move(one));
        }
    }
    return out;
}

bool admits_node(const Requirements& labels, std::string_view name, const Requirements& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const Requirement& requirement) {
        if (requirement.key() == kNodeNameField)
            return name.empty() ? requirement.allows_absence() : requirement.allows(name);
        return suits(labels.find(requirement.key()), requirement);
    });
}

bool intersects(const Requirements& a, const Requirements& b) {
    return first_conflict(a, b).empty();
}

std::optional<std::string> incompatibility(const Requirements& offered, const Requirements& wanted,
                                           const WellKnownLabels* allowed_undefined) {
    for (const Requirement& requirement : wanted) {
        if (offered.has(requirement.key()) || requirement.allows_absence()) continue;
        if (allowed_undefined != nullptr && allowed_undefined->contains(requirement.key())) continue;
        return fmt::format("{}, and the label {} is not defined", requirement.to_string(), requirement.key());
    }
    const std::string key = first_conflict(offered, wanted);
    if (key.empty()) return std::nullopt;
    return fmt::format("{}, against {}", wanted.find(key)->to_string(), offered.find(key)->to_string());
}

}  // namespace joiner::rules
