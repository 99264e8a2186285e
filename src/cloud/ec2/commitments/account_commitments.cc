#include "cloud/ec2/commitments/account_commitments.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

using rules::Commitment;
using rules::CommitmentKind;

constexpr Duration kReadCommitmentsAgain = std::chrono::hours{1};
constexpr Duration kFirstRetry = std::chrono::seconds{30};
constexpr std::size_t kMostCommitments = 1000;
// Plans whose rates are asked for.
constexpr std::size_t kMostPlans = 200;
constexpr std::int64_t kMostReserved = 1'000'000;

bool lasts(const std::optional<WallTime>& ends, WallTime now) {
    return !ends || *ends > now;
}

// Empty: a system that nodes do not run.
std::string os_of(std::string_view product) {
    if (product == "Linux/UNIX" || product == "Linux/UNIX (Amazon VPC)") return "linux";
    if (product == "Windows" || product == "Windows (Amazon VPC)") return "windows";
    return {};
}

std::string reserved_name(const Commitment& one) {
    std::string out = "reserved " + one.instance_type;
    if (!one.zone.empty()) out += " in " + one.zone;
    if (one.os != "linux") out += " with " + one.os;
    return out;
}

// Reservations of one type, place and system.
std::map<std::string, Commitment> reserved_of(const std::vector<ReservedInstances>& reserved, WallTime now) {
    std::map<std::string, Commitment> out;
    for (const ReservedInstances& each : reserved) {
        Commitment one;
        one.os = os_of(each.product);
        one.instance_type = each.type;
        const bool is_regional = each.scope == "Region";
        one.kind = is_regional ? CommitmentKind::kRegionalReserved : CommitmentKind::kZonalReserved;
        if (!is_regional) one.zone = each.zone;
        if (each.state != "active" || !lasts(each.ends, now) || each.tenancy != "default" || one.os.empty() ||
            one.instance_type.find('.') == std::string::npos || (!is_regional && one.zone.empty()))
            continue;
        one.name = reserved_name(one);
        one.amount = rules::reserved_amount(one.kind, one.instance_type, one.os,
                                            std::clamp<std::int64_t>(each.count, 0, kMostReserved));
        const auto [at, is_new] = out.emplace(one.name, one);
        if (!is_new) at->second.amount += one.amount;
    }
    return out;
}

bool is_of_this_region(const SavingsPlan& plan, const std::string& region) {
    if (plan.kind == "Compute") return true;
    return plan.kind == "EC2Instance" && plan.region == region && !plan.family.empty();
}

Commitment commitment_of(const PlanWithRates& each) {
    Commitment out;
    out.name = "Savings Plan " + each.plan.id;
    out.kind = each.plan.kind == "Compute" ? CommitmentKind::kComputePlan : CommitmentKind::kFamilyPlan;
    if (out.kind == CommitmentKind::kFamilyPlan) out.family = each.plan.family;
    out.amount = each.plan.per_hour.nanos;
    for (const SavingsPlanRate& rate : each.rates) out.rates.emplace(rate.type, rate.per_hour);
    return out;
}

// In the order of their ids, each with those that are like it.
rules::Commitments plans_of(std::vector<PlanWithRates> plans, const std::string& region, WallTime now) {
    std::sort(plans.begin(), plans.end(),
              [](const PlanWithRates& a, const PlanWithRates& b) { return a.plan.id < b.plan.id; });
    rules::Commitments out;
    for (const PlanWithRates& each : plans) {
        if (each.plan.state != "active" || !lasts(each.plan.ends, now) ||
            !is_of_this_region(each.plan, region) || each.rates.empty())
            continue;
        Commitment one = commitment_of(each);
        const auto like = std::find_if(out.begin(), out.end(), [&](const Commitment& other) {
            return other.kind == one.kind && other.family == one.family && other.rates == one.rates;
        });
        if (like == out.end())
            out.push_back(std::move(one));
        else
            like->amount += one.amount;
    }
    return out;
}

bool are_alike(const rules::Commitments& a, const rules::Commitments& b) {
    const auto all_of = [](const Commitment& one) {
        return std::tie(one.name, one.kind, one.instance_type, one.zone, one.family, one.os, one.amount,
                        one.rates);
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](const Commitment& x, const Commitment& y) { return all_of(x) == all_of(y); });
}

// As much of a type as commitments look at.
rules::InstanceType type_named(const std::string& name, const RegionFacts& facts) {
    rules::InstanceType out;
    out.name = name;
    const auto info = std::find_if(facts.types.begin(), facts.types.end(),
                                   [&](const InstanceTypeInfo& each) { return each.name == name; });
    if (info != facts.types.end()) out.capacity.cpu_milli = std::int64_t{info->vcpus} * 1000;
    return out;
}

}  // namespace

rules::Commitments commitments_of(const std::vector<ReservedInstances>& reserved,
                                  const std::vector<PlanWithRates>& plans, const std::string& region,
                                  WallTime now) {
    rules::Commitments out;
    for (auto& [name, one] : reserved_of(reserved, now)) out.push_back(std::move(one));
    for (Commitment& one : plans_of(plans, region, now)) out.push_back(std::move(one));
    std::stable_sort(out.begin(), out.end(), [](const Commitment& a, const Commitment& b) {
        return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
    if (out.size() > kMostCommitments) out.resize(kMostCommitments);
    return out;
}

std::vector<InstanceInfo> machines_elsewhere(std::vector<InstanceInfo> instances,
                                             const std::string& cluster_name) {
    const std::string owned = std::string(kOwnedTagPrefix) + cluster_name;
    std::erase_if(instances, [&](const InstanceInfo& each) {
        const auto group = each.tags.find(kClusterTag);
        const bool is_ours =
            each.tags.contains(owned) || (group != each.tags.end() && group->second == cluster_name);
        const bool is_shared = each.tenancy.empty() || each.tenancy == "default";
        return is_ours || !is_shared || !each.lifecycle.empty() || each.state != "running";
    });
    return instances;
}

rules::Commitments without_elsewhere(rules::Commitments commitments,
                                     const std::vector<InstanceInfo>& elsewhere, const RegionFacts& facts) {
    std::map<std::string, rules::InstanceType> types;
    std::vector<rules::PaidMachine> machines;
    for (const InstanceInfo& each : elsewhere) {
        const auto price = facts.on_demand.find(each.type);
        if (price == facts.on_demand.end()) continue;
        auto type = types.find(each.type);
        if (type == types.end()) type = types.emplace(each.type, type_named(each.type, facts)).first;
        machines.push_back(
            {&type->second, each.zone, each.platform.empty() ? "linux" : each.platform, price->second});
    }
    const rules::CommitmentUse use = rules::use_commitments(commitments, machines);
    for (std::size_t i = 0; i < commitments.size(); ++i) commitments[i].amount = use.left[i];
    return commitments;
}

void AccountCommitments::start() {
    if (!std::exchange(is_started_, true)) read();
}

void AccountCommitments::read() {
    const auto reading = std::make_shared<Reading>();
    ground_.ec2.describe_reserved_instances(
        then<std::vector<ReservedInstances>>([this, reading](std::vector<ReservedInstances> all) {
            reading->reserved = std::move(all);
            // In an isolated VPC nobody answers for Savings Plans.
            if (ground_.settings.isolated_vpc) return read_machines(reading);
            read_plans(reading);
        }));
}

void AccountCommitments::read_plans(const ReadingPtr& reading) {
    ground_.savings_plans.describe_savings_plans(
        then<std::vector<SavingsPlan>>([this, reading](std::vector<SavingsPlan> all) {
            for (SavingsPlan& each : all) {
                if (is_of_this_region(each, ground_.region) && reading->plans.size() < kMostPlans)
                    reading->plans.push_back({std::move(each), {}});
            }
            read_rates(reading);
        }));
}

// One plan after the other.
void AccountCommitments::read_rates(const ReadingPtr& reading) {
    if (reading->next_plan == reading->plans.size()) return read_machines(reading);
    const std::string& id = reading->plans[reading->next_plan].plan.id;
    ground_.savings_plans.describe_savings_plan_rates(
        id, ground_.region,
        then<std::vector<SavingsPlanRate>>([this, reading](std::vector<SavingsPlanRate> rates) {
            reading->plans[reading->next_plan++].rates = std::move(rates);
            read_rates(reading);
        }));
}

// Of an account that has bought nothing, nobody's machines are asked for.
void AccountCommitments::read_machines(const ReadingPtr& reading) {
    if (reading->reserved.empty() && reading->plans.empty()) return finish(reading, {});
    ground_.ec2.describe_instances(
        {{"instance-state-name", {"running"}}, {"tenancy", {"default"}}},
        then<std::vector<InstanceInfo>>([this, reading](std::vector<InstanceInfo> all) {
            finish(reading, machines_elsewhere(std::move(all), ground_.settings.cluster_name));
        }));
}

void AccountCommitments::finish(const ReadingPtr& reading, const std::vector<InstanceInfo>& elsewhere) {
    const std::shared_ptr<const RegionFacts> facts = ground_.region_types.facts();
    // Without prices what others take is not known.
    if (facts == nullptr) return again(kFirstRetry);
    rules::Commitments all = without_elsewhere(
        commitments_of(reading->reserved, reading->plans, ground_.region, ground_.loop.now()), elsewhere,
        *facts);
    failures_ = 0;
    if (!said_.empty()) ground_.reports.remarked("reserved instances and Savings Plans are known again");
    said_.clear();
    if (known_ == nullptr || !are_alike(*known_, all)) {
        ground_.reports.remarked(fmt::format(
            "{} reserved instances and Savings Plans of the account count as paid for, less what {} "
            "machines outside of the cluster take",
            all.size(), elsewhere.size()));
        known_ = std::make_shared<const rules::Commitments>(std::move(all));
        ground_.reports.offers_changed();
    }
    again(kReadCommitmentsAgain);
}

void AccountCommitments::fail(const Error& error) {
    std::string sentence = fmt::format(
        "what the account has paid for cannot be asked, and {}: {}",
        known_ == nullptr ? "nothing counts as paid for" : "what was known stands", error.message);
    if (error.kind == ErrorKind::kForbidden)
        sentence += "; the role needs deploy/aws/commitments-policy.json too";
    // Messages of AWS's have numbers of their own, so they are told apart by what kind they are.
    std::string matter = fmt::format("{} {}", static_cast<int>(error.kind), known_ == nullptr);
    if (said_ != matter) ground_.reports.remarked(sentence);
    said_ = std::move(matter);
    again(std::min(kReadCommitmentsAgain, kFirstRetry * (1 << std::min(failures_++, 7))));
}

void AccountCommitments::again(Duration pause) {
    ground_.loop.after(pause, [this, is_alive = is_alive_] {
        if (*is_alive) read();
    });
}

}  // namespace joiner::cloud::ec2
