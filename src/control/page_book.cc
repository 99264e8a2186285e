#include "control/page_book.h"

#include "base/cut.h"

namespace joiner::control {
namespace {

using observe::Matter;
using observe::Verdict;

bool is_history(const observe::Decision& decision) {
    if (decision.subject.kind != observe::SubjectKind::kNodeClaim &&
        decision.subject.kind != observe::SubjectKind::kNode)
        return false;
    switch (decision.verdict) {
        case Verdict::kBought:
        case Verdict::kFailed:
        case Verdict::kCameUp:
        case Verdict::kRemoved:
            return true;
        // A command says so on the matter that it is for as well, and the end of an empty node needs none.
        case Verdict::kGivenUp:
            return decision.matter == Matter::kEnd || decision.matter == Matter::kLaunch;
        case Verdict::kLeaves:
            return decision.matter == Matter::kEnd ||
                   (decision.reasons != nullptr && !decision.reasons->empty() &&
                    decision.reasons->front().rule == plan::Rule::kEmptyNode);
        default:
            return false;
    }
}

}  // namespace

void PageBook::add(const MoneySample& sample) {
    samples_.push_back(sample);
    if (samples_.size() <= kMostSamples) return;
    samples_.pop_front();
    ++samples_cut_off_;
}

void PageBook::note(const observe::Decision& decision) {
    if (!is_history(decision)) return;
    HistoryEntry entry{.number = next_++,
                       .at = decision.at,
                       .kind = decision.subject.kind,
                       .name = decision.subject.id.name(),
                       .verdict = std::string(word_for(decision.verdict))};
    if (decision.reasons != nullptr) {
        entry.why = cut_with_dots(plan::in_words(*decision.reasons), kMostWhy);
        for (const plan::Reason& reason : *decision.reasons) {
            if (!entry.dollars_per_hour && reason.money) entry.dollars_per_hour = reason.money;
        }
    }
    history_.push_back(std::move(entry));
    if (history_.size() > kMostEntries) history_.pop_front();
}

}  // namespace joiner::control
