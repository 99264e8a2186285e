#include "observe/decision_log.h"

#include <algorithm>

namespace joiner::observe {
namespace {

bool is_before(const Decision& decision, Matter matter) {
    return decision.matter < matter;
}

}  // namespace

std::size_t DecisionLog::Hash::operator()(const Subject& subject) const {
    constexpr std::size_t kOdd = 0x9e3779b97f4a7c15ULL;
    const std::hash<std::string> hash;
    std::size_t out = static_cast<std::size_t>(subject.kind);
    for (const std::string* part : {&subject.id.ns(), &subject.id.name()}) out = out * kOdd ^ hash(*part);
    return out;
}

bool DecisionLog::Equal::operator()(const Subject& a, const Subject& b) const {
    return a.kind == b.kind && a.id.name() == b.id.name() && a.id.ns() == b.id.ns();
}

void DecisionLog::record(Decision decision) {
    decision.reasons = within_bounds(std::move(decision.reasons));
    Entry& entry = entry_for(decision.subject);
    const auto at =
        std::lower_bound(entry.decisions.begin(), entry.decisions.end(), decision.matter, is_before);
    const bool is_known = at != entry.decisions.end() && at->matter == decision.matter;
    if (is_known && at->verdict == decision.verdict && are_same(at->reasons, decision.reasons)) return;
    if (listener_) listener_(decision);
    if (is_known) {
        *at = std::move(decision);
    } else {
        entry.decisions.insert(at, std::move(decision));
    }
}

DecisionLog::Entry& DecisionLog::entry_for(const Subject& subject) {
    auto it = entries_.find(subject);
    // Made again under its name: another object, of which nothing was decided.
    if (it != entries_.end() && !subject.id.uid().empty()) {
        Subject& known = *it->second.place;
        if (!known.id.uid().empty() && known.id.uid() != subject.id.uid()) {
            erase(it);
            it = entries_.end();
        } else {
            known = subject;
        }
    }
    if (it == entries_.end()) {
        it = entries_.try_emplace(subject).first;
        it->second.place = living_.insert(living_.end(), subject);
        make_room();
        return it->second;
    }
    Entry& entry = it->second;
    living_.splice(living_.end(), entry.is_gone ? gone_ : living_, entry.place);
    entry.is_gone = false;
    return entry;
}

void DecisionLog::make_room() {
    while (gone_.size() > bounds_.gone || (entries_.size() > bounds_.subjects && !gone_.empty()))
        erase(entries_.find(gone_.front()));
    while (entries_.size() > bounds_.subjects) {
        ++cut_off_;
        erase(entries_.find(living_.front()));
    }
}

void DecisionLog::erase(Entries::iterator it) {
    (it->second.is_gone ? gone_ : living_).erase(it->second.place);
    entries_.erase(it);
}

void DecisionLog::note_gone(SubjectKind kind, const std::string& ns, const std::string& name) {
    const auto it = entries_.find(Subject{kind, {ns, name, ""}});
    if (it == entries_.end() || it->second.is_gone) return;
    it->second.is_gone = true;
    gone_.splice(gone_.end(), living_, it->second.place);
    make_room();
}

void DecisionLog::keep_only(const Subject& subject, const std::function<bool(Matter)>& stands) {
    const auto it = entries_.find(subject);
    if (it == entries_.end() || it->second.is_gone) return;
    std::erase_if(it->second.decisions, [&](const Decision& one) { return !stands(one.matter); });
}

const Decision* DecisionLog::last(const Subject& subject, Matter matter) const {
    const auto it = entries_.find(subject);
    if (it == entries_.end()) return nullptr;
    const std::vector<Decision>& all = it->second.decisions;
    const auto at = std::lower_bound(all.begin(), all.end(), matter, is_before);
    return at == all.end() || at->matter != matter ? nullptr : &*at;
}

std::vector<const Decision*> DecisionLog::all_of(const Subject& subject) const {
    std::vector<const Decision*> out;
    const auto it = entries_.find(subject);
    if (it == entries_.end()) return out;
    for (const Decision& decision : it->second.decisions) out.push_back(&decision);
    return out;
}

bool DecisionLog::are_same(const plan::SharedReasons& a, const plan::SharedReasons& b) {
    if (a == b) return true;
    if (a == nullptr || b == nullptr) return false;
    if (same_.first == a && same_.second == b) return true;
    if (*a != *b) return false;
    same_ = {a, b};
    return true;
}

plan::SharedReasons DecisionLog::within_bounds(plan::SharedReasons reasons) {
    if (reasons == nullptr || reasons->size() <= bounds_.reasons) return reasons;
    if (cut_.first == reasons) return cut_.second;
    plan::Reasons kept(reasons->begin(), reasons->begin() + static_cast<std::ptrdiff_t>(bounds_.reasons));
    kept.push_back({.rule = plan::Rule::kCutOff,
                    .amounts = {{"more", static_cast<std::int64_t>(reasons->size() - kept.size())}}});
    cut_ = {std::move(reasons), plan::share(std::move(kept))};
    return cut_.second;
}

}  // namespace joiner::observe
