#include "cloud/ec2/types/kubelet_of_type.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <map>
#include <utility>

namespace joiner::cloud::ec2 {
namespace {

ExpressionFacts facts_of(const InstanceTypeInfo& info, std::int64_t max_pods) {
    const NetworkCard* card = default_card(info);
    return {.vcpus = info.vcpus,
            .memory_mib = info.memory_mib,
            .default_enis = card == nullptr ? info.max_interfaces : card->max_interfaces,
            .ips_per_eni = info.ipv4_addresses,
            .max_pods = max_pods,
            .instance_type = info.name};
}

// No setting is larger: the kubelet's own numbers are of this width, and a reserve beyond it is a slip.
Result<std::int64_t> usable_result(const KubeletExpression& expression, const ExpressionFacts& facts) {
    TRY(const std::int64_t out, expression.evaluate(facts));
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (out < 0 || out > kMost)
        return invalid(fmt::format("it comes to {}, not between 0 and {}", out, kMost));
    return out;
}

std::string failure_of(const std::string& field, const KubeletExpression& expression, const Error& error) {
    return fmt::format("spec.kubelet.{}: \"{}\": {}", field, expression.text(), error.message);
}

std::string as_quantity(const std::string& resource, std::int64_t amount) {
    const auto up_to = [&](std::int64_t step) { return (amount + step - 1) / step * step; };
    if (resource == "cpu") return fmt::format("{}m", up_to(10));
    if (resource == "memory") return fmt::format("{}Mi", up_to(16));
    if (resource == "ephemeral-storage") return fmt::format("{}Gi", amount);
    return std::to_string(amount);
}

void resolve_reserve(const char* name, const std::map<std::string, KubeletExpression>& expressions,
                     const ExpressionFacts& facts, api::StringMap& amounts,
                     std::vector<std::string>& failures) {
    for (const auto& [resource, expression] : expressions) {
        const auto amount = usable_result(expression, facts);
        if (amount)
            amounts[resource] = as_quantity(resource, *amount);
        else
            failures.push_back(failure_of(fmt::format("{}.{}", name, resource), expression, amount.error()));
    }
}

}  // namespace

TypeKubelet kubelet_of(const InstanceTypeInfo& info, const NodeShape& shape) {
    TypeKubelet out;
    out.settings = shape.kubelet;
    if (!shape.kubelet.has_expressions()) return out;
    out.settings.max_pods_expression.reset();
    out.settings.kube_reserved_expressions.clear();
    out.settings.system_reserved_expressions.clear();
    NodeShape resolved = shape;
    if (const auto& expression = shape.kubelet.max_pods_expression) {
        const auto pods = usable_result(*expression, facts_of(info, pods_of(info, resolved)));
        if (pods)
            out.settings.max_pods = static_cast<int>(*pods);
        else
            out.max_pods_failure = failure_of("maxPods", *expression, pods.error());
    }
    resolved.kubelet.max_pods = out.settings.max_pods;
    const ExpressionFacts facts = facts_of(info, pods_of(info, resolved));
    resolve_reserve("kubeReserved", shape.kubelet.kube_reserved_expressions, facts,
                    out.settings.kube_reserved, out.reserve_failures);
    resolve_reserve("systemReserved", shape.kubelet.system_reserved_expressions, facts,
                    out.settings.system_reserved, out.reserve_failures);
    return out;
}

std::string why_expressions_fail(const std::vector<InstanceTypeInfo>& types, const NodeShape& shape) {
    if (!shape.kubelet.has_expressions()) return {};
    std::string first;
    int failing = 0;
    for (const InstanceTypeInfo& info : types) {
        const TypeKubelet kubelet = kubelet_of(info, shape);
        if (kubelet.max_pods_failure.empty() && kubelet.reserve_failures.empty()) continue;
        if (++failing > 1) continue;
        first = fmt::format(
            "{}, for {}",
            kubelet.max_pods_failure.empty() ? kubelet.reserve_failures.front() : kubelet.max_pods_failure,
            info.name);
    }
    if (failing < 2) return first;
    return fmt::format("{} and {} more instance types", first, failing - 1);
}

}  // namespace joiner::cloud::ec2
