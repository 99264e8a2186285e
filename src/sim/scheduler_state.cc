#include "sim/scheduler_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "rules/selector.h"
#include "sim/node_match.h"

namespace joiner::sim {
namespace {

constexpr const char* kPortsTaken = "node(s) didn't have free ports for the requested pod ports";

bool same_port(const api::ContainerPort& a, const api::ContainerPort& b) {
    const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0"; };
    return a.host_port == b.host_port && a.protocol == b.protocol &&
           (any(a.host_ip) || any(b.host_ip) || a.host_ip == b.host_ip);
}

bool ports_clash(const api::Pod& a, const api::Pod& b) {
    for (const api::Container& mine : a.spec.containers) {
        for (const api::ContainerPort& port : mine.ports) {
            for (const api::Container& theirs : b.spec.containers) {
                for (const api::ContainerPort& other : theirs.ports) {
                    if (port.host_port > 0 && same_port(port, other)) return true;
                }
            }
        }
    }
    return false;
}

bool has_ports(const api::Pod& pod) {
    return std::any_of(pod.spec.containers.begin(), pod.spec.containers.end(),
                       [](const api::Container& each) { return !each.ports.empty(); });
}

// The selector, narrowed to the pod's own values of these label keys.
std::optional<api::LabelSelector> narrowed(std::optional<api::LabelSelector> selector, const api::Pod& pod,
                                           const std::vector<std::string>& match_keys,
                                           const std::vector<std::string>& mismatch_keys = {}) {
    if (!selector) return selector;
    for (const std::string& key : match_keys) {
        const auto label = pod.meta.labels.find(key);
        if (label != pod.meta.labels.end()) selector->match_labels[key] = label->second;
    }
    for (const std::string& key : mismatch_keys) {
        const auto label = pod.meta.labels.find(key);
        if (label != pod.meta.labels.end())
            selector->match_expressions.push_back({key, "NotIn", {label->second}, {}});
    }
    return selector;
}

double used_share(const rules::Resources& used, const rules::Resources& request,
                  const rules::Resources& allocatable) {
    const auto share = [](std::int64_t amount, std::int64_t of) {
        return of > 0 ? static_cast<double>(amount) / static_cast<double>(of) : 1.0;
    };
    return (share(used.cpu_milli + request.cpu_milli, allocatable.cpu_milli) +
            share(used.memory_bytes + request.memory_bytes, allocatable.memory_bytes)) /
           2;
}

}  // namespace

// What the pods on all nodes say about where this one may go.
struct SchedulerState::PodTerms {
    struct Spread {
        const api::TopologySpreadConstraint* constraint = nullptr;
        std::map<std::string, int> counts;  // By domain.
        int least = 0;
        int self = 0;
    };
    std::vector<Spread> spreads;
    struct Affinity {
        std::string key;
        std::set<std::string> domains;
        bool any_domain = false;  // Nobody matches yet but the pod itself: it may be the first.
    };
    std::vector<Affinity> wanted;
    std::set<std::pair<std::string, std::string>> kept_off;   // (key, domain) by own anti-affinity.
    std::set<std::pair<std::string, std::string>> unwelcome;  // (key, domain) by others' anti-affinity.
};

SchedulerPodPtr make_scheduler_pod(const ObjectPtr& object) {
    auto decoded = api::decode_pod(object->text());
    if (!decoded) return nullptr;
    auto pod = std::make_shared<SchedulerPod>();
    pod->key = namespace_of(object->json) + "/" + name_of(object->json);
    pod->object = object;
    pod->pod = std::move(*decoded);
    pod->request = rules::pod_requests(pod->pod.spec, pod->pod.status);
    pod->shape = namespace_of(object->json) + to_text(object->json["spec"]);
    if (pod->has_pod_terms()) pod->shape += to_text(object_at(object->json, {"metadata", "labels"}));
    return pod;
}

bool SchedulerState::set_node(const ObjectPtr& object) {
    auto decoded = api::decode_node(object->text());
    if (!decoded) return false;
    SchedulerNode& node = nodes_[decoded->meta.name];
    const rules::Resources allocatable = rules::as_capacity(decoded->allocatable);
    const bool is_better = !node.object || node.node.taints != decoded->taints ||
                           node.node.meta.labels != decoded->meta.labels ||
                           node.node.unschedulable != decoded->unschedulable ||
                           !(node.allocatable == allocatable);
    node.object = object;
    node.node = std::move(*decoded);
    node.allocatable = allocatable;
    return is_better;
}

void SchedulerState::remove_node(const std::string& name) {
    nodes_.erase(name);
}

void SchedulerState::place(const SchedulerPodPtr& pod, const std::string& node) {
    remove_pod(pod->key);
    placed_[pod->key] = {pod, node};
    if (!pod->pod.spec.required_pod_anti_affinity.empty()) ++pods_with_anti_affinity_;
    SchedulerNode& host = nodes_[node];
    host.pods[pod->key] = pod;
    host.used += pod->request;
}

bool SchedulerState::remove_pod(const std::string& key) {
    const auto found = placed_.find(key);
    if (found == placed_.end()) return false;
    const auto& [pod, node] = found->second;
    if (!pod->pod.spec.required_pod_anti_affinity.empty()) --pods_with_anti_affinity_;
    if (const auto host = nodes_.find(node); host != nodes_.end() && host->second.pods.erase(key) > 0)
        host->second.used -= pod->request;
    placed_.erase(found);
    return true;
}

void SchedulerState::nominate(const SchedulerPodPtr& pod, const std::string& node) {
    nominated_[pod->key] = {pod, node};
}

const std::string* SchedulerState::nominated_node(const std::string& key) const {
    const auto found = nominated_.find(key);
    return found == nominated_.end() ? nullptr : &found->second.second;
}

rules::Resources SchedulerState::spoken_for(const SchedulerPod& pod, const std::string& node) const {
    rules::Resources out;
    for (const auto& [key, nomination] : nominated_) {
        const auto& [other, its_node] = nomination;
        if (its_node == node && key != pod.key && other->pod.spec.priority >= pod.pod.spec.priority)
            out += other->request;
    }
    return out;
}

SchedulerState::VolumeNeeds SchedulerState::volume_needs(const SchedulerPod& pod) const {
    VolumeNeeds needs;
    const std::string& ns = pod.pod.meta.ns;
    for (const api::Volume& volume : pod.pod.spec.volumes) {
        const std::string name = volume.ephemeral ? pod.pod.meta.name + "-" + volume.name : volume.claim_name;
        if (name.empty()) continue;
        const ObjectPtr claim = verbs_.store().get(verbs_.type("persistentvolumeclaims"), ns, name);
        if (!claim) {
            needs.problem = fmt::format("persistentvolumeclaim \"{}\" not found", name);
            return needs;
        }
        const std::string& bound = text_at(claim->json, {"spec", "volumeName"});
        if (text_at(claim->json, {"status", "phase"}) == "Bound") {
            const ObjectPtr persistent = verbs_.store().get(verbs_.type("persistentvolumes"), "", bound);
            const auto decoded = persistent ? api::decode_persistent_volume(persistent->text())
                                            : Result<api::PersistentVolume>(invalid(""));
            if (decoded && !decoded->node_terms.empty()) needs.terms.push_back(decoded->node_terms);
            continue;
        }
        const ObjectPtr storage = verbs_.store().get(verbs_.type("storageclasses"), "",
                                                     text_at(claim->json, {"spec", "storageClassName"}));
        const auto decoded =
            storage ? api::decode_storage_class(storage->text()) : Result<api::StorageClass>(invalid(""));
        if (!decoded || decoded->binding_mode != "WaitForFirstConsumer") {
            needs.problem = "pod has unbound immediate PersistentVolumeClaims";
            return needs;
        }
        if (!decoded->allowed_topologies.empty()) needs.terms.push_back(decoded->allowed_topologies);
        needs.unbound.push_back(name);
    }
    return needs;
}

api::StringMap SchedulerState::namespace_labels(const std::string& ns) const {
    api::StringMap labels;
    const ObjectPtr object = verbs_.store().get(verbs_.type("namespaces"), "", ns);
    if (!object) return labels;
    for (const auto& [key, value] : object_at(object->json, {"metadata", "labels"}).items()) {
        if (value.is_string()) labels[key] = value.get<std::string>();
    }
    return labels;
}

SchedulerState::PodTerms SchedulerState::pod_terms(const SchedulerPod& incoming) const {
    PodTerms terms;
    const api::Pod& pod = incoming.pod;
    const auto domain_of = [](const SchedulerNode& node, const std::string& key) -> const std::string* {
        const auto label = node.node.meta.labels.find(key);
        return label == node.node.meta.labels.end() ? nullptr : &label->second;
    };
    for (const api::TopologySpreadConstraint& constraint : pod.spec.topology_spread) {
        if (constraint.when_unsatisfiable != "DoNotSchedule") continue;
        PodTerms::Spread spread;
        spread.constraint = &constraint;
        const auto selector = narrowed(constraint.selector, pod, constraint.match_label_keys);
        spread.self = rules::matches(selector, pod.meta.labels) ? 1 : 0;
        for (const auto& [name, node] : nodes_) {
            const std::string* domain = domain_of(node, constraint.topology_key);
            if (!domain || !node.object) continue;
            if (constraint.node_affinity_policy == "Honor" && !selects_node(pod.spec, node.node)) continue;
            if (constraint.node_taints_policy == "Honor" &&
                first_untolerated(pod.spec.tolerations, node.node.taints, false))
                continue;
            int& count = spread.counts[*domain];
            for (const auto& [key, other] : node.pods) {
                if (other->pod.meta.ns == pod.meta.ns && !other->pod.meta.deleted &&
                    rules::matches(selector, other->pod.meta.labels))
                    ++count;
            }
        }
        const bool too_few = constraint.min_domains &&
                             spread.counts.size() < static_cast<std::size_t>(*constraint.min_domains);
        for (const auto& [domain, count] : spread.counts)
            spread.least = domain == spread.counts.begin()->first ? count : std::min(spread.least, count);
        if (too_few) spread.least = 0;
        terms.spreads.push_back(std::move(spread));
    }

    const auto in_scope = [&](const api::PodAffinityTerm& term, const api::Pod& owner,
                              const api::Pod& other) {
        if (term.namespace_selector &&
            rules::matches(*term.namespace_selector, namespace_labels(other.meta.ns)))
            return true;
        if (term.namespaces.empty() && !term.namespace_selector) return other.meta.ns == owner.meta.ns;
        return std::find(term.namespaces.begin(), term.namespaces.end(), other.meta.ns) !=
               term.namespaces.end();
    };
    const auto term_matches = [&](const api::PodAffinityTerm& term, const api::Pod& owner,
                                  const api::Pod& other) {
        return in_scope(term, owner, other) &&
               rules::matches(narrowed(term.selector, owner, term.match_label_keys, term.mismatch_label_keys),
                              other.meta.labels);
    };
    bool nobody_matches = true;
    bool matches_itself = true;
    for (const api::PodAffinityTerm& term : pod.spec.required_pod_affinity) {
        PodTerms::Affinity affinity{term.topology_key, {}, false};
        for (const auto& [name, node] : nodes_) {
            const std::string* domain = domain_of(node, term.topology_key);
            if (!domain) continue;
            for (const auto& [key, other] : node.pods) {
                if (!term_matches(term, pod, other->pod)) continue;
                affinity.domains.insert(*domain);
                nobody_matches = false;
            }
        }
        matches_itself = matches_itself && term_matches(term, pod, pod);
        terms.wanted.push_back(std::move(affinity));
    }
    for (PodTerms::Affinity& affinity : terms.wanted) affinity.any_domain = nobody_matches && matches_itself;
    if (pod.spec.required_pod_anti_affinity.empty() && pods_with_anti_affinity_ == 0) return terms;
    for (const auto& [name, node] : nodes_) {
        for (const auto& [key, other] : node.pods) {
            for (const api::PodAffinityTerm& term : pod.spec.required_pod_anti_affinity) {
                const std::string* domain = domain_of(node, term.topology_key);
                if (domain && term_matches(term, pod, other->pod))
                    terms.kept_off.emplace(term.topology_key, *domain);
            }
            for (const api::PodAffinityTerm& term : other->pod.spec.required_pod_anti_affinity) {
                const std::string* domain = domain_of(node, term.topology_key);
                if (domain && term_matches(term, other->pod, pod))
                    terms.unwelcome.emplace(term.topology_key, *domain);
            }
        }
    }
    return terms;
}

// The first kind of reason that applies, as the scheduler's chain of filters ends at the first that says no.
std::vector<std::string> SchedulerState::reasons_against(const SchedulerPod& incoming,
                                                         const SchedulerNode& node,
                                                         const VolumeNeeds& volumes,
                                                         const PodTerms& terms) const {
    const api::PodSpec& spec = incoming.pod.spec;
    const api::Taint unschedulable{"node.kubernetes.io/unschedulable", "", "NoSchedule", {}};
    if (node.node.unschedulable && !tolerates_taint(spec.tolerations, unschedulable))
        return {"node(s) were unschedulable"};
    if (!spec.node_name.empty() && spec.node_name != node.node.meta.name)
        return {"node(s) didn't match the requested node name"};
    if (first_untolerated(spec.tolerations, node.node.taints, false))
        return {"node(s) had untolerated taint(s)"};
    if (!selects_node(spec, node.node)) return {"node(s) didn't match Pod's node affinity/selector"};
    if (has_ports(incoming.pod)) {
        for (const auto& [key, other] : node.pods) {
            if (ports_clash(incoming.pod, other->pod)) return {kPortsTaken};
        }
    }
    const rules::Resources free = node.allocatable - node.used - spoken_for(incoming, node.node.meta.name);
    if (!rules::fits(incoming.request, free)) {
        std::vector<std::string> reasons;
        const rules::Resources& request = incoming.request;
        if (request.pods > free.pods) reasons.emplace_back("Too many pods");
        if (request.cpu_milli > 0 && request.cpu_milli > free.cpu_milli)
            reasons.emplace_back("Insufficient cpu");
        if (request.memory_bytes > 0 && request.memory_bytes > free.memory_bytes)
            reasons.emplace_back("Insufficient memory");
        if (request.ephemeral_bytes > 0 && request.ephemeral_bytes > free.ephemeral_bytes)
            reasons.emplace_back("Insufficient ephemeral-storage");
        for (const auto& [name, amount] : request.extended) {
            if (amount > free.get(name)) reasons.push_back("Insufficient " + name);
        }
        return reasons;
    }
    for (const auto& any_of : volumes.terms) {
        if (std::none_of(any_of.begin(), any_of.end(),
                         [&](const api::NodeSelectorTerm& term) { return matches_term(term, node.node); })) {
            return {"node(s) had volume node affinity conflict"};
        }
    }
    const api::StringMap& labels = node.node.meta.labels;
    for (const PodTerms::Spread& spread : terms.spreads) {
        const auto domain = labels.find(spread.constraint->topology_key);
        if (domain == labels.end())
            return {"node(s) didn't match pod topology spread constraints (missing required label)"};
        const auto count = spread.counts.find(domain->second);
        const int here = count == spread.counts.end() ? 0 : count->second;
        if (here + spread.self - spread.least > spread.constraint->max_skew)
            return {"node(s) didn't match pod topology spread constraints"};
    }
    for (const PodTerms::Affinity& affinity : terms.wanted) {
        const auto domain = labels.find(affinity.key);
        if (domain == labels.end() || (!affinity.any_domain && !affinity.domains.contains(domain->second))) {
            return {"node(s) didn't match pod affinity rules"};
        }
    }
    const auto is_in = [&](const auto& pairs) {
        return std::any_of(pairs.begin(), pairs.end(), [&](const auto& each) {
            const auto label = labels.find(each.first);
            return label != labels.end() && label->second == each.second;
        });
    };
    if (is_in(terms.kept_off)) return {"node(s) didn't match pod anti-affinity rules"};
    if (is_in(terms.unwelcome)) return {"node(s) didn't satisfy existing pods anti-affinity rules"};
    return {};
}

bool SchedulerState::may_be_on(const SchedulerPod& pod, const std::string& node) const {
    const VolumeNeeds volumes = volume_needs(pod);
    return volumes.problem.empty() && reasons_against(pod, nodes_.at(node), volumes, pod_terms(pod)).empty();
}

SchedulerState::Choice SchedulerState::choose(const SchedulerPod& pod) const {
    Choice choice;
    const VolumeNeeds volumes = volume_needs(pod);
    if (!volumes.problem.empty()) {
        choice.problem = volumes.problem;
        return choice;
    }
    const PodTerms terms = pod_terms(pod);
    double best = 0;
    for (const auto& [name, node] : nodes_) {
        if (!node.object) continue;
        const auto reasons = reasons_against(pod, node, volumes, terms);
        for (const std::string& reason : reasons) ++choice.reasons[reason];
        if (!reasons.empty()) continue;
        double score = 1 - used_share(node.used, pod.request, node.allocatable);
        for (const api::Taint& taint : node.node.taints) {
            if (taint.effect == "PreferNoSchedule" && !tolerates_taint(pod.pod.spec.tolerations, taint))
                score -= 1;
        }
        for (const api::PreferredNodeTerm& preferred : pod.pod.spec.preferred_node_terms) {
            if (matches_term(preferred.term, node.node)) score += preferred.weight / 100.0;
        }
        if (choice.node.empty() || score > best) {
            choice.node = name;
            best = score;
        }
    }
    choice.claims_to_bind = volumes.unbound;
    return choice;
}

}  // namespace joiner::sim
