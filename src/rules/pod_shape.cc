#include "rules/pod_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "rules/taints.h"

namespace joiner::rules {
namespace {

// The first constraint that planning does not cover, in words.
std::string unsupported_constraint(const api::PodSpec& spec) {
    if (spec.has_resource_claims) return "resource claims (dynamic resource allocation) are not supported";
    if (spec.in_pod_group) return "pod groups are not supported yet";
    for (const api::Toleration& toleration : spec.tolerations) {
        if (std::string problem = toleration_problem(toleration); !problem.empty()) return problem;
    }
    return {};
}

void append(std::string& key, const Requirements& requirements) {
    key += '{' + requirements.to_string() + '}';
}

std::string make_constraint_key(const PodShape& shape) {
    std::string key;
    for (const Requirements& one : shape.required) append(key, one);
    key += '|';
    for (const Requirements& one : shape.preferred) append(key, one);
    for (const api::Toleration& t : shape.tolerations)
        key += fmt::format("|{} {} {} {}", t.key, t.op, t.value, t.effect);
    key += fmt::format("|{}|{}|{}", shape.priority, shape.avoids_node_pools, shape.problem);
    return key;
}

std::string make_key(const PodShape& shape) {
    const Resources& r = shape.requests;
    std::string key = fmt::format("{}/{}/{}/{}", r.cpu_milli, r.memory_bytes, r.ephemeral_bytes, r.pods);
    for (const auto& [name, amount] : r.extended) key += fmt::format("/{}={}", name, amount);
    for (const auto& [driver, count] : shape.volumes) key += fmt::format("/{}:{}", driver, count);
    for (const auto& [driver, id] : shape.shared_volumes) key += fmt::format("/{}={}", driver, id);
    if (shape.preferred_weight != 0) key += fmt::format("|{}", shape.preferred_weight);
    return key + shape.constraint_key + shape.constraints.key;
}

}  // namespace

PodShape make_pod_shape(const api::Pod& pod, PreferencePolicy policy) {
    const api::PodSpec& spec = pod.spec;
    PodShape shape;
    shape.requests = pod_requests(spec, pod.status);
    shape.constraints = make_pod_constraints(pod, policy == PreferencePolicy::kRespect);
    shape.tolerations = spec.tolerations;
    shape.priority = spec.priority;
    shape.problem = unsupported_constraint(spec);
    if (spec.has_required_node_terms && spec.required_node_terms.empty() && shape.problem.empty()) {
        shape.problem = "required node affinity without any term matches no node";
    }
    const std::size_t terms = std::max<std::size_t>(spec.required_node_terms.size(), 1);
    std::string unusable;  // Why a term is; others may do.
    bool all_avoid_pools = true;
    const api::OwnerReference* owner = api::controller_of(pod.meta);
    const bool is_daemon = owner != nullptr && owner->kind == "DaemonSet";
    for (std::size_t i = 0; i < terms; ++i) {
        auto required = pod_requirements(spec, i);
        if (!required) {
            if (unusable.empty()) unusable = required.error().message;
            continue;
        }
        const Requirement* pool = required->find(api::kNodePoolLabel);
        all_avoid_pools &= pool != nullptr && pool->op() == Operator::kDoesNotExist;
        // Each names the node it is for, which nobody plans; without it pods of one DaemonSet share a shape.
        if (is_daemon) required->remove(kNodeNameField);
        shape.required.push_back(std::move(*required));
    }
    shape.avoids_node_pools = all_avoid_pools && !shape.required.empty();
    if (shape.required.empty()) {
        if (shape.problem.empty()) shape.problem = unusable;
        shape.required.emplace_back();
    }
    if (policy == PreferencePolicy::kRespect && !spec.preferred_node_terms.empty()) {
        std::vector<api::PreferredNodeTerm> terms_by_weight = spec.preferred_node_terms;
        std::stable_sort(terms_by_weight.begin(), terms_by_weight.end(),
                         [](const auto& a, const auto& b) { return a.weight > b.weight; });
        for (const api::PreferredNodeTerm& preference : terms_by_weight) {
            // Preferences are for new nodes, and those cannot be named.
            const auto wanted = make_requirements(preference.term.match_expressions);
            if (!wanted || wanted->empty() || !preference.term.match_fields.empty()) continue;
            shape.preferred_weight += preference.weight;
            for (const Requirements& required : shape.required) {
                Requirements both = required;
                both.add_all(*wanted);
                shape.preferred.push_back(std::move(both));
            }
        }
    }
    shape.constraint_key = make_constraint_key(shape);
    shape.key = make_key(shape);
    return shape;
}

PodShape with_volumes(PodShape shape, PodVolumes volumes) {
    const std::vector<Requirements>& places = volumes.places;
    const auto narrowed = [&](const std::vector<Requirements>& before) {
        std::vector<Requirements> out;
        for (const Requirements& place : places) {
            for (const Requirements& one : before) {
                if (!intersects(one, place)) continue;
                Requirements both = one;
                both.add_all(place);
                if (std::find(out.begin(), out.end(), both) == out.end()) out.push_back(std::move(both));
            }
        }
        return out;
    };
    if (!places.empty()) {
        shape.before_volumes = shape.required;
        shape.required = narrowed(shape.required);
        shape.preferred = narrowed(shape.preferred);
    }
    shape.volumes = std::move(volumes.by_driver);
    shape.shared_volumes = std::move(volumes.shared);
    add_together(shape.constraints, std::move(volumes.together));
    if (shape.problem.empty()) shape.problem = volumes.problem;
    if (shape.required.empty()) {
        if (shape.problem.empty())
            shape.problem = "its volumes are where its node affinity does not let it go";
        shape.required.emplace_back();
    }
    shape.constraint_key = make_constraint_key(shape);
    shape.key = make_key(shape);
    return shape;
}

PodShape with_spread(PodShape shape, const std::string& ns, const api::LabelSelector& selector,
                     const std::vector<api::TopologySpreadConstraint>& spread) {
    add_spread(shape.constraints, ns, selector, spread);
    shape.key = make_key(shape);
    return shape;
}

PodShape without(Preferences which, PodShape shape) {
    if (which == Preferences::kNone) return shape;
    if (which == Preferences::kAll) {
        shape.preferred.clear();
        shape.preferred_weight = 0;
    }
    drop_preferences(shape.constraints,
                     which == Preferences::kAll ? std::string_view{} : api::kHostnameLabel);
    shape.constraint_key = make_constraint_key(shape);
    shape.key = make_key(shape);
    return shape;
}

std::int64_t weight_of(Preferences which, const PodShape& shape) {
    if (which == Preferences::kNone) return 0;
    const bool is_all = which == Preferences::kAll;
    return preference_weight(shape.constraints, is_all ? std::string_view{} : api::kHostnameLabel) +
           (is_all ? shape.preferred_weight : 0);
}

}  // namespace joiner::rules
