#include "rules/taints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "api/names.h"

namespace joiner::rules {
namespace {

// As Kubernetes writes whole numbers: no plus sign, no zeros in front.
std::optional<std::int64_t> whole_number(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.starts_with('0') && text != "0") return std::nullopt;
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

bool compares(const api::Toleration& toleration) {
    return toleration.op == "Gt" || toleration.op == "Lt";
}

// Gt: the taint's value is the greater.
bool compare(const api::Toleration& toleration, const api::Taint& taint) {
    const auto bound = whole_number(toleration.value);
    const auto there = whole_number(taint.value);
    if (!bound || !there) return false;
    return toleration.op == "Gt" ? *there > *bound : *there < *bound;
}

}  // namespace

bool tolerates(const api::Toleration& toleration, const api::Taint& taint) {
    if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
    if (!toleration.key.empty() && toleration.key != taint.key) return false;
    if (toleration.op == "Exists") return true;
    // An empty key with any other operator is refused by the API server; it tolerates nothing.
    if (toleration.key.empty()) return false;
    if (compares(toleration)) return compare(toleration, taint);
    return toleration.op == "Equal" && toleration.value == taint.value;
}

std::string toleration_problem(const api::Toleration& toleration) {
    if (compares(toleration) && !whole_number(toleration.value)) {
        return fmt::format("its toleration of {} has the operator {}, which needs a whole number, not \"{}\"",
                           toleration.key, toleration.op, toleration.value);
    }
    if (compares(toleration) || toleration.op == "Equal" || toleration.op == "Exists") return {};
    return fmt::format(
        "its toleration of {} has the operator {}, which nobody knows: use Equal, Exists, Gt or Lt",
        toleration.key, toleration.op);
}

const api::Taint* untolerated_taint(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints) {
    for (const api::Taint& taint : taints) {
        if (taint.effect == api::kPreferNoSchedule) continue;
        const bool tolerated = std::any_of(tolerations.begin(), tolerations.end(),
                                           [&](const api::Toleration& t) { return tolerates(t, taint); });
        if (!tolerated) return &taint;
    }
    return nullptr;
}

bool same_taint(const api::Taint& a, const api::Taint& b) {
    return a.key == b.key && a.effect == b.effect;
}

bool has_taint(const std::vector<api::Taint>& taints, std::string_view key, std::string_view effect) {
    return std::any_of(taints.begin(), taints.end(),
                       [&](const api::Taint& t) { return t.key == key && t.effect == effect; });
}

std::vector<api::Taint> undeclared_taints(const std::vector<api::Taint>& taints,
                                          const api::NodeClaim& claim) {
    const auto is_in = [](const std::vector<api::Taint>& declared, const api::Taint& taint) {
        return std::any_of(declared.begin(), declared.end(),
                           [&](const api::Taint& one) { return same_taint(one, taint); });
    };
    std::vector<api::Taint> out;
    for (const api::Taint& taint : taints) {
        const bool keeps_off = taint.effect != api::kPreferNoSchedule;
        const bool closes = taint.key == api::kUnschedulableTaint || taint.key == api::kDisruptedTaint ||
                            taint.key == api::kRebootingTaint;
        if (keeps_off && !closes && !is_ephemeral_taint(taint) && !is_in(claim.taints, taint) &&
            !is_in(claim.startup_taints, taint))
            out.push_back(taint);
    }
    return out;
}

bool is_ephemeral_taint(const api::Taint& taint) {
    if (taint.key == api::kNotReadyTaint) return true;
    if (taint.key == api::kUnreachableTaint) return taint.effect == api::kNoSchedule;
    if (taint.key == api::kCloudUninitializedTaint) return taint.effect == api::kNoSchedule;
    return taint.key == api::kUnregisteredTaint || taint.key == api::kBindingTaint ||
           taint.key.starts_with(api::kReadinessTaintPrefix);
}

}  // namespace joiner::rules
