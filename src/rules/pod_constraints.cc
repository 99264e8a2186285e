#include "rules/pod_constraints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "rules/requirement.h"
#include "rules/selector.h"

namespace joiner::rules {
namespace {

constexpr std::string_view kAnyAddress = "0.0.0.0";

std::string to_key(const std::optional<api::LabelSelector>& selector) {
    if (!selector) return "-";
    std::string out = "{";
    for (const auto& [key, value] : selector->match_labels) out += fmt::format("{}={},", key, value);
    for (const api::SelectorRequirement& r : selector->match_expressions)
        out += fmt::format("{} {} ({}),", r.key, r.op, fmt::join(r.values, " "));
    return out + "}";
}

// The API server works these keys into the selector when the pod is made; doing it again changes nothing.
void narrow(std::optional<api::LabelSelector>& selector, const std::vector<std::string>& keys,
            const api::StringMap& labels, const char* op) {
    if (!selector) return;
    for (const std::string& key : keys) {
        const auto it = labels.find(key);
        if (it == labels.end()) continue;
        api::SelectorRequirement narrower{key, op, {it->second}, {}};
        if (std::find(selector->match_expressions.begin(), selector->match_expressions.end(), narrower) ==
            selector->match_expressions.end()) {
            selector->match_expressions.push_back(std::move(narrower));
        }
    }
}

void finish(PodSelector& selector) {
    std::sort(selector.namespaces.begin(), selector.namespaces.end());
    selector.key = fmt::format("{}|{}|{}", fmt::join(selector.namespaces, ","),
                               to_key(selector.namespace_selector), to_key(selector.labels));
}

PodTerm make_term(const api::Pod& pod, const api::PodAffinityTerm& source, int weight) {
    PodTerm out;
    out.topology_key = normalize_label(source.topology_key);
    out.weight = weight;
    out.pods.namespaces = source.namespaces;
    out.pods.namespace_selector = source.namespace_selector;
    if (source.namespaces.empty() && !source.namespace_selector) out.pods.namespaces = {pod.meta.ns};
    out.pods.labels = source.selector;
    narrow(out.pods.labels, source.match_label_keys, pod.meta.labels, "In");
    narrow(out.pods.labels, source.mismatch_label_keys, pod.meta.labels, "NotIn");
    finish(out.pods);
    return out;
}

std::vector<PodTerm> make_terms(const api::Pod& pod, const std::vector<api::PodAffinityTerm>& source) {
    std::vector<PodTerm> out;
    for (const api::PodAffinityTerm& term : source) out.push_back(make_term(pod, term, 0));
    return out;
}

// Heaviest first.
std::vector<PodTerm> make_terms(const api::Pod& pod,
                                const std::vector<api::WeightedPodAffinityTerm>& source) {
    std::vector<PodTerm> out;
    for (const api::WeightedPodAffinityTerm& one : source)
        out.push_back(make_term(pod, one.term, one.weight));
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.weight > b.weight; });
    return out;
}

SpreadTerm make_spread(const std::string& ns, const api::StringMap& labels,
                       const api::TopologySpreadConstraint& source) {
    SpreadTerm out;
    out.topology_key = normalize_label(source.topology_key);
    out.max_skew = std::max(1, source.max_skew);
    out.min_domains = source.min_domains.value_or(0);
    out.is_hard = source.when_unsatisfiable != "ScheduleAnyway";
    out.honors_affinity = source.node_affinity_policy != "Ignore";
    out.honors_taints = source.node_taints_policy == "Honor";
    out.pods.namespaces = {ns};
    out.pods.labels = source.selector;
    narrow(out.pods.labels, source.match_label_keys, labels, "In");
    finish(out.pods);
    return out;
}

std::vector<HostPort> make_ports(const api::PodSpec& spec) {
    std::vector<HostPort> out;
    const auto add = [&](const api::Container& container) {
        for (const api::ContainerPort& port : container.ports) {
            if (port.host_port <= 0) continue;
            out.push_back({port.host_ip.empty() ? std::string(kAnyAddress) : port.host_ip, port.host_port,
                           port.protocol.empty() ? "TCP" : port.protocol});
        }
    };
    for (const api::Container& container : spec.containers) add(container);
    // Of the init containers only sidecars keep their ports.
    for (const api::Container& container : spec.init_containers) {
        if (container.restart_always) add(container);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::string make_key(const PodConstraints& c) {
    std::string key;
    const auto append = [&](char kind, const std::vector<PodTerm>& terms) {
        for (const PodTerm& term : terms)
            key += fmt::format("\n{}{} {} {}", kind, term.weight, term.topology_key, term.pods.key);
    };
    append('a', c.affinity);
    append('x', c.anti_affinity);
    append('p', c.preferred_affinity);
    append('q', c.preferred_anti_affinity);
    for (const SpreadTerm& s : c.spread) {
        key += fmt::format("\ns{} {} {} {} {} {} {}", s.max_skew, s.min_domains, s.is_hard, s.honors_affinity,
                           s.honors_taints, s.topology_key, s.pods.key);
    }
    for (const HostPort& port : c.ports) key += fmt::format("\nh{} {} {}", port.ip, port.port, port.protocol);
    for (const TogetherTerm& term : c.together) key += fmt::format("\nt{} {}", term.topology_key, term.id);
    return key;
}

}  // namespace

bool PodSelector::selects(const PodLabels& pod, const NamespaceLabels& known) const {
    if (!labels) return false;
    if (!std::binary_search(namespaces.begin(), namespaces.end(), pod.ns)) {
        if (!namespace_selector) return false;
        const auto it = known.find(pod.ns);
        // Every namespace has this label, and here some are known by their pods only.
        const api::StringMap by_name{{"kubernetes.io/metadata.name", pod.ns}};
        if (!matches(*namespace_selector, it == known.end() ? by_name : it->second)) return false;
    }
    return matches(*labels, pod.labels);
}

bool HostPort::clashes(const HostPort& other) const {
    return port == other.port && protocol == other.protocol &&
           (ip == other.ip || ip == kAnyAddress || other.ip == kAnyAddress);
}

PodConstraints make_pod_constraints(const api::Pod& pod, bool with_preferences) {
    PodConstraints out;
    out.affinity = make_terms(pod, pod.spec.required_pod_affinity);
    out.anti_affinity = make_terms(pod, pod.spec.required_pod_anti_affinity);
    if (with_preferences) {
        out.preferred_affinity = make_terms(pod, pod.spec.preferred_pod_affinity);
        out.preferred_anti_affinity = make_terms(pod, pod.spec.preferred_pod_anti_affinity);
    }
    for (const api::TopologySpreadConstraint& spread : pod.spec.topology_spread) {
        SpreadTerm term = make_spread(pod.meta.ns, pod.meta.labels, spread);
        if (term.is_hard || with_preferences) out.spread.push_back(std::move(term));
    }
    out.ports = make_ports(pod.spec);
    out.key = make_key(out);
    return out;
}

void add_together(PodConstraints& constraints, std::vector<TogetherTerm> terms) {
    if (terms.empty()) return;
    constraints.together = std::move(terms);
    constraints.key = make_key(constraints);
}

void add_spread(PodConstraints& constraints, const std::string& ns, const api::LabelSelector& selector,
                const std::vector<api::TopologySpreadConstraint>& spread) {
    for (api::TopologySpreadConstraint one : spread) {
        one.selector = selector;
        constraints.spread.push_back(make_spread(ns, {}, one));
    }
    constraints.key = make_key(constraints);
}

std::int64_t preference_weight(const PodConstraints& constraints, std::string_view topology_key) {
    constexpr int kSpreadWeight = 100;
    std::int64_t sum = 0;
    const auto is_meant = [&](const std::string& key) { return topology_key.empty() || key == topology_key; };
    for (const auto* terms : {&constraints.preferred_affinity, &constraints.preferred_anti_affinity}) {
        for (const PodTerm& term : *terms) sum += is_meant(term.topology_key) ? term.weight : 0;
    }
    for (const SpreadTerm& term : constraints.spread)
        sum += !term.is_hard && is_meant(term.topology_key) ? kSpreadWeight : 0;
    return sum;
}

void drop_preferences(PodConstraints& constraints, std::string_view topology_key) {
    const auto is_meant = [&](const auto& term) {
        return topology_key.empty() || term.topology_key == topology_key;
    };
    std::erase_if(constraints.preferred_affinity, is_meant);
    std::erase_if(constraints.preferred_anti_affinity, is_meant);
    std::erase_if(constraints.spread,
                  [&](const SpreadTerm& term) { return !term.is_hard && is_meant(term); });
    constraints.key = make_key(constraints);
}

}  // namespace joiner::rules
