#include "cli/cluster_autoscaler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/cut.h"
#include "base/time.h"

namespace joiner::cli {
namespace {

using FlagJson = nlohmann::json;

struct Meaning {
    std::string_view flag;
    std::string_view text;
    bool has_one = true;
};

// Sorted by flag.
constexpr std::array kMeanings = std::to_array<Meaning>({
    {"address", "--metrics-port and --health-probe-port of joiner controller"},
    {"aws-use-static-instance-list", "EC2 is always asked for its instance types", false},
    {"balance-similar-node-groups",
     "one NodePool spans zones; topologySpreadConstraints of the pods say how they spread", false},
    {"balancing-ignore-label", "there are no groups to be balanced", false},
    {"balancing-label", "there are no groups to be balanced", false},
    {"cloud-provider", "joiner controller launches on EC2 with --cluster-name"},
    {"cluster-name", "--cluster-name of joiner controller"},
    {"cordon-node-before-terminating", "a node that goes always carries karpenter.sh/disrupted:NoSchedule",
     false},
    {"cores-total", "limits.cpu, which each NodePool has of its own"},
    {"enforce-node-group-min-size", "a NodePool has no least size; a CapacityBuffer keeps room for pods",
     false},
    {"expendable-pods-priority-cutoff", "every pod that waits gets a node, whatever its priority", false},
    {"force-ds", "the pods of DaemonSets are always reckoned with", false},
    {"gpu-total", "limits.nvidia.com/gpu, which each NodePool has of its own"},
    {"ignore-daemonsets-utilization",
     "how full a node is decides nothing; what its pods would cost elsewhere does", false},
    {"ignore-mirror-pods-utilization",
     "how full a node is decides nothing; what its pods would cost elsewhere does", false},
    {"kube-client-burst", "--kube-client-burst of joiner controller"},
    {"kube-client-qps", "--kube-client-qps of joiner controller"},
    {"kubeconfig", "--kubeconfig of joiner controller"},
    {"leader-elect", "--disable-leader-election of joiner controller turns it off"},
    {"leader-elect-resource-name", "--leader-election-name of joiner controller"},
    {"leader-elect-resource-namespace", "--leader-election-namespace of joiner controller"},
    {"max-node-provision-time", "a node that does not join within 15 minutes is given up; that is fixed",
     false},
    {"max-nodes-total", "limits.nodes, which each NodePool has of its own"},
    {"max-pod-eviction-time", "evictions are tried until terminationGracePeriod of the NodePool ends", false},
    {"memory-total", "limits.memory, which each NodePool has of its own"},
    {"namespace", "--leader-election-namespace of joiner controller"},
    {"new-pod-scale-up-delay", "--batch-max-duration of joiner controller bounds how long pods are gathered"},
    {"ok-total-unready-count", "sick nodes do not stop others from being launched", false},
    {"max-total-unready-percentage", "sick nodes do not stop others from being launched", false},
    {"scale-down-candidates-pool-min-count", "all nodes are looked at", false},
    {"scale-down-candidates-pool-ratio", "all nodes are looked at", false},
    {"scale-down-delay-after-add", "consolidateAfter begins anew with each pod that comes to a node or goes",
     false},
    {"scale-down-delay-after-delete", "budgets of NodePools say how many nodes may go at once", false},
    {"scale-down-delay-after-failure", "each node that could not go rests by itself", false},
    {"scale-down-gpu-utilization-threshold",
     "how full a node is decides nothing; what its pods would cost elsewhere does", false},
    {"scale-down-non-empty-candidates-count", "all nodes are looked at", false},
    {"scale-down-unready-enabled",
     "--feature-gates NodeRepair=true of joiner controller replaces sick nodes"},
    {"scale-down-unready-time", "--feature-gates NodeRepair=true of joiner controller replaces sick nodes"},
    {"scale-down-utilization-threshold",
     "how full a node is decides nothing; what its pods would cost elsewhere does", false},
    {"scan-interval", "there is no loop; what changes is looked at when it changes", false},
    {"skip-nodes-with-custom-controller-pods",
     "pods with karpenter.sh/do-not-disrupt and PodDisruptionBudgets keep a node", false},
    {"skip-nodes-with-local-storage",
     "pods with karpenter.sh/do-not-disrupt keep a node; local storage by itself does not", false},
    {"skip-nodes-with-system-pods",
     "pods with karpenter.sh/do-not-disrupt and PodDisruptionBudgets keep a node", false},
    {"v", "--log-level of joiner controller"},
});

std::optional<long> as_number(const std::string& text) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

class FlagReader {
  public:
    AutoscalerFlags read(const std::vector<std::string>& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (!words[i].starts_with('-')) continue;
            const std::string flag = words[i].substr(words[i].find_first_not_of('-'));
            const std::size_t equals = flag.find('=');
            name_ = flag.substr(0, equals);
            value_ = "true";
            if (equals != std::string::npos) {
                value_ = flag.substr(equals + 1);
            } else if (i + 1 < words.size() && !words[i + 1].starts_with('-')) {
                value_ = words[++i];
            }
            if (!read_setting()) tell_meaning();
        }
        return std::move(out_);
    }

  private:
    void tell(std::vector<std::string>& where, std::string_view what) {
        constexpr std::size_t kMostFlags = 200;
        if (where.size() < kMostFlags)
            where.push_back(fmt::format("--{}={}: {}", name_, cut_with_dots(value_, 100), what));
    }
    void means(std::string_view what) { tell(out_.meanings, what); }

    // Flags that go into the NodePools.
    bool read_setting() {
        AutoscalerSettings& settings = out_.settings;
        if (name_ == "scale-down-unneeded-time") return read_unneeded_time();
        if (name_ == "scale-down-enabled") {
            settings.may_scale_down = value_ != "false";
            means(settings.may_scale_down ? "consolidationPolicy WhenEmptyOrUnderutilized of each NodePool"
                                          : "consolidateAfter Never of each NodePool");
            return true;
        }
        if (name_ == "max-scale-down-parallelism" || name_ == "max-empty-bulk-delete")
            return read_number(settings.empty_at_once, "a budget for the reason Empty of each NodePool");
        if (name_ == "max-drain-parallelism")
            return read_number(settings.drained_at_once,
                               "a budget for the reason Underutilized of each NodePool");
        if (name_ == "max-graceful-termination-sec")
            return read_number(settings.termination_grace_seconds, "terminationGracePeriod of each NodePool");
        if (name_ == "startup-taint" || name_ == "ignore-taint") {
            settings.startup_taints.push_back(value_);
            means("startupTaints of the NodePools whose nodes have it");
            return true;
        }
        if (name_ == "nodes") return read_group();
        if (name_ == "expander") return read_expander();
        if (name_ == "node-group-auto-discovery") {
            means(
                "aws autoscaling describe-auto-scaling-groups prints the groups; joiner convert makes "
                "NodePools of "
                "that");
            return true;
        }
        return false;
    }

    bool read_unneeded_time() {
        const auto time = parse_duration(value_);
        if (!time || time->count() < 0) return false;
        out_.settings.consolidate_after = format_duration(*time);
        means("consolidateAfter of each NodePool");
        return true;
    }

    bool read_number(std::optional<long>& number, std::string_view what) {
        number = as_number(value_);
        if (number) means(what);
        return number.has_value();
    }

    // "1:10:name".
    bool read_group() {
        const std::size_t first = value_.find(':');
        const std::size_t second = first == std::string::npos ? first : value_.find(':', first + 1);
        if (second == std::string::npos) return false;
        const auto least = as_number(value_.substr(0, first));
        const auto most = as_number(value_.substr(first + 1, second - first - 1));
        if (!least || !most) return false;
        const std::string group = value_.substr(second + 1);
        out_.settings.most_nodes[group] = *most;
        means(fmt::format(
            "limits.nodes {} of the NodePool that {} becomes{}", *most, cut_with_dots(group, 100),
            *least == 0 ? "" : "; a least size has no meaning, a CapacityBuffer keeps room for pods"));
        return true;
    }

    bool read_expander() {
        if (value_.find("priority") != std::string::npos) {
            means("weight of NodePools: the greater is tried first; among equals the lowest price wins");
        } else {
            tell(out_.without_meaning,
                 "no group is chosen; all pods together get the nodes of the lowest price");
        }
        return true;
    }

    void tell_meaning() {
        const auto found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                        [&](const Meaning& meaning) { return meaning.flag == name_; });
        if (found == kMeanings.end()) {
            tell(out_.without_meaning, "joiner has nothing like it");
        } else if (found->has_one) {
            means(found->text);
        } else {
            tell(out_.without_meaning, found->text);
        }
    }

    AutoscalerFlags out_;
    std::string name_;
    std::string value_;
};

void take_words(const FlagJson& container, const char* field, std::vector<std::string>& out) {
    const auto list = container.find(field);
    if (list == container.end() || !list->is_array()) return;
    for (const FlagJson& word : *list) {
        if (word.is_string()) out.push_back(word.get<std::string>());
    }
}

bool runs_autoscaler(const FlagJson& container, const std::vector<std::string>& words) {
    const std::string image = container.value("image", "");
    const bool is_its_image = image.find("cluster-autoscaler") != std::string::npos;
    return is_its_image || (!words.empty() && words.front().ends_with("cluster-autoscaler"));
}

}  // namespace

std::optional<AutoscalerFlags> autoscaler_flags(const api::Document& document) {
    const FlagJson object = FlagJson::parse(document.json, nullptr, false);
    const FlagJson::json_pointer path("/spec/template/spec/containers");
    if (object.is_discarded() || !object.contains(path) || !object[path].is_array()) return std::nullopt;
    for (const FlagJson& container : object[path]) {
        if (!container.is_object() || !container.value("image", FlagJson("")).is_string()) continue;
        std::vector<std::string> words;
        take_words(container, "command", words);
        take_words(container, "args", words);
        if (runs_autoscaler(container, words)) return FlagReader().read(words);
    }
    return std::nullopt;
}

}  // namespace joiner::cli
