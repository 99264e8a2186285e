#include "cloud/ec2/known_instances.h"

#include <algorithm>

#include "cloud/ec2/reservations/reservation_book.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

constexpr Duration kStandsFor = minutes{5};
// Where EC2 knew nothing, or did not answer.
constexpr Duration kAskAgain = minutes{1};
constexpr Duration kKeptUnwanted = minutes{30};

}  // namespace

InstanceFacts facts_of(const InstanceInfo& info) {
    InstanceFacts out;
    out.subnet = info.subnet;
    out.security_groups = info.security_groups;
    if (is_reserved(info)) out.reservation = info.reservation_id;
    std::sort(out.security_groups.begin(), out.security_groups.end());
    return out;
}

const InstanceFacts* KnownInstances::find(const std::string& id) {
    forget_unwanted();
    const Duration now = loop_.monotonic();
    const auto [it, is_new] = entries_.try_emplace(id);
    Entry& entry = it->second;
    entry.wanted_at = now;
    if (is_new || now >= entry.ask_at) {
        entry.ask_at = now + kAskAgain;
        ask(id);
    }
    return entry.facts ? &*entry.facts : nullptr;
}

bool KnownInstances::is_as_fresh_as(const std::string& id, Duration age) {
    const auto it = entries_.find(id);
    if (it == entries_.end()) return false;
    if (it->second.facts && loop_.monotonic() - it->second.said_at <= age) return true;
    it->second.ask_at = loop_.monotonic();
    return false;
}

void KnownInstances::ask(const std::string& id) {
    instances_.get(id,
                   [this, id, is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& answer) {
                       if (!*is_alive || !answer) return;
                       const auto it = entries_.find(id);
                       if (it == entries_.end()) return;
                       it->second.facts.reset();
                       if (*answer) note({**answer});
                   });
}

void KnownInstances::note(const std::vector<InstanceInfo>& instances) {
    const Duration now = loop_.monotonic();
    for (const InstanceInfo& each : instances) {
        const auto [it, is_new] = entries_.try_emplace(each.id);
        if (is_new) it->second.wanted_at = now;
        it->second.facts = facts_of(each);
        it->second.said_at = now;
        it->second.ask_at = now + kStandsFor;
    }
}

void KnownInstances::forget_unwanted() {
    const Duration now = loop_.monotonic();
    if (now - swept_at_ < kKeptUnwanted) return;
    swept_at_ = now;
    std::erase_if(entries_, [&](const auto& each) { return now - each.second.wanted_at >= kKeptUnwanted; });
}

}  // namespace joiner::cloud::ec2
