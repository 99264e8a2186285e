#include "api/first_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "api/first_api_part.h"
#include "api/label_text.h"
#include "api/names.h"
#include "base/time.h"

namespace joiner::api {
namespace {

constexpr std::string_view kAwsDomain = "karpenter.k8s.aws/";
constexpr std::string_view kEmptinessTimestamp = "karpenter.sh/emptiness-timestamp";
constexpr std::string_view kInstancePods = "karpenter.k8s.aws/instance-pods";
constexpr std::string_view kInstanceCategory = "karpenter.k8s.aws/instance-category";
constexpr std::string_view kInstanceGeneration = "karpenter.k8s.aws/instance-generation";
constexpr std::string_view kInstanceFamily = "karpenter.k8s.aws/instance-family";

// A century and more; as nanoseconds it fits 64 bits.
constexpr std::int64_t kMaxTtlSeconds = 9'000'000'000;

bool is_well_known_to_first_api(std::string_view key) {
    static const std::set<std::string_view> kKeys = {kZoneLabel,         kRegionLabel,     kInstanceTypeLabel,
                                                     kArchLabel,         kOSLabel,         kWindowsBuildLabel,
                                                     kCapacityTypeLabel, kProvisionerLabel};
    static const std::set<std::string_view> kAwsKeys = {"instance-hypervisor",
                                                        "instance-encryption-in-transit-supported",
                                                        "instance-category",
                                                        "instance-family",
                                                        "instance-generation",
                                                        "instance-size",
                                                        "instance-local-nvme",
                                                        "instance-cpu",
                                                        "instance-memory",
                                                        "instance-network-bandwidth",
                                                        "instance-pods",
                                                        "instance-gpu-name",
                                                        "instance-gpu-manufacturer",
                                                        "instance-gpu-count",
                                                        "instance-gpu-memory",
                                                        "instance-accelerator-name",
                                                        "instance-accelerator-manufacturer",
                                                        "instance-accelerator-count"};
    if (key.starts_with(kAwsDomain)) return kAwsKeys.contains(key.substr(kAwsDomain.size()));
    return kKeys.contains(key);
}

// The first API matches domains by their plain ends: "notkubernetes.io" is refused as well.
std::optional<std::string> why_restricted(std::string_view key) {
    if (key == kProvisionerLabel || key == kHostnameLabel || key == kEmptinessTimestamp)
        return fmt::format("{} is set by the controller alone", in_quotes(key));
    if (is_well_known_to_first_api(key)) return std::nullopt;
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view domain = key.substr(0, slash);
    for (const std::string_view free :
         {"kops.k8s.io", "node.kubernetes.io", "node-restriction.kubernetes.io"}) {
        if (domain == free) return std::nullopt;
    }
    for (const std::string_view kept : {"kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws"}) {
        if (domain.ends_with(kept))
            return fmt::format("{} is in {}, a domain that is not for labels of users", in_quotes(key), kept);
    }
    return std::nullopt;
}

bool is_natural_number(std::string_view text) {
    return !text.empty() && text.size() <= 18 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class ProvisionerReader {
  public:
    ProvisionerReader(const FirstPart& spec, const NodeClassReference& node_class, Defaults defaults)
        : spec_(spec), node_class_(node_class), defaults_(defaults) {}

    FirstJson read() {
        spec_.lose_unknown(
            "requirements labels annotations taints startupTaints limits ttlSecondsAfterEmpty "
            "ttlSecondsUntilExpired consolidation weight kubeletConfiguration provider providerRef");
        FirstJson out;
        out["template"] = read_template();
        read_disruption(out);
        if (const auto limits = spec_.part("limits")) {
            limits->lose_unknown("resources");
            if (const StringMap resources = limits->quantities("resources"); !resources.empty())
                out["limits"] = resources;
        }
        if (const auto weight = spec_.whole("weight", 1, 100)) out["weight"] = *weight;
        if (const auto kubelet = spec_.part("kubeletConfiguration")) first_kubelet(*kubelet);
        check_provider();
        return out;
    }

  private:
    FirstJson read_template() {
        FirstJson out = FirstJson::object();
        const StringMap labels = read_labels();
        if (!labels.empty()) out["metadata"]["labels"] = labels;
        if (const StringMap annotations = spec_.map("annotations"); !annotations.empty())
            out["metadata"]["annotations"] = annotations;
        FirstJson& spec = out["spec"];
        spec["nodeClassRef"] = {
            {"group", node_class_.group}, {"kind", node_class_.kind}, {"name", node_class_.name}};
        read_taints("taints", spec);
        read_taints("startupTaints", spec);
        spec["requirements"] = read_requirements();
        if (defaults_ != Defaults::kNone) add_defaults(labels, spec["requirements"]);
        return out;
    }

    StringMap read_labels() {
        const StringMap labels = spec_.map("labels");
        for (const auto& [key, value] : labels) {
            const std::string path = fmt::format("labels.{}", key);
            if (!is_qualified_name(key)) {
                spec_.problem(path, "is not a label's key");
            } else if (const auto reason = why_restricted(normalize_label(key))) {
                spec_.problem(path, *reason);
            }
            if (!is_label_value(value))
                spec_.problem(path, fmt::format("{} is not a label's value", in_quotes(value)));
        }
        return labels;
    }

    void read_taints(std::string_view field, FirstJson& out) {
        FirstJson taints = FirstJson::array();
        for (const FirstPart& taint : spec_.parts(field)) {
            taint.lose_unknown("key value effect timeAdded");
            const std::string key = taint.text("key").value_or("");
            const std::string value = taint.text("value").value_or("");
            const std::string effect = taint.text("effect").value_or("");
            if (!is_qualified_name(key))
                taint.problem("key", fmt::format("{} is not a taint's key", in_quotes(key)));
            if (!value.empty() && !is_qualified_name(value))
                taint.problem("value", fmt::format("{} is not a taint's value", in_quotes(value)));
            if (!effect.empty() && effect != kNoSchedule && effect != kPreferNoSchedule &&
                effect != kNoExecute) {
                taint.problem("effect",
                              fmt::format("{} is none of NoSchedule, PreferNoSchedule and NoExecute",
                                          in_quotes(effect)));
            }
            if (!taints_.emplace(key, effect).second) {
                taint.problem("",
                              fmt::format("{}:{} is there already; taints and startupTaints count together",
                                          in_quotes(key), effect));
            }
            FirstJson one = {{"key", key}};
            if (!value.empty()) one["value"] = value;
            if (!effect.empty()) one["effect"] = effect;
            taints.push_back(std::move(one));
        }
        if (!taints.empty()) out[field] = std::move(taints);
    }

    FirstJson read_requirements() {
        FirstJson out = FirstJson::array();
        for (const FirstPart& requirement : spec_.parts("requirements")) {
            requirement.lose_unknown("key operator values");
            const std::string key = requirement.text("key").value_or("");
            const std::string op = requirement.text("operator").value_or("");
            const std::vector<std::string> values = requirement.texts("values");
            check_requirement(requirement, key, op, values);
            named_.emplace(normalize_label(key));
            if (key == kInstancePods) {
                requirement.lose("key",
                                 "karpenter.k8s.aws/instance-pods is no label of today's, and is left out");
                continue;
            }
            FirstJson one = {{"key", key}, {"operator", op}};
            if (!values.empty()) one["values"] = values;
            out.push_back(std::move(one));
        }
        return out;
    }

    static void check_requirement(const FirstPart& requirement, const std::string& key, const std::string& op,
                                  const std::vector<std::string>& values) {
        const std::string_view name = normalize_label(key);
        if (!is_qualified_name(name)) {
            requirement.problem("key", fmt::format("{} is not a label's key", in_quotes(key)));
        } else if (const auto reason = why_restricted(name)) {
            requirement.problem("key", *reason);
        }
        static const std::set<std::string_view> kOperators = {"In",           "NotIn", "Exists",
                                                              "DoesNotExist", "Gt",    "Lt"};
        if (!kOperators.contains(op)) {
            requirement.problem(
                "operator",
                fmt::format("{} is none of In, NotIn, Exists, DoesNotExist, Gt and Lt", in_quotes(op)));
        }
        for (const std::string& value : values) {
            if (!is_label_value(value))
                requirement.problem("values", fmt::format("{} is not a label's value", in_quotes(value)));
        }
        if (op == "In" && values.empty()) requirement.problem("values", "In needs a value");
        if ((op == "Gt" || op == "Lt") && (values.size() != 1 || !is_natural_number(values.front())))
            requirement.problem("values", fmt::format("{} needs one whole number, not negative", op));
    }

    void add_defaults(const StringMap& labels, FirstJson& requirements) {
        for (const auto& [key, value] : labels) named_.emplace(normalize_label(key));
        const auto is_named = [&](std::string_view key) { return named_.contains(key); };
        const auto add = [&](std::string_view key, std::string_view op,
                             const std::vector<std::string>& values) {
            requirements.push_back({{"key", key}, {"operator", op}, {"values", values}});
        };
        const bool says_which_types = is_named(kInstanceTypeLabel) || is_named(kInstanceFamily) ||
                                      is_named(kInstanceCategory) || is_named(kInstanceGeneration);
        if (!is_named(kOSLabel)) add(kOSLabel, "In", {"linux"});
        if (!is_named(kArchLabel)) add(kArchLabel, "In", {"amd64"});
        if (!is_named(kCapacityTypeLabel)) add(kCapacityTypeLabel, "In", {std::string(kOnDemand)});
        if (says_which_types || defaults_ == Defaults::kCommon) return;
        add(kInstanceCategory, "In", {"c", "m", "r"});
        add(kInstanceGeneration, "Gt", {"2"});
    }

    void read_disruption(FirstJson& out) {
        const auto after_empty = spec_.whole("ttlSecondsAfterEmpty", 0, kMaxTtlSeconds);
        const auto until_expired = spec_.whole("ttlSecondsUntilExpired", 0, kMaxTtlSeconds);
        bool consolidates = false;
        if (const auto consolidation = spec_.part("consolidation")) {
            consolidation->lose_unknown("enabled");
            consolidates = consolidation->flag("enabled").value_or(false);
        }
        if (consolidates && after_empty) {
            spec_.problem("ttlSecondsAfterEmpty",
                          "expected exactly one, got both: spec.ttlSecondsAfterEmpty, "
                          "spec.consolidation.enabled; take one of them out");
        }
        const auto text = [](std::int64_t seconds) { return format_duration(std::chrono::seconds{seconds}); };
        FirstJson& disruption = out["disruption"];
        disruption["consolidationPolicy"] = consolidates ? "WhenEmptyOrUnderutilized" : "WhenEmpty";
        disruption["consolidateAfter"] = consolidates  ? "0s"
                                         : after_empty ? text(*after_empty)
                                                       : std::string("Never");
        out["template"]["spec"]["expireAfter"] = until_expired ? text(*until_expired) : "Never";
    }

    void check_provider() {
        const bool has_provider = spec_.has("provider");
        const bool has_reference = spec_.has("providerRef");
        if (has_provider == has_reference) {
            spec_.problem("providerRef", fmt::format("expected exactly one of spec.provider and "
                                                     "spec.providerRef, got {}",
                                                     has_provider ? "both" : "neither"));
        }
        const auto reference = spec_.part("providerRef");
        if (!reference) return;
        reference->lose_unknown("apiVersion kind name");
        if (reference->text("name").value_or("").empty())
            reference->problem("name", "names no AWSNodeTemplate");
    }

    const FirstPart& spec_;
    const NodeClassReference& node_class_;
    Defaults defaults_;
    std::set<std::pair<std::string, std::string>> taints_;
    std::set<std::string, std::less<>> named_;  // Keys that requirements or labels speak of, normalised.
};

}  // namespace

bool FirstApiReference::is_aws_node_template() const {
    return provider_ref.group.empty() || !provider_ref.kind.ends_with("NodeClass");
}

Result<FirstApiPool> first_api_pool(std::string_view provisioner_json, const NodeClassReference& node_class,
                                    Defaults defaults) {
    TRY(const FirstJson json, parse_first(provisioner_json));
    FirstNotes notes;
    const FirstJson nothing = FirstJson::object();
    const FirstPart whole(json, "", notes);
    const FirstPart spec = whole.part("spec").value_or(FirstPart(nothing, "spec", notes));
    FirstJson pool = {{"apiVersion", "karpenter.sh/v1"}, {"kind", "NodePool"}};
    const auto metadata = whole.part("metadata");
    pool["metadata"] = metadata ? metadata->json() : nothing;
    pool["spec"] = ProvisionerReader(spec, node_class, defaults).read();
    return FirstApiPool{dump_first(pool), std::move(notes.problems), std::move(notes.lost)};
}

Result<FirstApiReference> first_api_reference(std::string_view provisioner_json) {
    TRY(const FirstJson json, parse_first(provisioner_json));
    FirstNotes untold;
    FirstApiReference out;
    const auto spec = FirstPart(json, "", untold).part("spec");
    if (!spec) return out;
    out.has_inline_provider = spec->has("provider");
    if (const auto kubelet = spec->part("kubeletConfiguration")) out.kubelet = dump_first(kubelet->json());
    if (const auto reference = spec->part("providerRef")) {
        const std::string version = reference->text("apiVersion").value_or("");
        const std::size_t slash = version.find('/');
        if (slash != std::string::npos) out.provider_ref.group = version.substr(0, slash);
        out.provider_ref.kind = reference->text("kind").value_or("");
        out.provider_ref.name = reference->text("name").value_or("");
    }
    return out;
}

NodeClassReference first_api_class_name(std::string_view provisioner, const FirstApiReference& reference) {
    const auto of_ec2 = [](std::string name) {
        return NodeClassReference{"karpenter.k8s.aws", "EC2NodeClass", std::move(name)};
    };
    if (reference.has_inline_provider) return of_ec2(std::string(provisioner));
    if (!reference.is_aws_node_template()) return reference.provider_ref;
    if (first_api_kubelet(reference.kubelet).empty()) return of_ec2(reference.provider_ref.name);
    return of_ec2(fmt::format("{}-{}", reference.provider_ref.name, provisioner));
}

}  // namespace joiner::api
