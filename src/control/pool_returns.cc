#include "control/pool_returns.h"

#include <algorithm>
#include <set>

#include "control/young_pods.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {
namespace {

// Since the last node that had to pass the pool over.
constexpr Duration kQuietBefore = std::chrono::minutes{10};
// After the first setback; twice as long after each further one.
constexpr Duration kFirstWait = std::chrono::minutes{20};
constexpr Duration kLongestWait = std::chrono::hours{4};
// A pool that was not passed over for so long after a return was really back.
constexpr Duration kProved = std::chrono::hours{2};
constexpr Duration kLookAgain = std::chrono::seconds{10};
constexpr Duration kAskForRoomAgain = std::chrono::minutes{1};
// Plans in one look: each takes as long as a small batch.
constexpr int kPlansALook = 3;
constexpr int kMostAtOnce = 64;

}  // namespace

void PoolReturns::reconcile() {
    const WallTime now = services_.loop.now();
    note_what_came_of_them();
    if (now < look_again_at_) return;
    const PassedOver passed_over = plan::find_passed_over(services_.cluster);
    heed(passed_over);
    const auto claims = due(passed_over);
    const bool may_begin = disruption_.disruptor.may_start() && provisioner_.planned().by_claim().empty() &&
                           !some_pod_is_young(services_.cluster, now);
    if (!claims.empty() && !may_begin) return;
    if (claims.empty() || !begin_one(claims)) look_again_at_ = now + kLookAgain;
}

// What has ended went well where the node is gone or going. Where it did not for a reason of its own, that
// says nothing of the heavier pool.
void PoolReturns::note_what_came_of_them() {
    const WallTime now = services_.loop.now();
    std::erase_if(under_way_, [&](const auto& item) {
        const auto& [name, heavier] = item;
        if (disruption_.ledger.leaving().contains(name)) return false;
        const model::ClaimState* claim = services_.cluster.find_claim(name);
        Course& course = courses_[heavier];
        if (claim == nullptr || claim->claim.meta.deleted) {
            course.may_go = std::min(2 * course.may_go, kMostAtOnce);
            course.returned_at = now;
        } else if (disruption_.ledger.is_pool_put_off(
                       std::string(api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel)))) {
            note_setback(course);
        }
        return true;
    });
}

void PoolReturns::note_setback(Course& course) {
    Duration wait = kFirstWait;
    for (int i = 0; i < course.setbacks && wait < kLongestWait; ++i) wait *= 2;
    ++course.setbacks;
    course.not_before = services_.loop.now() + std::min(wait, kLongestWait);
    course.returned_at = kNoTime;
    course.may_go = 1;
}

void PoolReturns::heed(const PassedOver& passed_over) {
    const WallTime now = services_.loop.now();
    for (auto& [heavier, course] : courses_) {
        if (course.returned_at == kNoTime) continue;
        const auto its = passed_over.find(heavier);
        if (its != passed_over.end() && its->second.last > course.returned_at) {
            note_setback(course);
        } else if (now - course.returned_at >= kProved) {
            course.setbacks = 0;
        }
    }
    std::erase_if(courses_, [&](const auto& item) {
        const bool is_busy = std::any_of(under_way_.begin(), under_way_.end(),
                                         [&](const auto& one) { return one.second == item.first; });
        return !is_busy && !passed_over.contains(item.first) &&
               now - std::max(item.second.returned_at, item.second.not_before) >= kProved;
    });
    std::erase_if(no_room_,
                  [&](const auto& item) { return services_.cluster.find_claim(item.first) == nullptr; });
}

std::map<std::string, std::string, std::less<>> PoolReturns::due(const PassedOver& passed_over) const {
    const WallTime now = services_.loop.now();
    std::map<std::string, std::string, std::less<>> out;
    for (const auto& [heavier, its] : passed_over) {
        if (now - its.last < kQuietBefore) continue;
        const auto course = courses_.find(heavier);
        if (course != courses_.end() && now < course->second.not_before) continue;
        const auto going = std::count_if(under_way_.begin(), under_way_.end(),
                                         [&](const auto& item) { return item.second == heavier; });
        if (going >= (course == courses_.end() ? 1 : course->second.may_go)) continue;
        for (const std::string& claim : its.claims) {
            const auto no_room = no_room_.find(claim);
            const bool may_be_asked = no_room == no_room_.end() || now - no_room->second >= kAskForRoomAgain;
            if (!under_way_.contains(claim) && may_be_asked && !disruption_.ledger.is_put_off(claim))
                out.emplace(claim, heavier);
        }
    }
    return out;
}

bool PoolReturns::begin_one(const std::map<std::string, std::string, std::less<>>& due) {
    const WallTime now = services_.loop.now();
    plan::DisruptionGate gate = disruption_.ledger.gate();
    std::vector<plan::Candidate> candidates =
        plan::find_consolidatable(disruption_.ground.facts(), gate, now).candidates;
    const auto fruitless = disruption_.ledger.fruitless_pools();
    std::erase_if(candidates, [&](const plan::Candidate& one) {
        const bool rests = std::any_of(one.pods.begin(), one.pods.end(), [&](const model::PodId& pod) {
            return disruption_.ledger.moves().rests_until(pod.uid()) > now;
        });
        return !due.contains(one.claim) || one.pods.empty() || rests || fruitless.contains(one.pool) ||
               disruption_.ledger.is_pool_put_off(one.pool) ||
               provisioner_.headroom().claims().contains(one.claim);
    });
    // Then those whose pods are the cheapest to move.
    const auto rank = [&](const plan::Candidate& one) {
        const auto asked = no_room_.find(one.claim);
        return std::pair(asked == no_room_.end() ? kNoTime : asked->second, one.disruption_cost);
    };
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    int plans = 0;
    for (const plan::Candidate& one : candidates) {
        if (plans == kPlansALook) break;
        if (!gate.obstacles({one}, plan::kUnderutilized).empty()) continue;
        const model::PoolState* own = services_.cluster.find_pool(one.pool);
        model::Snapshot snapshot = disruption_.ground.snapshot_without({one});
        const auto command = plan::plan_return(snapshot, one, own->pool.weight,
                                               provisioner_.plan_options(snapshot.pods.size()));
        ++plans;
        if (!command) {
            no_room_[one.claim] = now;
            continue;
        }
        courses_.try_emplace(due.find(one.claim)->second);
        under_way_.emplace(one.claim, due.find(one.claim)->second);
        disruption_.disruptor.start(snapshot, *command);
        return true;
    }
    return false;
}

}  // namespace joiner::control
