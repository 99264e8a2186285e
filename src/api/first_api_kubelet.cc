#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "api/first_api.h"
#include "api/first_api_part.h"
#include "base/quantity.h"
#include "base/time.h"

namespace joiner::api {
namespace {

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

void read_reserved(const FirstPart& kubelet, std::string_view field, FirstJson& out) {
    static const std::set<std::string_view> kResources = {"cpu", "memory", "ephemeral-storage", "pid"};
    const StringMap reserved = kubelet.quantities(field);
    for (const auto& [resource, quantity] : reserved) {
        const std::string path = fmt::format("{}.{}", field, resource);
        if (!kResources.contains(resource))
            kubelet.problem(path, "only cpu, memory, ephemeral-storage and pid can be reserved");
        if (quantity.starts_with('-')) kubelet.problem(path, fmt::format("{} is negative", quantity));
    }
    if (!reserved.empty()) out[field] = reserved;
}

bool is_threshold(std::string_view value) {
    if (!value.ends_with('%')) return Quantity::parse(value).has_value();
    const auto share = Quantity::parse(value.substr(0, value.size() - 1));
    return share && !share->is_negative() && share->to_double() <= 100;
}

void check_signal(const FirstPart& kubelet, const std::string& path, std::string_view signal) {
    static const std::set<std::string_view> kSignals = {"memory.available",   "nodefs.available",
                                                        "nodefs.inodesFree",  "imagefs.available",
                                                        "imagefs.inodesFree", "pid.available"};
    if (!kSignals.contains(signal)) {
        kubelet.problem(path,
                        "is no eviction signal; there are memory.available, nodefs.available, "
                        "nodefs.inodesFree, imagefs.available, imagefs.inodesFree and pid.available");
    }
}

StringMap read_thresholds(const FirstPart& kubelet, std::string_view field, FirstJson& out) {
    StringMap thresholds = kubelet.map(field);
    for (const auto& [signal, value] : thresholds) {
        const std::string path = fmt::format("{}.{}", field, signal);
        check_signal(kubelet, path, signal);
        if (!is_threshold(value))
            kubelet.problem(path, fmt::format("{} is neither a quantity nor 0% to 100%", in_quotes(value)));
    }
    if (!thresholds.empty()) out[field] = thresholds;
    return thresholds;
}

void read_soft_eviction(const FirstPart& kubelet, FirstJson& out) {
    constexpr std::string_view kGrace = "evictionSoftGracePeriod";
    const StringMap soft = read_thresholds(kubelet, "evictionSoft", out);
    StringMap grace = kubelet.map(kGrace);
    for (auto& [signal, text] : grace) {
        const std::string path = fmt::format("{}.{}", kGrace, signal);
        check_signal(kubelet, path, signal);
        if (!soft.contains(signal)) kubelet.problem(path, "has no threshold in evictionSoft");
        if (const auto duration = parse_duration(text); !duration) {
            kubelet.problem(path, duration.error().message);
        } else {
            text = format_duration(*duration);
        }
    }
    for (const auto& [signal, value] : soft) {
        if (!grace.contains(signal))
            kubelet.problem(fmt::format("evictionSoft.{}", signal),
                            "has no grace period in evictionSoftGracePeriod");
    }
    if (!grace.empty()) out[kGrace] = grace;
}

}  // namespace

FirstJson first_kubelet(const FirstPart& kubelet) {
    FirstJson out = FirstJson::object();
    kubelet.lose_unknown(
        "clusterDNS containerRuntime maxPods podsPerCore systemReserved kubeReserved evictionHard "
        "evictionSoft evictionSoftGracePeriod evictionMaxPodGracePeriod imageGCHighThresholdPercent "
        "imageGCLowThresholdPercent cpuCFSQuota");
    if (kubelet.has("containerRuntime"))
        kubelet.lose("containerRuntime", "is left out: nodes of today run containerd and nothing else");
    const auto number = [&](std::string_view field, std::int64_t most) {
        const auto value = kubelet.whole(field, 0, most);
        if (value) out[field] = *value;
        return value;
    };
    if (auto servers = kubelet.texts("clusterDNS"); !servers.empty()) out["clusterDNS"] = std::move(servers);
    number("maxPods", kMaxInt32);
    number("podsPerCore", kMaxInt32);
    number("evictionMaxPodGracePeriod", kMaxInt32);
    const auto high = number("imageGCHighThresholdPercent", 100);
    const auto low = number("imageGCLowThresholdPercent", 100);
    if (high && low && *high < *low) {
        kubelet.problem("imageGCHighThresholdPercent",
                        fmt::format("{} is below imageGCLowThresholdPercent, {}", *high, *low));
    }
    read_reserved(kubelet, "systemReserved", out);
    read_reserved(kubelet, "kubeReserved", out);
    read_thresholds(kubelet, "evictionHard", out);
    read_soft_eviction(kubelet, out);
    if (const auto quota = kubelet.flag("cpuCFSQuota")) out["cpuCFSQuota"] = *quota;
    return out;
}

std::string first_api_kubelet(std::string_view kubelet_json) {
    if (kubelet_json.empty()) return {};
    const auto json = parse_first(kubelet_json);
    if (!json) return {};
    FirstNotes untold;
    const FirstJson kubelet = first_kubelet(FirstPart(*json, "", untold));
    return kubelet.empty() ? std::string() : dump_first(kubelet);
}

}  // namespace joiner::api
