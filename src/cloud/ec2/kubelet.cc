#include "cloud/ec2/kubelet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {
namespace {

using Json = nlohmann::json;

enum class Kind { kText, kFlag, kNumber, kTexts, kMap, kTaints, kAnything };

struct KnownField {
    std::string_view name;
    Kind kind;
};

// Of kubelet.config.k8s.io/v1beta1, in order of names.
constexpr KnownField kFields[] = {
    {"address", Kind::kText},
    {"allowedUnsafeSysctls", Kind::kTexts},
    {"authentication", Kind::kAnything},
    {"authorization", Kind::kAnything},
    {"cgroupDriver", Kind::kText},
    {"cgroupRoot", Kind::kText},
    {"cgroupsPerQOS", Kind::kFlag},
    {"clusterDNS", Kind::kTexts},
    {"clusterDomain", Kind::kText},
    {"configMapAndSecretChangeDetectionStrategy", Kind::kText},
    {"containerLogMaxFiles", Kind::kNumber},
    {"containerLogMaxSize", Kind::kText},
    {"containerLogMaxWorkers", Kind::kNumber},
    {"containerLogMonitorInterval", Kind::kText},
    {"containerRuntimeEndpoint", Kind::kText},
    {"contentType", Kind::kText},
    {"cpuCFSQuota", Kind::kFlag},
    {"cpuCFSQuotaPeriod", Kind::kText},
    {"cpuManagerPolicy", Kind::kText},
    {"cpuManagerPolicyOptions", Kind::kMap},
    {"cpuManagerReconcilePeriod", Kind::kText},
    {"crashLoopBackOff", Kind::kAnything},
    {"enableContentionProfiling", Kind::kFlag},
    {"enableControllerAttachDetach", Kind::kFlag},
    {"enableDebugFlagsHandler", Kind::kFlag},
    {"enableDebuggingHandlers", Kind::kFlag},
    {"enableProfilingHandler", Kind::kFlag},
    {"enableServer", Kind::kFlag},
    {"enableSystemLogHandler", Kind::kFlag},
    {"enableSystemLogQuery", Kind::kFlag},
    {"enforceNodeAllocatable", Kind::kTexts},
    {"eventBurst", Kind::kNumber},
    {"eventRecordQPS", Kind::kNumber},
    {"evictionHard", Kind::kMap},
    {"evictionMaxPodGracePeriod", Kind::kNumber},
    {"evictionMinimumReclaim", Kind::kMap},
    {"evictionPressureTransitionPeriod", Kind::kText},
    {"evictionSoft", Kind::kMap},
    {"evictionSoftGracePeriod", Kind::kMap},
    {"failCgroupV1", Kind::kFlag},
    {"failSwapOn", Kind::kFlag},
    {"featureGates", Kind::kAnything},
    {"fileCheckFrequency", Kind::kText},
    {"hairpinMode", Kind::kText},
    {"healthzBindAddress", Kind::kText},
    {"healthzPort", Kind::kNumber},
    {"httpCheckFrequency", Kind::kText},
    {"imageGCHighThresholdPercent", Kind::kNumber},
    {"imageGCLowThresholdPercent", Kind::kNumber},
    {"imageMaximumGCAge", Kind::kText},
    {"imageMinimumGCAge", Kind::kText},
    {"imagePullCredentialsVerificationPolicy", Kind::kText},
    {"imageServiceEndpoint", Kind::kText},
    {"iptablesDropBit", Kind::kNumber},
    {"iptablesMasqueradeBit", Kind::kNumber},
    {"kernelMemcgNotification", Kind::kFlag},
    {"kubeAPIBurst", Kind::kNumber},
    {"kubeAPIQPS", Kind::kNumber},
    {"kubeReserved", Kind::kMap},
    {"kubeReservedCgroup", Kind::kText},
    {"kubeletCgroups", Kind::kText},
    {"localStorageCapacityIsolation", Kind::kFlag},
    {"logging", Kind::kAnything},
    {"makeIPTablesUtilChains", Kind::kFlag},
    {"maxOpenFiles", Kind::kNumber},
    {"maxParallelImagePulls", Kind::kNumber},
    {"maxPods", Kind::kAnything},
    {"memoryManagerPolicy", Kind::kText},
    {"memoryReservationPolicy", Kind::kText},
    {"memorySwap", Kind::kAnything},
    {"memoryThrottlingFactor", Kind::kNumber},
    {"mergeDefaultEvictionSettings", Kind::kFlag},
    {"nodeLeaseDurationSeconds", Kind::kNumber},
    {"nodeStatusMaxImages", Kind::kNumber},
    {"nodeStatusReportFrequency", Kind::kText},
    {"nodeStatusUpdateFrequency", Kind::kText},
    {"oomScoreAdj", Kind::kNumber},
    {"podCIDR", Kind::kText},
    {"podLogsDir", Kind::kText},
    {"podPidsLimit", Kind::kNumber},
    {"podsPerCore", Kind::kNumber},
    {"port", Kind::kNumber},
    {"preloadedImagesVerificationAllowlist", Kind::kTexts},
    {"protectKernelDefaults", Kind::kFlag},
    {"providerID", Kind::kText},
    {"qosReserved", Kind::kMap},
    {"readOnlyPort", Kind::kNumber},
    {"registerNode", Kind::kFlag},
    {"registerWithTaints", Kind::kTaints},
    {"registryBurst", Kind::kNumber},
    {"registryPullQPS", Kind::kNumber},
    {"reservedMemory", Kind::kAnything},
    {"reservedSystemCPUs", Kind::kText},
    {"resolvConf", Kind::kText},
    {"rotateCertificates", Kind::kFlag},
    {"runOnce", Kind::kFlag},
    {"runtimeRequestTimeout", Kind::kText},
    {"seccompDefault", Kind::kFlag},
    {"serializeImagePulls", Kind::kFlag},
    {"serverTLSBootstrap", Kind::kFlag},
    {"showHiddenMetricsForVersion", Kind::kText},
    {"shutdownGracePeriod", Kind::kText},
    {"shutdownGracePeriodByPodPriority", Kind::kAnything},
    {"shutdownGracePeriodCriticalPods", Kind::kText},
    {"singleProcessOOMKill", Kind::kFlag},
    {"staticPodPath", Kind::kText},
    {"staticPodURL", Kind::kText},
    {"staticPodURLHeader", Kind::kAnything},
    {"streamingConnectionIdleTimeout", Kind::kText},
    {"syncFrequency", Kind::kText},
    {"systemCgroups", Kind::kText},
    {"systemReserved", Kind::kMap},
    {"systemReservedCgroup", Kind::kText},
    {"tlsCertFile", Kind::kText},
    {"tlsCipherSuites", Kind::kTexts},
    {"tlsCurvePreferences", Kind::kAnything},
    {"tlsMinVersion", Kind::kText},
    {"tlsPrivateKeyFile", Kind::kText},
    {"topologyManagerPolicy", Kind::kText},
    {"topologyManagerPolicyOptions", Kind::kMap},
    {"topologyManagerScope", Kind::kText},
    {"tracing", Kind::kAnything},
    {"userNamespaces", Kind::kAnything},
    {"volumePluginDir", Kind::kText},
    {"volumeStatsAggPeriod", Kind::kText},
};

// Those that every family understands.
constexpr std::string_view kOfEveryFamily[] = {"clusterDNS",
                                               "cpuCFSQuota",
                                               "evictionHard",
                                               "evictionMaxPodGracePeriod",
                                               "evictionSoft",
                                               "evictionSoftGracePeriod",
                                               "imageGCHighThresholdPercent",
                                               "imageGCLowThresholdPercent",
                                               "kubeReserved",
                                               "maxPods",
                                               "podsPerCore",
                                               "systemReserved"};

constexpr std::string_view kSignals[] = {"memory.available",  "nodefs.available",   "nodefs.inodesFree",
                                         "imagefs.available", "imagefs.inodesFree", "pid.available"};
constexpr std::string_view kReservable[] = {"cpu", "memory", "ephemeral-storage", "pid"};

template <typename Words>
bool is_among(const Words& words, std::string_view word) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool has_kind(const Json& value, Kind kind) {
    const auto all_text = [](const Json& items) {
        return std::all_of(items.begin(), items.end(), [](const Json& item) { return item.is_string(); });
    };
    switch (kind) {
        case Kind::kText:
            return value.is_string();
        case Kind::kFlag:
            return value.is_boolean();
        case Kind::kNumber:
            return value.is_number();
        case Kind::kTexts:
            return value.is_array() && all_text(value);
        case Kind::kMap:
            return value.is_object() && all_text(value);
        case Kind::kTaints:
            return value.is_array();
        case Kind::kAnything:
            return true;
    }
    return false;
}

// "5%" as a number; nullopt: it is not written so.
std::optional<double> percent_of(std::string_view text) {
    if (!text.ends_with('%')) return std::nullopt;
    text.remove_suffix(1);
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

class Reader {
  public:
    Reader(const Json& json, AmiFamily family, bool takes_expressions)
        : json_(json), family_(family), takes_expressions_(takes_expressions) {}

    tl::expected<KubeletSettings, KubeletMistake> read() {
        check_fields();
        read_amounts();
        read_evictions();
        read_numbers();
        if (!mistakes_.empty()) return mistake("InvalidKubeletConfiguration");
        if (!expressions_.empty()) {
            mistakes_ = std::move(expressions_);
            return mistake(takes_expressions_ ? "KubeletExpressionInvalid" : "KubeletExpressionsDisabled");
        }
        check_family();
        if (!mistakes_.empty()) return mistake("UnsupportedKubeletConfiguration");
        if (!json_.empty()) out_.json = json_.dump();
        return std::move(out_);
    }

  private:
    tl::unexpected<KubeletMistake> mistake(std::string reason) const {
        return tl::unexpected<KubeletMistake>(
            {std::move(reason), fmt::format("{}", fmt::join(mistakes_, "; "))});
    }

    template <typename... T>
    void say(fmt::format_string<T...> format, T&&... arguments) {
        mistakes_.push_back("spec.kubelet." + fmt::format(format, std::forward<T>(arguments)...));
    }

    void check_fields() {
        for (const auto& [name, value] : json_.items()) {
            const auto field = std::find_if(
                std::begin(kFields), std::end(kFields),
                [&, key = std::string_view(name)](const KnownField& one) { return one.name == key; });
            if (field == std::end(kFields)) {
                say("{}: no field of kubelet.config.k8s.io/v1beta1", name);
            } else if (!value.is_null() && !has_kind(value, field->kind)) {
                say("{}: has a value of the wrong type", name);
            }
        }
        if (json_.contains("registerWithTaints"))
            say("registerWithTaints: is set by the controller; write the taints in the NodePool");
    }

    api::StringMap map_at(const char* name) const {
        api::StringMap out;
        const auto it = json_.find(name);
        if (it == json_.end() || !it->is_object()) return out;
        for (const auto& [key, value] : it->items()) {
            if (value.is_string()) out.emplace(key, value.get<std::string>());
        }
        return out;
    }

    void read_amounts() {
        read_reserve("kubeReserved", out_.kube_reserved, out_.kube_reserved_expressions);
        read_reserve("systemReserved", out_.system_reserved, out_.system_reserved_expressions);
    }

    void read_reserve(const char* name, api::StringMap& amounts,
                      std::map<std::string, KubeletExpression>& expressions) {
        for (const auto& [key, value] : map_at(name)) {
            if (!is_among(kReservable, key)) {
                say("{}.{}: may be cpu, memory, ephemeral-storage and pid", name, key);
            } else if (value.starts_with('-')) {
                say("{}.{}: \"{}\" is below zero", name, key, value);
            } else if (Quantity::parse(value)) {
                amounts.emplace(key, value);
            } else if (auto read = expression(fmt::format("{}.{}", name, key), value)) {
                expressions.emplace(key, std::move(*read));
            }
        }
    }

    std::optional<KubeletExpression> expression(const std::string& field, const std::string& text) {
        // A condition's message has a longest length, so what is too long is not repeated in it.
        if (text.size() > kLongestExpression) {
            expressions_.push_back(
                fmt::format("spec.kubelet.{}: is longer than {} characters", field, kLongestExpression));
            return std::nullopt;
        }
        if (!takes_expressions_) {
            expressions_.push_back(
                fmt::format("spec.kubelet.{}: \"{}\" is an expression, which wants "
                            "--aws-feature-gates NodeClassCEL=true",
                            field, text));
            return std::nullopt;
        }
        auto read = KubeletExpression::parse(text);
        if (read) return std::move(*read);
        expressions_.push_back(
            fmt::format("spec.kubelet.{}: \"{}\" is neither a number nor an expression: {}", field, text,
                        read.error().message));
        return std::nullopt;
    }

    void read_evictions() {
        for (const char* const name : {"evictionHard", "evictionSoft", "evictionMinimumReclaim"}) {
            for (const auto& [key, value] : map_at(name)) {
                check_signal(name, key);
                const auto percent = percent_of(value);
                const auto quantity = Quantity::parse(value);
                const bool is_fine = percent ? *percent >= 0 && *percent <= 100
                                             : quantity.has_value() && !quantity->is_negative();
                if (!is_fine) say("{}.{}: \"{}\" is neither a quantity nor 0% to 100%", name, key, value);
            }
        }
        out_.eviction_hard = map_at("evictionHard");
        out_.eviction_soft = map_at("evictionSoft");
        out_.eviction_soft_grace_period = map_at("evictionSoftGracePeriod");
        for (const auto& [key, value] : out_.eviction_soft_grace_period) {
            check_signal("evictionSoftGracePeriod", key);
            const auto duration = parse_duration(value);
            if (!duration || duration->count() < 0)
                say("evictionSoftGracePeriod.{}: \"{}\" is no duration, such as 90s", key, value);
            if (!out_.eviction_soft.contains(key))
                say("evictionSoftGracePeriod.{}: evictionSoft has none", key);
        }
        for (const auto& [key, value] : out_.eviction_soft) {
            if (!out_.eviction_soft_grace_period.contains(key))
                say("evictionSoft.{}: evictionSoftGracePeriod has none", key);
        }
    }

    void check_signal(std::string_view name, std::string_view key) {
        if (!is_among(kSignals, key)) say("{}.{}: no signal of eviction", name, key);
    }

    std::optional<int> number_at(const char* name, int most = std::numeric_limits<int>::max()) {
        const auto it = json_.find(name);
        if (it == json_.end() || !it->is_number()) return std::nullopt;
        if (!it->is_number_integer()) {
            say("{}: must be a whole number", name);
            return std::nullopt;
        }
        const auto value = it->get<std::int64_t>();
        if (value < 0 || value > most) {
            say("{}: {} is not between 0 and {}", name, it->dump(), most);
            return std::nullopt;
        }
        return static_cast<int>(value);
    }

    void read_numbers() {
        const auto max_pods = json_.find("maxPods");
        if (max_pods != json_.end() && max_pods->is_string()) {
            out_.max_pods_expression = expression("maxPods", max_pods->get<std::string>());
        } else if (max_pods != json_.end() && !max_pods->is_number() && !max_pods->is_null()) {
            say("maxPods: must be a whole number");
        }
        out_.max_pods = number_at("maxPods");
        out_.pods_per_core = number_at("podsPerCore");
        out_.eviction_max_pod_grace_period = number_at("evictionMaxPodGracePeriod");
        out_.image_gc_high_threshold = number_at("imageGCHighThresholdPercent", 100);
        out_.image_gc_low_threshold = number_at("imageGCLowThresholdPercent", 100);
        if (out_.image_gc_high_threshold && out_.image_gc_low_threshold &&
            *out_.image_gc_high_threshold <= *out_.image_gc_low_threshold)
            say("imageGCHighThresholdPercent: must be above imageGCLowThresholdPercent");
        if (const auto it = json_.find("cpuCFSQuota"); it != json_.end() && it->is_boolean())
            out_.cpu_cfs_quota = it->get<bool>();
        if (const auto it = json_.find("clusterDNS"); it != json_.end() && it->is_array()) {
            for (const Json& item : *it) {
                if (item.is_string()) out_.cluster_dns.push_back(item.get<std::string>());
            }
        }
    }

    void check_family() {
        if (family_ == AmiFamily::kAl2023 || family_ == AmiFamily::kCustom) return;
        for (const auto& [name, value] : json_.items()) {
            if (!is_among(kOfEveryFamily, name))
                say("{}: images of {} do not take it", name, to_string(family_));
        }
        if (family_ == AmiFamily::kBottlerocket && out_.pods_per_core)
            say("podsPerCore: images of Bottlerocket do not take it");
        if (out_.cluster_dns.size() > 1) say("clusterDNS: images of {} take one", to_string(family_));
    }

    const Json& json_;
    AmiFamily family_;
    bool takes_expressions_;
    KubeletSettings out_;
    std::vector<std::string> mistakes_;
    // What is wrong with the expressions.
    std::vector<std::string> expressions_;
};

}  // namespace

tl::expected<KubeletSettings, KubeletMistake> parse_kubelet(std::string_view text, AmiFamily family,
                                                            bool takes_expressions) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        return tl::unexpected<KubeletMistake>(
            {"InvalidKubeletConfiguration", "spec.kubelet: must be an object"});
    return Reader(json, family, takes_expressions).read();
}

}  // namespace joiner::cloud::ec2
