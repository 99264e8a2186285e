#include "control/claim_decisions.h"

#include <fmt/format.h>

namespace joiner::control {
namespace {

using observe::Matter;
using observe::Verdict;
using plan::Rule;

void record(observe::DecisionLog& log, const api::NodeClaim& claim, Matter matter, Verdict verdict,
            plan::Reason reason, WallTime now) {
    log.record({observe::Subject::claim(claim.meta), matter, verdict, plan::share({std::move(reason)}), now});
}

Rule rule_of(ErrorKind kind) {
    if (kind == ErrorKind::kExhausted) return Rule::kSoldOut;
    return kind == ErrorKind::kInvalid ? Rule::kInvalidRequest : Rule::kLaunchError;
}

}  // namespace

plan::Reason bought(Rule rule, const std::string& claim, const plan::MachineSpec& spec, std::size_t pods) {
    plan::Reason out{.rule = rule, .object = "NodeClaim " + claim, .detail = "the provider chooses"};
    out.amounts = {{"pods", static_cast<std::int64_t>(pods)},
                   {"choices", static_cast<std::int64_t>(spec.types.size())}};
    if (spec.types.empty()) return out;
    out.detail = fmt::format("{} {} {}", spec.types.front(), spec.zone, spec.capacity_type);
    if (spec.paid_for_fewer_interruptions > rules::Money{})
        out.detail += fmt::format(", {:.4f} $ dearer than what is interrupted more",
                                  spec.paid_for_fewer_interruptions.dollars());
    out.money = spec.price;
    return out;
}

void decide_on_claim(observe::DecisionLog& log, const std::string& claim, plan::Reasons reasons,
                     WallTime now) {
    log.record({observe::Subject::claim(claim, ""), Matter::kPurchase, Verdict::kBought,
                plan::share(std::move(reasons)), now});
}

void note_launch_failed(observe::DecisionLog& log, const api::NodeClaim& claim, const Error& error,
                        WallTime now) {
    record(log, claim, Matter::kLaunch, Verdict::kFailed,
           {.rule = rule_of(error.kind), .detail = error.message}, now);
}

void note_came_up(observe::DecisionLog& log, const api::NodeClaim& claim, const std::string& node,
                  WallTime now) {
    record(log, claim, Matter::kLaunch, Verdict::kCameUp, {.rule = Rule::kCameUp, .detail = node}, now);
}

void note_given_up(observe::DecisionLog& log, const api::NodeClaim& claim, const std::string& why,
                   WallTime now) {
    record(log, claim, Matter::kLaunch, Verdict::kGivenUp, {.rule = Rule::kNotComeUp, .detail = why}, now);
}

void note_ended(observe::DecisionLog& log, const api::NodeClaim& claim, std::string_view reason,
                WallTime now) {
    record(log, claim, Matter::kEnd, Verdict::kRemoved, {.rule = Rule::kEnded, .detail = std::string(reason)},
           now);
}

}  // namespace joiner::control
