#include "rules/commitment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <tuple>

namespace joiner::rules {
namespace {

constexpr std::int64_t kOneInstance = 1000;

std::string_view family_of(std::string_view type) {
    return type.substr(0, type.find('.'));
}

std::string_view size_of(std::string_view type) {
    const std::size_t dot = type.find('.');
    return dot == std::string_view::npos ? std::string_view{} : type.substr(dot + 1);
}

// "12xlarge" by its number; nullopt where there is none.
std::optional<std::int64_t> times_xlarge(std::string_view text, std::string_view unit) {
    if (!text.ends_with(unit)) return std::nullopt;
    text.remove_suffix(unit.size());
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size() || out <= 0 || out > 1000)
        return std::nullopt;
    return out;
}

// Thousandths of the size "small"; nullopt for "metal", whose factor is that of the size it is as large as.
std::optional<std::int64_t> size_factor(std::string_view size) {
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kNamed = {{{"nano", 250},
                                                                                  {"micro", 500},
                                                                                  {"small", 1000},
                                                                                  {"medium", 2000},
                                                                                  {"large", 4000},
                                                                                  {"xlarge", 8000}}};
    for (const auto& [name, factor] : kNamed) {
        if (size == name) return factor;
    }
    if (size.starts_with("metal-")) {
        if (const auto times = times_xlarge(size.substr(6), "xl")) return *times * 8000;
        return std::nullopt;
    }
    if (const auto times = times_xlarge(size, "xlarge")) return *times * 8000;
    return std::nullopt;
}

// Reservations of these families hold for the one size.
bool has_fixed_sizes(std::string_view family) {
    constexpr std::array<std::string_view, 13> kFixed = {"g4ad", "g4dn", "g5",    "g5g", "g6",   "g6e", "g6f",
                                                         "gr6",  "gr6f", "hpc7a", "p5",  "inf1", "inf2"};
    return family.starts_with("u7") || std::find(kFixed.begin(), kFixed.end(), family) != kFixed.end();
}

bool is_shared_by_sizes(CommitmentKind kind, std::string_view instance_type, std::string_view os) {
    return kind == CommitmentKind::kRegionalReserved && os == "linux" &&
           !has_fixed_sizes(family_of(instance_type)) && size_factor(size_of(instance_type)).has_value();
}

std::int64_t rate_of(const Commitment& plan, const InstanceType& type, Money price) {
    if (plan.kind == CommitmentKind::kFamilyPlan && plan.family != family_of(type.name)) return 0;
    if (const auto rate = plan.rates.find(type.name); rate != plan.rates.end()) return rate->second.nanos;
    if (!plan.discount) return 0;
    return std::llround(static_cast<double>(price.nanos) * (1 - *plan.discount));
}

}  // namespace

std::int64_t reserved_amount(CommitmentKind kind, std::string_view instance_type, std::string_view os,
                             std::int64_t count) {
    if (!is_shared_by_sizes(kind, instance_type, os)) return count * kOneInstance;
    return count * *size_factor(size_of(instance_type));
}

std::int64_t units_taken(const Commitment& commitment, const InstanceType& type, std::string_view zone,
                         std::string_view os, Money price) {
    if (os != commitment.os) return 0;
    if (commitment.is_plan()) return rate_of(commitment, type, price);
    if (commitment.kind == CommitmentKind::kZonalReserved && zone != commitment.zone) return 0;
    if (!is_shared_by_sizes(commitment.kind, commitment.instance_type, commitment.os))
        return type.name == commitment.instance_type ? kOneInstance : 0;
    if (family_of(type.name) != family_of(commitment.instance_type)) return 0;
    // An xlarge, which counts 8, has four CPUs.
    return size_factor(size_of(type.name)).value_or(type.capacity.cpu_milli * 2);
}

CommitmentUse use_commitments(const Commitments& commitments, const std::vector<PaidMachine>& machines) {
    CommitmentUse out;
    out.uncovered.assign(machines.size(), 1);
    std::vector<std::size_t> order(commitments.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tie(commitments[a].kind, commitments[a].name) <
               std::tie(commitments[b].kind, commitments[b].name);
    });
    for (const Commitment& one : commitments) out.left.push_back(one.amount);
    struct Covered {
        double rank;
        std::size_t machine;
        std::int64_t units;
    };
    for (const std::size_t at : order) {
        const Commitment& commitment = commitments[at];
        std::vector<Covered> covered;
        for (std::size_t i = 0; i < machines.size(); ++i) {
            const PaidMachine& machine = machines[i];
            if (out.uncovered[i] <= 0) continue;
            const std::int64_t units =
                units_taken(commitment, *machine.type, machine.zone, machine.os, machine.price);
            if (units <= 0) continue;
            const auto taken = static_cast<double>(units);
            covered.push_back({commitment.is_plan() ? taken / static_cast<double>(std::max<std::int64_t>(
                                                                  1, machine.price.nanos))
                                                    : taken,
                               i, units});
        }
        std::stable_sort(covered.begin(), covered.end(),
                         [](const Covered& a, const Covered& b) { return a.rank < b.rank; });
        std::int64_t& left = out.left[at];
        for (const Covered& one : covered) {
            double& uncovered = out.uncovered[one.machine];
            const auto all = static_cast<double>(one.units);
            const std::int64_t wanted = std::max<std::int64_t>(1, std::llround(all * uncovered));
            const std::int64_t taken = std::clamp<std::int64_t>(left, 0, wanted);
            uncovered = taken == wanted ? 0 : uncovered - static_cast<double>(taken) / all;
            left -= taken;
        }
    }
    return out;
}

}  // namespace joiner::rules
