#include "plan/explain/smallest_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "rules/node_pool_rules.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

constexpr std::int64_t kNoEnd = std::int64_t{1} << 58;
constexpr std::size_t kMostValues = 4;  // Of one requirement, that a pool is tried with.
constexpr std::size_t kMostOfASort = 64;
constexpr std::int64_t kMebibyte = 1 << 20;

bool counts_bytes(std::string_view resource) {
    return resource == "memory" || resource == "ephemeral-storage" || resource.starts_with("hugepages-");
}

// Amounts are whole multiples of it.
std::int64_t step_of(const Change& change) {
    if (counts_bytes(change.key)) return kMebibyte;
    return change.key == "cpu" && change.kind == ChangeKind::kRaiseLimit ? 1000 : 1;
}

Quantity quantity_of(std::string_view resource, std::int64_t amount) {
    if (resource == "cpu") return Quantity::of_milli(amount);
    return Quantity::of_units(
        amount, counts_bytes(resource) ? Quantity::Format::kBinarySI : Quantity::Format::kDecimalSI);
}

std::int64_t amount_of(std::string_view resource, const Quantity& quantity) {
    return resource == "cpu" ? quantity.milli_up() : quantity.units_up();
}

std::string taint_text(const Change& change) {
    return fmt::format("{}{}{}:{}", change.key, change.value.empty() ? "" : "=", change.value, change.effect);
}

std::string label_text_of(const Change& change) {
    return change.value.empty() ? change.key : fmt::format("{}={}", change.key, change.value);
}

// --- carrying out

// Every container's share of the pod's request shrinks by the same factor.
void lower_request(const Change& change, api::Pod& pod) {
    api::PodSpec& spec = pod.spec;
    const auto overhead_of = spec.overhead.find(change.key);
    const std::int64_t overhead =
        overhead_of == spec.overhead.end() ? 0 : amount_of(change.key, overhead_of->second);
    const std::int64_t before = change.from - overhead;
    const std::int64_t after = std::max<std::int64_t>(0, change.to - overhead);
    if (const auto own = spec.pod_requests.find(change.key); own != spec.pod_requests.end()) {
        own->second = quantity_of(change.key, after);
        return;
    }
    if (before <= 0) return;
    for (auto* containers : {&spec.containers, &spec.init_containers}) {
        for (api::Container& container : *containers) {
            const auto request = container.requests.find(change.key);
            if (request == container.requests.end()) continue;
            const __int128 amount = amount_of(change.key, request->second);
            request->second =
                quantity_of(change.key, static_cast<std::int64_t>(std::min(amount, amount * after / before)));
        }
    }
}

void drop_expression(const Change& change, api::PodSpec& spec) {
    std::vector<api::SelectorRequirement>& all = spec.required_node_terms[change.index].match_expressions;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(change.part));
}

// A term that asks for nothing more is met by every node, and so are all of them.
void drop_met_affinity(api::PodSpec& spec) {
    spec.has_required_node_terms = false;
    spec.required_node_terms.clear();
}

template <typename T>
void erase_at(std::vector<T>& from, std::size_t index) {
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(index));
}

void change_pod(const Change& change, api::Pod& pod) {
    api::PodSpec& spec = pod.spec;
    switch (change.kind) {
        case ChangeKind::kTolerate:
            spec.tolerations.push_back(
                {change.key, change.value.empty() ? "Exists" : "Equal", change.value, change.effect});
            return;
        case ChangeKind::kDropSelector:
            spec.node_selector.erase(change.key);
            return;
        case ChangeKind::kDropExpression:
            drop_expression(change, spec);
            return;
        case ChangeKind::kDropNodeAffinity:
            drop_met_affinity(spec);
            return;
        case ChangeKind::kLowerRequest:
            lower_request(change, pod);
            return;
        case ChangeKind::kDropSpread:
            erase_at(spec.topology_spread, change.index);
            return;
        case ChangeKind::kDropAntiAffinity:
            erase_at(spec.required_pod_anti_affinity, change.index);
            return;
        case ChangeKind::kDropAffinity:
            erase_at(spec.required_pod_affinity, change.index);
            return;
        case ChangeKind::kDropHostPort:
            erase_at(spec.containers[change.index].ports, change.part);
            return;
        case ChangeKind::kDropVolume:
            erase_at(spec.volumes, change.index);
            return;
        default:
            spec.has_resource_claims = false;
            for (auto* containers : {&spec.containers, &spec.init_containers}) {
                for (api::Container& container : *containers) container.uses_resource_claims = false;
            }
    }
}

void allow_value(const Change& change, api::NodePool& pool) {
    std::vector<api::SelectorRequirement>& all = pool.node_template.requirements;
    std::erase_if(all, [&](api::SelectorRequirement& one) {
        if (one.key != change.key) return false;
        if (one.op == "NotIn") {
            std::erase(one.values, change.value);
            return one.values.empty();
        }
        if (one.op != "In") return true;
        if (std::find(one.values.begin(), one.values.end(), change.value) == one.values.end())
            one.values.push_back(change.value);
        return false;
    });
}

void change_pool(const Change& change, api::NodePool& pool) {
    api::NodePoolTemplate& nodes = pool.node_template;
    switch (change.kind) {
        case ChangeKind::kDropTaint:
            std::erase_if(nodes.taints, [&](const api::Taint& taint) {
                return taint.key == change.key && taint.value == change.value &&
                       taint.effect == change.effect;
            });
            return;
        case ChangeKind::kSetLabel:
            nodes.labels[change.key] = change.value;
            return;
        case ChangeKind::kAllowValue:
            allow_value(change, pool);
            return;
        case ChangeKind::kRaiseLimit:
            if (pool.limits) (*pool.limits)[change.key] = quantity_of(change.key, change.to);
            return;
        case ChangeKind::kDropMinValues:
            for (api::SelectorRequirement& one : nodes.requirements) {
                if (one.key == change.key) one.min_values.reset();
            }
            return;
        case ChangeKind::kDropRequirement:
            std::erase_if(nodes.requirements, [&](const auto& one) { return one.key == change.key; });
            return;
        default:
            nodes.labels.erase(change.key);
    }
}

// --- what could be changed

class Changes {
  public:
    Changes(const api::Pod& pod, const api::NodePool& pool, const rules::PodShape& shape)
        : pod_(pod.spec), pool_(pool), shape_(shape) {}

    std::vector<Change> all() {
        add_tolerations(ChangeKind::kTolerate);
        add_node_rules();
        add_requests();
        add_rules_among_pods();
        add_what_it_holds();
        add_tolerations(ChangeKind::kDropTaint);
        add_labels();
        add_limits();
        for (const api::SelectorRequirement& one : pool_.node_template.requirements) {
            if (one.min_values) add({ChangeKind::kDropMinValues, one.key});
            add({ChangeKind::kDropRequirement, one.key});
        }
        std::stable_sort(out_.begin(), out_.end(),
                         [](const Change& a, const Change& b) { return a.kind < b.kind; });
        return std::move(out_);
    }

  private:
    void add(Change change) {
        std::size_t& of_its_sort = counts_[static_cast<std::size_t>(change.kind)];
        if (of_its_sort == kMostOfASort || std::find(out_.begin(), out_.end(), change) != out_.end()) return;
        ++of_its_sort;
        out_.push_back(std::move(change));
    }

    void add_tolerations(ChangeKind kind) {
        for (const api::Taint& taint : pool_.node_template.taints) {
            if (rules::untolerated_taint(pod_.tolerations, {taint}) != nullptr)
                add({kind, taint.key, taint.value, taint.effect});
        }
    }

    void add_node_rules() {
        for (const auto& [key, value] : pod_.node_selector) add({ChangeKind::kDropSelector, key, value});
        std::size_t parts = 0;
        for (std::size_t i = 0; i < pod_.required_node_terms.size(); ++i) {
            const api::NodeSelectorTerm& term = pod_.required_node_terms[i];
            parts += term.match_expressions.size() + term.match_fields.size();
            for (std::size_t j = 0; j < term.match_expressions.size(); ++j)
                add({.kind = ChangeKind::kDropExpression,
                     .key = term.match_expressions[j].key,
                     .index = i,
                     .part = j});
        }
        const bool is_one_expression = parts == 1 && out_.size() > 0 &&
                                       out_.back().kind == ChangeKind::kDropExpression &&
                                       pod_.required_node_terms.size() == 1;
        if (pod_.has_required_node_terms && !is_one_expression) add({ChangeKind::kDropNodeAffinity});
    }

    void add_requests() {
        const auto add_one = [&](std::string_view name, std::int64_t amount) {
            if (amount > 0)
                add({.kind = ChangeKind::kLowerRequest, .key = std::string(name), .from = amount, .to = 0});
        };
        add_one("cpu", shape_.requests.cpu_milli);
        add_one("memory", shape_.requests.memory_bytes);
        add_one("ephemeral-storage", shape_.requests.ephemeral_bytes);
        for (const auto& [name, amount] : shape_.requests.extended) add_one(name, amount);
    }

    void add_rules_among_pods() {
        for (std::size_t i = 0; i < pod_.topology_spread.size(); ++i) {
            const api::TopologySpreadConstraint& one = pod_.topology_spread[i];
            if (one.when_unsatisfiable != "ScheduleAnyway")
                add({.kind = ChangeKind::kDropSpread, .key = one.topology_key, .index = i});
        }
        for (std::size_t i = 0; i < pod_.required_pod_anti_affinity.size(); ++i)
            add({.kind = ChangeKind::kDropAntiAffinity,
                 .key = pod_.required_pod_anti_affinity[i].topology_key,
                 .index = i});
        for (std::size_t i = 0; i < pod_.required_pod_affinity.size(); ++i)
            add({.kind = ChangeKind::kDropAffinity,
                 .key = pod_.required_pod_affinity[i].topology_key,
                 .index = i});
    }

    void add_what_it_holds() {
        for (std::size_t i = 0; i < pod_.containers.size(); ++i) {
            const std::vector<api::ContainerPort>& ports = pod_.containers[i].ports;
            for (std::size_t j = 0; j < ports.size(); ++j)
                add({.kind = ChangeKind::kDropHostPort,
                     .key = fmt::format("{}/{}", ports[j].host_port, ports[j].protocol),
                     .index = i,
                     .part = j});
        }
        for (std::size_t i = 0; i < pod_.volumes.size(); ++i) {
            const api::Volume& volume = pod_.volumes[i];
            if (!volume.claim_name.empty() || volume.ephemeral)
                add({.kind = ChangeKind::kDropVolume,
                     .key = volume.name,
                     .value = volume.claim_name,
                     .index = i});
        }
        const bool has_claims =
            pod_.has_resource_claims || std::any_of(pod_.containers.begin(), pod_.containers.end(),
                                                    [](const auto& one) { return one.uses_resource_claims; });
        if (has_claims) add({ChangeKind::kDropResourceClaims});
    }

    // What the pod, or a volume of it, asks of its node and the pool does not give.
    void add_labels() {
        for (const rules::Requirements& alternative : shape_.required) {
            for (const rules::Requirement& wanted : alternative) add_label(wanted);
        }
    }

    void add_label(const rules::Requirement& wanted) {
        const api::NodePoolTemplate& nodes = pool_.node_template;
        const auto requires_key = [&](const api::SelectorRequirement& one) {
            return rules::normalize_label(one.key) == wanted.key();
        };
        const auto own = nodes.labels.find(wanted.key());
        // Of what may be anything, what people write.
        std::string value =
            wanted.is_complement() && wanted.allows("true") ? std::string("true") : wanted.any_value();
        const bool is_settable = rules::is_label_value(value) && wanted.allows(value);
        if (own != nodes.labels.end()) {
            if (wanted.allows(own->second)) return;
            if (is_settable && !wanted.allows_absence()) {
                add({ChangeKind::kSetLabel, wanted.key(), value});
            } else {
                add({ChangeKind::kDropLabel, wanted.key()});
            }
            return;
        }
        const auto there = std::find_if(nodes.requirements.begin(), nodes.requirements.end(), requires_key);
        if (there != nodes.requirements.end()) {
            if (wanted.is_complement()) return;
            for (std::size_t i = 0; i < wanted.values().size() && i < kMostValues; ++i)
                add({ChangeKind::kAllowValue, there->key, wanted.values()[i]});
            return;
        }
        if (!wanted.allows_absence() && is_settable) add({ChangeKind::kSetLabel, wanted.key(), value});
    }

    void add_limits() {
        if (!pool_.limits) return;
        for (const auto& [name, quantity] : *pool_.limits)
            add({.kind = ChangeKind::kRaiseLimit,
                 .key = name,
                 .from = amount_of(name, quantity),
                 .to = kNoEnd});
    }

    const api::PodSpec& pod_;
    const api::NodePool& pool_;
    const rules::PodShape& shape_;
    std::vector<Change> out_;
    std::size_t counts_[static_cast<std::size_t>(ChangeKind::kDropLabel) + 1] = {};
};

// --- the search

class ChangeSearch {
  public:
    ChangeSearch(const api::Pod& pod, const api::NodePool& pool, const Tryout& works, std::size_t most_tries)
        : pod_(pod), pool_(pool), works_(works), most_tries_(most_tries) {}

    SmallestChange search(const std::vector<Change>& possible) {
        if (!find_needed(possible)) return std::move(out_);
        for (const Change& one : possible) {
            if (meets_needs(one, one) && works({one})) out_.found.push_back({one});
        }
        if (out_.found.empty()) search_pairs(possible);
        // What was found is looked at to the end.
        for (std::vector<Change>& changes : out_.found) settle(changes);
        return std::move(out_);
    }

  private:
    bool carried_out_works(const std::vector<Change>& changes) {
        ++out_.tries;
        api::Pod pod = pod_;
        api::NodePool pool = pool_;
        carry_out(changes, pod, pool);
        return works_(pod, pool);
    }

    bool works(const std::vector<Change>& changes) {
        if (out_.tries >= most_tries_) {
            out_.is_cut = true;
            return false;
        }
        return carried_out_works(changes);
    }

    // Whoever relaxes more is no worse off (but where a label draws daemons). So where all relaxed but one
    // matter does not do, every answer has a change of that matter, and most pairs need no trying. False: no
    // two changes can be enough.
    bool find_needed(const std::vector<Change>& possible) {
        std::vector<Change> relaxed;
        std::set<std::string> matters;
        for (const Change& one : possible) {
            matters.merge(matters_of(one));
            if (relaxes_most(one.kind)) relaxed.push_back(one);
        }
        if (!works(relaxed)) return false;
        for (const std::string& matter : matters) {
            std::vector<Change> others = relaxed;
            std::erase_if(others, [&](const Change& one) { return matters_of(one).contains(matter); });
            if (others.size() == relaxed.size() || works(others) || out_.is_cut) continue;
            needed_.push_back(matter);
            if (!can_be_met(possible)) return false;
        }
        return true;
    }

    // Others do what one of these does, too.
    static bool relaxes_most(ChangeKind kind) {
        return is_of_pod(kind) || kind == ChangeKind::kRaiseLimit || kind == ChangeKind::kDropMinValues ||
               kind == ChangeKind::kDropRequirement;
    }

    // What the change is about; changes of one matter stand in for each other.
    std::set<std::string> matters_of(const Change& change) const {
        switch (change.kind) {
            case ChangeKind::kTolerate:
            case ChangeKind::kDropTaint:
                return {"taint " + taint_text(change)};
            case ChangeKind::kDropNodeAffinity: {
                std::set<std::string> out = {"affinity"};
                for (const api::NodeSelectorTerm& term : pod_.spec.required_node_terms) {
                    for (const api::SelectorRequirement& one : term.match_expressions)
                        out.insert(label_matter(one.key));
                }
                return out;
            }
            case ChangeKind::kDropSelector:
            case ChangeKind::kDropExpression:
            case ChangeKind::kSetLabel:
            case ChangeKind::kAllowValue:
            case ChangeKind::kDropRequirement:
            case ChangeKind::kDropLabel:
                return {label_matter(change.key)};
            default:
                return {
                    fmt::format("{} {} {} {}", word_for(change.kind), change.key, change.index, change.part)};
        }
    }

    static std::string label_matter(std::string_view key) {
        return fmt::format("label {}", rules::normalize_label(key));
    }

    bool meets_needs(const Change& a, const Change& b) const {
        return std::all_of(needed_.begin(), needed_.end(), [&](const std::string& matter) {
            return matters_of(a).contains(matter) || matters_of(b).contains(matter);
        });
    }

    bool can_be_met(const std::vector<Change>& possible) const {
        for (const Change& a : possible) {
            if (!matters_of(a).contains(needed_.back())) continue;
            if (std::any_of(possible.begin(), possible.end(),
                            [&](const Change& b) { return meets_needs(a, b); }))
                return true;
        }
        return false;
    }

    // Those with fewer changes of the pool first.
    void search_pairs(const std::vector<Change>& possible) {
        std::vector<std::tuple<int, std::size_t, std::size_t>> pairs;
        for (std::size_t j = 0; j < possible.size(); ++j) {
            for (std::size_t i = 0; i < j; ++i)
                pairs.emplace_back(
                    (is_of_pod(possible[i].kind) ? 0 : 1) + (is_of_pod(possible[j].kind) ? 0 : 1), i, j);
        }
        std::sort(pairs.begin(), pairs.end());
        for (const auto& [of_pool, i, j] : pairs) {
            if (out_.is_cut) return;
            if (!meets_needs(possible[i], possible[j]) || !works({possible[i], possible[j]})) continue;
            out_.found.push_back({possible[i], possible[j]});
            return;
        }
    }

    // Gives amounts back as much as may be: of a request as little is taken, and to a limit as little is
    // added, as does. Two requests shrink by one factor first.
    void settle(std::vector<Change>& changes) {
        const bool are_two_requests = changes.size() == 2 && changes[0].kind == ChangeKind::kLowerRequest &&
                                      changes[1].kind == ChangeKind::kLowerRequest;
        if (are_two_requests) settle_together(changes);
        for (Change& change : changes) {
            if (change.kind == ChangeKind::kLowerRequest) settle_request(changes, change);
            if (change.kind == ChangeKind::kRaiseLimit) settle_limit(changes, change);
        }
    }

    static void shrink(Change& change, std::int64_t thousandths) {
        const std::int64_t step = step_of(change);
        const auto part = static_cast<std::int64_t>(static_cast<__int128>(change.from) * thousandths / 1000);
        change.to = part / step * step;
    }

    void settle_together(std::vector<Change>& changes) {
        std::int64_t good = 0;
        std::int64_t bad = 1000;
        while (bad - good > 1) {
            const std::int64_t middle = (good + bad) / 2;
            std::vector<Change> tried = changes;
            for (Change& change : tried) shrink(change, middle);
            (carried_out_works(tried) ? good : bad) = middle;
        }
        for (Change& change : changes) shrink(change, good);
    }

    // The largest amount that works.
    void settle_request(std::vector<Change>& changes, Change& change) {
        const std::int64_t step = step_of(change);
        std::int64_t good = change.to / step;
        std::int64_t bad = (change.from + step - 1) / step;
        while (bad - good > 1) {
            const std::int64_t middle = good + (bad - good) / 2;
            change.to = middle * step;
            (carried_out_works(changes) ? good : bad) = middle;
        }
        change.to = good * step;
    }

    // The smallest amount that works.
    void settle_limit(std::vector<Change>& changes, Change& change) {
        const std::int64_t step = step_of(change);
        std::int64_t bad = change.from / step;
        std::int64_t good = bad + 1;
        for (std::int64_t width = 1; good < kNoEnd / step; width *= 2) {
            good = bad + width;
            change.to = good * step;
            if (carried_out_works(changes)) break;
            bad = good;
        }
        while (good - bad > 1) {
            const std::int64_t middle = bad + (good - bad) / 2;
            change.to = middle * step;
            (carried_out_works(changes) ? good : bad) = middle;
        }
        change.to = good * step;
    }

    const api::Pod& pod_;
    const api::NodePool& pool_;
    const Tryout& works_;
    const std::size_t most_tries_;
    std::vector<std::string> needed_;  // Matters that every answer has a change of.
    SmallestChange out_;
};

}  // namespace

std::string_view word_for(ChangeKind kind) {
    static constexpr std::string_view kWords[] = {
        "tolerate",           "drop-node-selector",   "drop-affinity-expression",
        "drop-node-affinity", "lower-request",        "drop-spread",
        "drop-anti-affinity", "drop-affinity",        "drop-host-port",
        "drop-volume",        "drop-resource-claims", "drop-taint",
        "set-label",          "allow-value",          "raise-limit",
        "drop-min-values",    "drop-requirement",     "drop-label"};
    return kWords[static_cast<std::size_t>(kind)];
}

void carry_out(const std::vector<Change>& changes, api::Pod& pod, api::NodePool& pool) {
    // Places are those of the objects as they were: what stands last goes first.
    std::vector<Change> order = changes;
    std::stable_sort(order.begin(), order.end(), [](const Change& a, const Change& b) {
        return std::tie(a.index, a.part) > std::tie(b.index, b.part);
    });
    bool drops_expressions = false;
    for (const Change& change : order) {
        if (is_of_pod(change.kind)) {
            // Another change has taken the whole of it.
            if (change.kind == ChangeKind::kDropExpression && pod.spec.required_node_terms.empty()) continue;
            change_pod(change, pod);
        } else {
            change_pool(change, pool);
        }
        drops_expressions |= change.kind == ChangeKind::kDropExpression;
    }
    const auto asks_nothing = [](const api::NodeSelectorTerm& term) {
        return term.match_expressions.empty() && term.match_fields.empty();
    };
    std::vector<api::NodeSelectorTerm>& terms = pod.spec.required_node_terms;
    for (const Change& change : changes) {
        if (drops_expressions && change.kind == ChangeKind::kDropExpression && change.index < terms.size() &&
            asks_nothing(terms[change.index])) {
            drop_met_affinity(pod.spec);
            return;
        }
    }
}

std::string in_words(const Change& change, std::string_view pool) {
    const auto amount = [&](std::int64_t n) { return rules::amount_text(change.key, n); };
    switch (change.kind) {
        case ChangeKind::kTolerate:
            return fmt::format("a toleration of {} on the pod", taint_text(change));
        case ChangeKind::kDropSelector:
            return fmt::format("the pod without its nodeSelector {}", label_text_of(change));
        case ChangeKind::kDropExpression:
            return fmt::format("the pod without what its node affinity asks of {}", change.key);
        case ChangeKind::kDropNodeAffinity:
            return "the pod without its required node affinity";
        case ChangeKind::kLowerRequest:
            return fmt::format("the pod asking for {} of {} at most, not {}", amount(change.to), change.key,
                               amount(change.from));
        case ChangeKind::kDropSpread:
            return fmt::format("the pod without its spread over {}", change.key);
        case ChangeKind::kDropAntiAffinity:
            return fmt::format("the pod without its anti-affinity over {}", change.key);
        case ChangeKind::kDropAffinity:
            return fmt::format("the pod without its pod affinity over {}", change.key);
        case ChangeKind::kDropHostPort:
            return fmt::format("the pod without host port {}", change.key);
        case ChangeKind::kDropVolume:
            return change.value.empty()
                       ? fmt::format("the pod without its volume {}", change.key)
                       : fmt::format("the pod without its volume {} (claim {})", change.key, change.value);
        case ChangeKind::kDropResourceClaims:
            return "the pod without its resource claims";
        case ChangeKind::kDropTaint:
            return fmt::format("NodePool {} without its taint {}", pool, taint_text(change));
        case ChangeKind::kSetLabel:
            return fmt::format("the label {} on NodePool {}", label_text_of(change), pool);
        case ChangeKind::kAllowValue:
            return fmt::format("NodePool {} allowing {}", pool, label_text_of(change));
        case ChangeKind::kRaiseLimit:
            return fmt::format("a limit of {} of {} on NodePool {}, not {}", amount(change.to), change.key,
                               pool, amount(change.from));
        case ChangeKind::kDropMinValues:
            return fmt::format("NodePool {} without minValues on {}", pool, change.key);
        case ChangeKind::kDropRequirement:
            return fmt::format("NodePool {} without its requirement on {}", pool, change.key);
        case ChangeKind::kDropLabel:
            return fmt::format("NodePool {} without its label {}", pool, change.key);
    }
    return {};
}

std::string as_advice(const Change& change, std::string_view pool) {
    const auto amount = [&](std::int64_t n) { return rules::amount_text(change.key, n); };
    switch (change.kind) {
        case ChangeKind::kTolerate:
            return fmt::format("add a toleration of {} to the pod", taint_text(change));
        case ChangeKind::kDropSelector:
            return fmt::format("take the nodeSelector {} off the pod", label_text_of(change));
        case ChangeKind::kDropExpression:
            return fmt::format("take {} out of the pod's node affinity", change.key);
        case ChangeKind::kDropNodeAffinity:
            return "take the required node affinity off the pod";
        case ChangeKind::kLowerRequest:
            return fmt::format("lower the pod's request of {} to {}", change.key, amount(change.to));
        case ChangeKind::kDropSpread:
            return fmt::format("take the spread over {} off the pod, or make it ScheduleAnyway", change.key);
        case ChangeKind::kDropAntiAffinity:
            return fmt::format("take the anti-affinity over {} off the pod, or prefer it only", change.key);
        case ChangeKind::kDropAffinity:
            return fmt::format("take the pod affinity over {} off the pod, or prefer it only", change.key);
        case ChangeKind::kDropHostPort:
            return fmt::format("take host port {} off the pod", change.key);
        case ChangeKind::kDropVolume:
            return fmt::format("give the pod another volume than {}", change.key);
        case ChangeKind::kDropResourceClaims:
            return "take the resource claims off the pod";
        case ChangeKind::kDropTaint:
            return fmt::format("take the taint {} off NodePool {}", taint_text(change), pool);
        case ChangeKind::kSetLabel:
            return fmt::format("add the label {} to the template of NodePool {}", label_text_of(change),
                               pool);
        case ChangeKind::kAllowValue:
            return fmt::format("allow {} in NodePool {}", label_text_of(change), pool);
        case ChangeKind::kRaiseLimit:
            return fmt::format("raise the limit of {} of NodePool {} to {}", change.key, pool,
                               amount(change.to));
        case ChangeKind::kDropMinValues:
            return fmt::format("take minValues on {} out of NodePool {}", change.key, pool);
        case ChangeKind::kDropRequirement:
            return fmt::format("take the requirement on {} out of NodePool {}", change.key, pool);
        case ChangeKind::kDropLabel:
            return fmt::format("take the label {} off the template of NodePool {}", change.key, pool);
    }
    return {};
}

std::vector<Change> possible_changes(const api::Pod& pod, const api::NodePool& pool,
                                     const rules::PodShape& shape) {
    return Changes(pod, pool, shape).all();
}

SmallestChange find_smallest_change(const api::Pod& pod, const api::NodePool& pool,
                                    const rules::PodShape& shape, const Tryout& works,
                                    std::size_t most_tries) {
    return ChangeSearch(pod, pool, works, most_tries).search(possible_changes(pod, pool, shape));
}

}  // namespace joiner::plan
