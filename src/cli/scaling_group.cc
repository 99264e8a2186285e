#include "cli/scaling_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "api/label_text.h"
#include "api/names.h"
#include "base/cut.h"
#include "base/quantity.h"
#include "base/time.h"
#include "cloud/kwok/aws_catalogue.h"
#include "rules/node_pool_rules.h"

namespace joiner::cli {
namespace {

using GroupJson = nlohmann::json;

constexpr std::string_view kTagPrefix = "k8s.io/cluster-autoscaler/node-template/";
constexpr std::size_t kMostGroups = 1'000;
constexpr std::string_view kRoleOfNodes = "$KARPENTER_NODE_ROLE";
constexpr std::string_view kGroupOfNodes = "$NODE_SECURITY_GROUP";

// Of the built-in catalogue, in thousandths.
std::map<std::string, std::int64_t, std::less<>> milli_cpu_by_type() {
    std::map<std::string, std::int64_t, std::less<>> out;
    for (const rules::InstanceType& type : cloud::kwok::aws_types())
        out[type.name] = type.capacity.get("cpu");
    return out;
}

const GroupJson* member(const GroupJson& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
}
std::string text_of(const GroupJson& object, const char* key) {
    const GroupJson* found = member(object, key);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}
std::optional<std::int64_t> number_of(const GroupJson& object, const char* key) {
    const GroupJson* found = member(object, key);
    if (found == nullptr || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}
std::vector<GroupJson> list_of(const GroupJson& object, const char* key) {
    const GroupJson* found = member(object, key);
    return found != nullptr && found->is_array() ? found->get<std::vector<GroupJson>>()
                                                 : std::vector<GroupJson>{};
}
GroupJson part_of(const GroupJson& object, const char* key) {
    const GroupJson* found = member(object, key);
    return found != nullptr && found->is_object() ? *found : GroupJson::object();
}

// The group's name as an object may have it: "Workers_A/x" is "workers-a-x".
std::string object_name(std::string_view group) {
    std::string out;
    for (const char c : group) {
        const bool is_lower = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (is_lower || is_upper) {
            out += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
        if (out.size() == 63) break;
    }
    while (!out.empty() && out.back() == '-') out.pop_back();
    return out;
}

GroupJson need(std::string_view key, std::string_view op, GroupJson values) {
    return {{"key", key}, {"operator", op}, {"values", std::move(values)}};
}

class GroupConverter {
  public:
    GroupConverter(const GroupJson& group, std::string source, const AutoscalerSettings& settings,
                   const std::map<std::string, std::int64_t, std::less<>>& milli_cpu, ScalingGroups& out)
        : group_(group), source_(std::move(source)), settings_(settings), milli_cpu_(milli_cpu), out_(out) {}

    void convert() {
        group_name_ = text_of(group_, "AutoScalingGroupName");
        name_ = object_name(group_name_);
        if (name_.empty()) {
            out_.refusals.push_back(fmt::format(
                "error: {}: a group has no AutoScalingGroupName that a NodePool could have", source_));
            return;
        }
        pool_spec_["disruption"] = {
            {"consolidationPolicy", settings_.may_scale_down ? "WhenEmptyOrUnderutilized" : "WhenEmpty"},
            {"consolidateAfter", settings_.may_scale_down ? settings_.consolidate_after : "Never"}};
        template_["nodeClassRef"] = {
            {"group", "karpenter.k8s.aws"}, {"kind", "EC2NodeClass"}, {"name", name_}};
        read_tags();
        read_zones();
        read_types();
        read_purchase();
        read_size();
        add_settings();
        read_rest();
        write_pool();
        write_class();
    }

  private:
    void remark(std::string_view field, std::string_view what) {
        out_.remarks.push_back(fmt::format("{}: Auto Scaling group {}: {}: {}", source_,
                                           cut_with_dots(group_name_, 100),
                                           cut_with_dots(std::string(field), 150), what));
    }

    void read_tags() {
        for (const GroupJson& tag : list_of(group_, "Tags")) {
            const std::string key = text_of(tag, "Key");
            const std::string value = text_of(tag, "Value");
            if (key.starts_with(kTagPrefix)) {
                read_template_tag(key.substr(kTagPrefix.size()), value, key);
            } else if (key.starts_with("kubernetes.io/cluster/")) {
                cluster_tag_ = key;
            } else if (key.starts_with("k8s.io/cluster-autoscaler/") || key.starts_with("aws:") ||
                       key.starts_with("eks:") || key.empty()) {
                continue;
            } else if (tag.value("PropagateAtLaunch", GroupJson(false)) == true) {
                class_tags_[key] = value;
            }
        }
    }

    void read_template_tag(const std::string& what, const std::string& value, const std::string& key) {
        const auto rest_after = [&](std::string_view prefix) { return what.substr(prefix.size()); };
        if (what.starts_with("label/")) {
            read_label(rest_after("label/"), value, key);
        } else if (what.starts_with("taint/")) {
            read_taint(rest_after("taint/"), value, key);
        } else if (what.starts_with("resources/")) {
            remark(key, fmt::format(
                            "what a node has is known of its instance type; a NodeOverlay says spec.capacity "
                            "{}: {} where that is not enough",
                            rest_after("resources/"), value));
        } else if (what == "autoscaling-options/scaledownunneededtime") {
            if (const auto time = parse_duration(value); !time || !settings_.may_scale_down) {
                remark(key, "is not taken over");
            } else {
                pool_spec_["disruption"]["consolidateAfter"] = format_duration(*time);
            }
        } else {
            remark(key,
                   "has no meaning any more; what pods would cost elsewhere decides whether a node goes");
        }
    }

    void read_label(const std::string& key, const std::string& value, const std::string& tag) {
        const std::string_view known = api::normalize_label(key);
        const bool is_known = known == api::kZoneLabel || known == api::kInstanceTypeLabel ||
                              known == api::kArchLabel || known == api::kOSLabel ||
                              known == api::kCapacityTypeLabel || key.starts_with("karpenter.k8s.aws/");
        const bool is_kept_back = known == api::kHostnameLabel || known == api::kRegionLabel ||
                                  rules::RestrictedLabels{}.problem(known).has_value();
        if (is_known) {
            required_[std::string(known)].insert(value);
        } else if (is_kept_back || !api::is_qualified_name(key) || !api::is_label_value(value)) {
            remark(tag, "a NodePool may not set this label, so it is left out");
        } else {
            labels_[key] = value;
        }
    }

    // "<value>:<effect>".
    void read_taint(const std::string& key, const std::string& text, const std::string& tag) {
        const std::size_t colon = text.rfind(':');
        const std::string effect = colon == std::string::npos ? text : text.substr(colon + 1);
        const bool is_effect =
            effect == api::kNoSchedule || effect == api::kPreferNoSchedule || effect == api::kNoExecute;
        if (!is_effect || !api::is_qualified_name(key))
            return remark(tag, "is no taint \"<value>:<effect>\", so it is left out");
        GroupJson taint = {{"key", key}, {"effect", effect}};
        if (colon != std::string::npos && colon > 0) taint["value"] = text.substr(0, colon);
        const bool is_startup = std::find(settings_.startup_taints.begin(), settings_.startup_taints.end(),
                                          key) != settings_.startup_taints.end();
        template_[is_startup ? "startupTaints" : "taints"].push_back(std::move(taint));
    }

    void read_zones() {
        for (const GroupJson& zone : list_of(group_, "AvailabilityZones")) {
            if (zone.is_string()) required_[std::string(api::kZoneLabel)].insert(zone.get<std::string>());
        }
    }

    void read_types() {
        const GroupJson policy = part_of(part_of(group_, "MixedInstancesPolicy"), "LaunchTemplate");
        auto& types = required_[std::string(api::kInstanceTypeLabel)];
        for (const GroupJson& entry : list_of(policy, "Overrides")) {
            if (const std::string type = text_of(entry, "InstanceType"); !type.empty()) types.insert(type);
            if (member(entry, "WeightedCapacity") != nullptr) has_weights_ = true;
            if (const GroupJson* wanted = member(entry, "InstanceRequirements")) read_attributes(*wanted);
        }
        if (types.empty() && !has_attributes_) {
            for (const GroupJson& instance : list_of(group_, "Instances")) {
                if (const std::string type = text_of(instance, "InstanceType"); !type.empty())
                    types.insert(type);
            }
            if (!types.empty())
                remark("Instances",
                       "the launch template's instance type is not in the description; that of the "
                       "instances is taken");
        }
        if (!types.empty()) return;
        required_.erase(std::string(api::kInstanceTypeLabel));
        if (has_attributes_) return;
        attributes_.push_back(need("karpenter.k8s.aws/instance-category", "In", {"c", "m", "r"}));
        attributes_.push_back(need("karpenter.k8s.aws/instance-generation", "Gt", {"2"}));
        remark("LaunchTemplate",
               "the description says no instance type; write those that are meant in place of c, "
               "m and r newer than generation 2");
    }

    void read_attributes(const GroupJson& wanted) {
        has_attributes_ = true;
        const auto bound = [&](const char* field, std::string_view label) {
            const GroupJson range = part_of(wanted, field);
            if (const auto least = number_of(range, "Min"); least && *least > 0)
                attributes_.push_back(need(label, "Gt", {fmt::format("{}", *least - 1)}));
            if (const auto most = number_of(range, "Max");
                most && *most > 0 && *most < (std::int64_t{1} << 40))
                attributes_.push_back(need(label, "Lt", {fmt::format("{}", *most + 1)}));
        };
        bound("VCpuCount", "karpenter.k8s.aws/instance-cpu");
        bound("MemoryMiB", "karpenter.k8s.aws/instance-memory");
        for (const auto& [field, value] : wanted.items()) {
            if (field != "VCpuCount" && field != "MemoryMiB")
                remark(
                    "InstanceRequirements." + field,
                    "is not taken over; requirements on labels karpenter.k8s.aws/instance-… say such things");
        }
    }

    void read_purchase() {
        auto& capacity = required_[std::string(api::kCapacityTypeLabel)];
        if (!capacity.empty()) return;
        const GroupJson distribution =
            part_of(part_of(group_, "MixedInstancesPolicy"), "InstancesDistribution");
        const auto base = number_of(distribution, "OnDemandBaseCapacity").value_or(0);
        const auto above = number_of(distribution, "OnDemandPercentageAboveBaseCapacity").value_or(100);
        if (above < 100) capacity.insert(std::string(api::kSpot));
        if (above > 0 || base > 0) capacity.insert(std::string(api::kOnDemand));
        if (capacity.size() == 2) {
            remark("InstancesDistribution",
                   fmt::format(
                       "{} on-demand and {} % above that is not kept; either is bought, at the lower price",
                       base, above));
        }
        if (!text_of(distribution, "SpotMaxPrice").empty())
            remark("SpotMaxPrice",
                   "has no meaning: spot is bought at its price while that is below on-demand");
    }

    void read_size() {
        auto most = number_of(group_, "MaxSize");
        if (const auto flag = settings_.most_nodes.find(group_name_); flag != settings_.most_nodes.end())
            most = flag->second;
        if (most && *most >= 0 && *most <= 1'000'000) write_limits(*most);
        if (const auto least = number_of(group_, "MinSize"); least && *least > 0) {
            remark("MinSize",
                   fmt::format("{}: a NodePool has no least size; a CapacityBuffer keeps room for pods, or "
                               "spec.replicas a number of nodes",
                               *least));
        }
        if (has_weights_)
            remark("WeightedCapacity", "has no meaning; limits.nodes counts each node once, so look at it");
    }

    void write_limits(std::int64_t most) {
        pool_spec_["limits"]["nodes"] = fmt::format("{}", most);
        std::int64_t milli = 0;
        const auto types = required_.find(std::string(api::kInstanceTypeLabel));
        if (types == required_.end()) return;
        for (const std::string& type : types->second) {
            const auto known = milli_cpu_.find(type);
            if (known == milli_cpu_.end()) return;
            milli = std::max(milli, known->second);
        }
        pool_spec_["limits"]["cpu"] = Quantity::of_milli(milli * most).to_string();
    }

    void add_settings() {
        GroupJson budgets = GroupJson::array();
        const auto add = [&](const std::optional<long>& nodes, const char* reason) {
            if (nodes) budgets.push_back({{"nodes", fmt::format("{}", *nodes)}, {"reasons", {reason}}});
        };
        add(settings_.empty_at_once, "Empty");
        add(settings_.drained_at_once, "Underutilized");
        if (!budgets.empty()) {
            budgets.push_back({{"nodes", "10%"}, {"reasons", {"Drifted", "Expired", "Unhealthy"}}});
            pool_spec_["disruption"]["budgets"] = std::move(budgets);
        }
        if (settings_.termination_grace_seconds)
            template_["terminationGracePeriod"] = fmt::format("{}s", *settings_.termination_grace_seconds);
    }

    void read_rest() {
        const auto life = number_of(group_, "MaxInstanceLifetime");
        template_["expireAfter"] = life && *life > 0 && *life < 9'000'000'000
                                       ? format_duration(std::chrono::seconds{*life})
                                       : "Never";
        for (const char* field : {"TargetGroupARNs", "LoadBalancerNames", "TrafficSources"}) {
            if (!list_of(group_, field).empty())
                remark(
                    field,
                    "nodes are not entered there; a Service or the AWS Load Balancer Controller does that");
        }
        for (const char* field : {"SuspendedProcesses", "EnabledMetrics"}) {
            if (!list_of(group_, field).empty()) remark(field, "has no meaning for a NodePool");
        }
        if (group_.value("NewInstancesProtectedFromScaleIn", GroupJson(false)) == true)
            remark("NewInstancesProtectedFromScaleIn",
                   "the annotation karpenter.sh/do-not-disrupt in spec.template.metadata keeps nodes so");
    }

    void write_pool() {
        GroupJson requirements = GroupJson::array();
        if (!required_.contains(std::string(api::kOSLabel)))
            required_[std::string(api::kOSLabel)] = {"linux"};
        for (const auto& [key, values] : required_) {
            if (!values.empty()) requirements.push_back(need(key, "In", values));
        }
        for (GroupJson& attribute : attributes_) requirements.push_back(std::move(attribute));
        template_["requirements"] = std::move(requirements);
        pool_spec_["template"]["spec"] = std::move(template_);
        if (!labels_.empty()) pool_spec_["template"]["metadata"]["labels"] = labels_;
        write("karpenter.sh/v1", "NodePool", std::move(pool_spec_));
    }

    void write_class() {
        GroupJson spec = {{"role", kRoleOfNodes}, {"amiSelectorTerms", {{{"alias", "al2023@latest"}}}}};
        std::string places = fmt::format("put the role of the nodes where {} stands", kRoleOfNodes);
        GroupJson subnets = GroupJson::array();
        const std::string listed = text_of(group_, "VPCZoneIdentifier");
        for (std::size_t at = 0; at < listed.size();) {
            const std::size_t comma = std::min(listed.find(',', at), listed.size());
            std::string id = listed.substr(at, comma - at);
            id.erase(std::remove(id.begin(), id.end(), ' '), id.end());
            if (!id.empty()) subnets.push_back({{"id", id}});
            at = comma + 1;
        }
        if (subnets.empty()) subnets.push_back({{"id", "$NODE_SUBNET"}});
        spec["subnetSelectorTerms"] = std::move(subnets);
        if (cluster_tag_.empty()) {
            spec["securityGroupSelectorTerms"] = {{{"id", kGroupOfNodes}}};
            places += fmt::format(", and the security group's id where {} stands", kGroupOfNodes);
        } else {
            spec["securityGroupSelectorTerms"] = {{{"tags", {{cluster_tag_, "*"}}}}};
        }
        if (!class_tags_.empty()) spec["tags"] = class_tags_;
        if (const std::string group = text_of(group_, "PlacementGroup"); !group.empty())
            spec["placementGroupSelector"] = {{"name", group}};
        remark("EC2NodeClass " + name_,
               places +
                   "; image, disks and user data stand in the launch template: look whether al2023@latest is "
                   "what the group has");
        write("karpenter.k8s.aws/v1", "EC2NodeClass", std::move(spec));
    }

    void write(const char* version, const char* kind, GroupJson spec) {
        const GroupJson object = {{"apiVersion", version},
                                  {"kind", kind},
                                  {"metadata", {{"name", name_}}},
                                  {"spec", std::move(spec)}};
        out_.objects.push_back(object.dump(-1, ' ', false, GroupJson::error_handler_t::replace));
    }

    const GroupJson& group_;
    std::string source_;
    const AutoscalerSettings& settings_;
    const std::map<std::string, std::int64_t, std::less<>>& milli_cpu_;
    ScalingGroups& out_;
    std::string group_name_;
    std::string name_;
    GroupJson pool_spec_ = GroupJson::object();
    GroupJson template_ = GroupJson::object();
    std::map<std::string, std::set<std::string>> required_;  // Values by key, all with In.
    std::vector<GroupJson> attributes_;                      // Requirements of other forms.
    std::map<std::string, std::string> labels_;
    std::map<std::string, std::string> class_tags_;
    std::string cluster_tag_;
    bool has_attributes_ = false;
    bool has_weights_ = false;
};

// The description whole, a list of groups out of it, or one group.
std::vector<GroupJson> groups_in(std::string_view json) {
    GroupJson whole = GroupJson::parse(json, nullptr, false);
    if (whole.is_object() && whole.contains("AutoScalingGroups"))
        whole = GroupJson(whole["AutoScalingGroups"]);
    if (whole.is_object()) whole = GroupJson::array({whole});
    if (!whole.is_array()) return {};
    const bool are_groups = std::all_of(whole.begin(), whole.end(), [](const GroupJson& one) {
        return member(one, "AutoScalingGroupName") != nullptr;
    });
    return are_groups ? whole.get<std::vector<GroupJson>>() : std::vector<GroupJson>{};
}

}  // namespace

bool describes_scaling_groups(std::string_view json) {
    return !groups_in(json).empty();
}

ScalingGroups convert_scaling_groups(std::string_view json, const std::string& source,
                                     const AutoscalerSettings& settings) {
    ScalingGroups out;
    const std::vector<GroupJson> groups = groups_in(json);
    if (groups.size() > kMostGroups) {
        out.refusals.push_back(
            fmt::format("error: {}: more than {} groups; convert a part of them", source, kMostGroups));
        return out;
    }
    const auto milli_cpu = milli_cpu_by_type();
    for (const GroupJson& group : groups) GroupConverter(group, source, settings, milli_cpu, out).convert();
    return out;
}

}  // namespace joiner::cli
