#include "observe/decision.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "observe/log.h"

namespace joiner::observe {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kSubjectKinds> kKindWords = {"Pod", "NodeClaim", "Node", "NodePool"};
constexpr std::array<std::string_view, kMatters> kMatterWords = {
    "placement", "purchase",      "launch", "end",       "emptiness", "drift",
    "expiry",    "consolidation", "repair", "readiness", "size"};
constexpr std::array<std::string_view, kVerdicts> kVerdictWords = {
    "new-node", "existing-node", "waits", "bought", "failed", "came-up",   "removed",   "kept",
    "leaves",   "given-up",      "open",  "closed", "ready",  "not-ready", "as-wanted", "limited"};

Json as_json(const plan::Reason& reason) {
    Json out = {{"rule", plan::word_for(reason.rule)}};
    if (!reason.object.empty()) out["object"] = reason.object;
    if (!reason.detail.empty()) out["detail"] = reason.detail;
    for (const plan::Amount& amount : reason.amounts) out["amounts"][std::string(amount.name)] = amount.value;
    if (reason.money) out["dollarsPerHour"] = reason.money->dollars();
    if (reason.until != kNoTime) out["until"] = format_rfc3339(reason.until);
    if (std::string change = plan::what_would_change(reason); !change.empty())
        out["wouldChange"] = std::move(change);
    return out;
}

std::string name_of(const Subject& subject) {
    return subject.id.ns().empty() ? subject.id.name() : subject.id.full_name();
}

Level level_of(const Decision& decision) {
    if (decision.subject.kind == SubjectKind::kPod) return Level::kDebug;
    return decision.verdict == Verdict::kKept ? Level::kDebug : Level::kInfo;
}

}  // namespace

std::string_view word_for(SubjectKind kind) {
    return kKindWords[static_cast<std::size_t>(kind)];
}
std::string_view word_for(Matter matter) {
    return kMatterWords[static_cast<std::size_t>(matter)];
}
std::string_view word_for(Verdict verdict) {
    return kVerdictWords[static_cast<std::size_t>(verdict)];
}

std::string in_words(const Decision& decision) {
    std::string out = fmt::format("{} {}, {}: {}", word_for(decision.subject.kind), name_of(decision.subject),
                                  word_for(decision.matter), word_for(decision.verdict));
    if (decision.reasons != nullptr && !decision.reasons->empty())
        out += ", because " + plan::in_words(*decision.reasons);
    return out;
}

std::string to_json(const Decision& decision) {
    const model::PodId& id = decision.subject.id;
    Json out = {{"kind", word_for(decision.subject.kind)}};
    if (!id.ns().empty()) out["namespace"] = id.ns();
    out["name"] = id.name();
    if (!id.uid().empty()) out["uid"] = id.uid();
    out["matter"] = word_for(decision.matter);
    out["verdict"] = word_for(decision.verdict);
    out["at"] = format_rfc3339(decision.at);
    out["reasons"] = Json::array();
    if (decision.reasons != nullptr) {
        for (const plan::Reason& reason : *decision.reasons) out["reasons"].push_back(as_json(reason));
    }
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void log_decision(const Decision& decision) {
    const Level level = level_of(decision);
    if (logs(level)) log_object(level, "decision", in_words(decision), "decision", to_json(decision));
}

}  // namespace joiner::observe
