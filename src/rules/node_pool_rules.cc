#include "rules/node_pool_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/label_text.h"
#include "api/names.h"
#include "base/struct_hash.h"
#include "rules/node_cost.h"

namespace joiner::rules {
bool is_qualified_name(std::string_view key) {
    return api::is_qualified_name(key);
}

bool is_label_value(std::string_view value) {
    return api::is_label_value(value);
}

std::optional<std::string> RestrictedLabels::problem(std::string_view key) const {
    if (well_known.contains(key)) return std::nullopt;
    if (key == api::kHostnameLabel) return fmt::format("label {} is set by the controller alone", key);
    const std::string_view domain = key.substr(0, std::min(key.find('/'), key.size()));
    if (key.find('/') == std::string_view::npos) return std::nullopt;
    for (const std::string& restricted : domains) {
        const bool below = domain.size() > restricted.size() && domain.ends_with(restricted) &&
                           domain[domain.size() - restricted.size() - 1] == '.';
        if (domain == restricted || below)
            return fmt::format("label {} is in the restricted domain {}", key, restricted);
    }
    return std::nullopt;
}

namespace {

class Validator {
  public:
    Validator(const api::NodePool& pool, const RestrictedLabels& restricted)
        : pool_(pool), restricted_(restricted) {}

    std::string run() {
        if (!pool_.spec_problem.empty()) note(pool_.spec_problem);
        if (const auto cost = node_cost(pool_); !cost) note(cost.error().message);
        check_labels();
        check_taints();
        for (const api::SelectorRequirement& r : pool_.node_template.requirements) check_requirement(r);
        return problems_;
    }

  private:
    void note(std::string_view problem) {
        if (!problems_.empty()) problems_ += "; ";
        problems_ += problem;
    }

    void check_labels() {
        for (const auto& [key, value] : pool_.node_template.labels) {
            if (key == api::kProvisionerLabel && pool_.is_provisioner) continue;  // Our own.
            if (key == api::kNodePoolLabel) {
                note(fmt::format("spec.template.metadata.labels: {} is set by the controller alone", key));
            } else if (!is_qualified_name(key)) {
                note(fmt::format("spec.template.metadata.labels: \"{}\" is not a label key", key));
            } else if (const auto problem = restricted_.problem(normalize_label(key))) {
                note("spec.template.metadata.labels: " + *problem);
            }
            if (!is_label_value(value)) {
                note(fmt::format("spec.template.metadata.labels: \"{}\" of {} is not a label value", value,
                                 key));
            }
        }
    }

    void check_taints() {
        std::set<std::pair<std::string_view, std::string_view>> seen;
        const auto check = [&](std::string_view field, const std::vector<api::Taint>& taints) {
            for (const api::Taint& taint : taints) {
                if (!is_qualified_name(taint.key))
                    note(fmt::format("{}: \"{}\" is not a taint key", field, taint.key));
                if (!is_label_value(taint.value))
                    note(fmt::format("{}: \"{}\" is not a taint value", field, taint.value));
                const bool known = taint.effect.empty() || taint.effect == api::kNoSchedule ||
                                   taint.effect == api::kPreferNoSchedule || taint.effect == api::kNoExecute;
                if (!known) note(fmt::format("{}: \"{}\" is not a taint effect", field, taint.effect));
                if (!seen.emplace(taint.key, taint.effect).second) {
                    note(fmt::format("{}: {}:{} stands there twice (taints and startupTaints count together)",
                                     field, taint.key, taint.effect));
                }
            }
        };
        check("spec.template.spec.taints", pool_.node_template.taints);
        check("spec.template.spec.startupTaints", pool_.node_template.startup_taints);
    }

    void check_requirement(const api::SelectorRequirement& r) {
        constexpr std::string_view kField = "spec.template.spec.requirements";
        const std::string_view key = normalize_label(r.key);
        if (key == api::kNodePoolLabel)
            note(fmt::format("{}: {} is set by the controller alone", kField, key));
        if (!is_qualified_name(key)) note(fmt::format("{}: \"{}\" is not a label key", kField, key));
        if (const auto problem = restricted_.problem(key)) note(fmt::format("{}: {}", kField, *problem));
        if (const auto made = Requirement::make(r); !made)
            note(fmt::format("{}: {}", kField, made.error().message));
        for (const std::string& value : r.values) {
            if (!is_label_value(value))
                note(fmt::format("{}: \"{}\" of {} is not a label value", kField, value, key));
            const bool numeric = r.op == "Gt" || r.op == "Lt" || r.op == "Gte" || r.op == "Lte";
            if (numeric && value.starts_with('-'))
                note(fmt::format("{}: {} of {} is negative", kField, value, key));
        }
        if (r.op == "In" && r.values.empty()) note(fmt::format("{}: {} In lists no value", kField, key));
        if (r.op == "In" && r.min_values && *r.min_values > static_cast<int>(r.values.size())) {
            note(fmt::format("{}: {} lists fewer values than its minValues {}", kField, key, *r.min_values));
        }
        if (key == api::kCapacityTypeLabel && r.op == "In" && !r.values.empty()) {
            const auto known = std::count_if(r.values.begin(), r.values.end(), [](const std::string& v) {
                return v == api::kOnDemand || v == api::kSpot || v == api::kReserved;
            });
            if (known == 0) note(fmt::format("{}: {} lists none of on-demand, spot, reserved", kField, key));
            if (known > 0 && r.min_values && known < *r.min_values) {
                note(fmt::format("{}: {} lists fewer known values than its minValues", kField, key));
            }
        }
    }

    const api::NodePool& pool_;
    const RestrictedLabels& restricted_;
    std::string problems_;
};

std::uint64_t hash_taints(const std::vector<api::Taint>& taints) {
    std::uint64_t h = 0;
    for (const api::Taint& taint : taints) {
        StructHash one("Taint");
        one.text("Key", taint.key);
        one.text("Value", taint.value);
        one.text("Effect", taint.effect);
        h ^= one.value();
    }
    return h;
}

std::uint64_t hash_duration(std::string_view type_name, Duration duration) {
    StructHash h(type_name);
    if (duration.count() != 0)
        h.field("Duration", hash_integer(static_cast<std::uint64_t>(duration.count())));
    return h.value();
}

}  // namespace

std::string validate_node_pool(const api::NodePool& pool, const RestrictedLabels& restricted) {
    return Validator(pool, restricted).run();
}

std::string node_pool_hash(const api::NodePool& pool) {
    const api::NodePoolTemplate& t = pool.node_template;
    StructHash meta("ObjectMeta");
    api::StringMap labels = t.labels;
    // A NodePool may take the Provisioner's place, and its nodes are not to drift by that.
    if (pool.is_provisioner) labels.erase(std::string(api::kProvisionerLabel));
    if (!labels.empty()) meta.field("Labels", hash_string_map(labels));
    if (!t.annotations.empty()) meta.field("Annotations", hash_string_map(t.annotations));

    StructHash reference("NodeClassReference");
    reference.text("Kind", t.node_class.kind);
    reference.text("Name", t.node_class.name);
    reference.text("Group", t.node_class.group);

    StructHash spec("NodeClaimTemplateSpec");
    bool has_spec = false;
    const auto spec_field = [&](std::string_view name, std::uint64_t value) {
        spec.field(name, value);
        has_spec = true;
    };
    if (!t.taints.empty()) spec_field("Taints", hash_taints(t.taints));
    if (!t.startup_taints.empty()) spec_field("StartupTaints", hash_taints(t.startup_taints));
    if (t.node_class != api::NodeClassReference{}) spec_field("NodeClassRef", reference.value());
    if (t.termination_grace_period) {
        spec_field("TerminationGracePeriod", hash_duration("Duration", *t.termination_grace_period));
    }
    if (t.expire_after.value)
        spec_field("ExpireAfter", hash_duration("NillableDuration", *t.expire_after.value));

    StructHash whole("NodeClaimTemplate");
    if (!labels.empty() || !t.annotations.empty()) whole.field("ObjectMeta", meta.value());
    if (has_spec) whole.field("Spec", spec.value());
    return fmt::format("{}", whole.value());
}

}  // namespace joiner::rules
