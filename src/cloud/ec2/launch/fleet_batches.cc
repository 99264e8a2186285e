#include "cloud/ec2/launch/fleet_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/launch/fleet_members.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

static_assert(kMostMembers >= kMostInALaunchGroup);

// After the last one that has come: for those of the group that the watch has not shown yet, and for those
// that the fleet before has left without.
constexpr Duration kStragglers = std::chrono::milliseconds{500};
constexpr Duration kLeftovers = std::chrono::milliseconds{20};

// One share a member: the instances in order of id, and all errors with each.
std::vector<FleetAnswer> shares_of(const FleetAnswer& answer, std::size_t members) {
    std::vector<FleetInstances> each;
    for (const FleetInstances& instances : answer.instances) {
        for (const std::string& id : instances.ids) {
            each.push_back(instances);
            each.back().ids = {id};
        }
    }
    std::sort(each.begin(), each.end(),
              [](const FleetInstances& a, const FleetInstances& b) { return a.ids < b.ids; });
    std::vector<FleetAnswer> out(members, {answer.fleet_id, {}, answer.errors});
    for (std::size_t i = 0; i < std::min(members, each.size()); ++i) out[i].instances = {std::move(each[i])};
    return out;
}

}  // namespace

std::string client_token(const std::string& id, int number) {
    return aws::hex(aws::sha256(fmt::format("{} {}", id, number))).substr(0, 60);
}

struct FleetBatches::Batch {
    enum class State { kGathering, kUnderWay, kLost, kAnswered };
    struct Member {
        std::string uid;
        std::string claim_name;
        std::vector<aws::Done<Share>> waiting = {};
        std::optional<FleetAnswer> share = {};
    };
    // Those who ask for the same.
    struct Wish {
        std::shared_ptr<const FleetPlan> plan;
        FleetTerms terms;
        std::vector<Member> members;  // By uid, once it is sent.

        bool is_met_by(const Ask& ask) const {
            if (terms != ask.terms) return false;
            return plan == ask.plan || fleet_request(*plan, terms) == fleet_request(*ask.plan, terms);
        }
    };
    struct Other {
        Ask ask;
        aws::Done<Share> done;
    };
    std::string id;
    int number = 0;
    std::optional<LaunchGroup> group;
    State state = State::kGathering;
    std::vector<Wish> wishes;  // While it gathers; then the one that was sent.
    std::vector<Other> others;
    io::TimerId timer = 0;
    Duration touched{0};

    Member* find(const std::string& uid) {
        std::vector<Member>& members = wishes.front().members;
        const auto it = std::find_if(members.begin(), members.end(),
                                     [&](const Member& member) { return member.uid == uid; });
        return it == members.end() ? nullptr : &*it;
    }
};

void FleetBatches::ask(Ask ask, aws::Done<Share> done) {
    const std::string id = ask.group ? ask.group->id : ask.uid;
    BatchPtr& kept = batches_[{id, ask.number}];
    if (kept == nullptr) {
        kept = std::make_shared<Batch>();
        kept->id = id;
        kept->number = ask.number;
        kept->group = ask.group;
    }
    const BatchPtr batch = kept;
    batch->touched = loop_.monotonic();
    if (batch->state == Batch::State::kGathering) return join(batch, std::move(ask), std::move(done));
    Batch::Member* member = batch->find(ask.uid);
    if (batch->state == Batch::State::kAnswered) {
        Share share;
        if (member != nullptr) std::swap(share, member->share);
        loop_.post([done = std::move(done), share = std::move(share)] { done(share); });
        return;
    }
    if (member != nullptr)
        member->waiting.push_back(std::move(done));
    else
        batch->others.push_back({std::move(ask), std::move(done)});
    if (batch->state == Batch::State::kLost) send(batch);
}

void FleetBatches::join(const BatchPtr& batch, Ask ask, aws::Done<Share> done) {
    auto wish = std::find_if(batch->wishes.begin(), batch->wishes.end(),
                             [&](const Batch::Wish& each) { return each.is_met_by(ask); });
    if (wish == batch->wishes.end())
        wish = batch->wishes.insert(wish, {std::move(ask.plan), std::move(ask.terms), {}});
    wish->members.push_back({std::move(ask.uid), std::move(ask.claim_name), {std::move(done)}});
    std::size_t members = 0;
    for (const Batch::Wish& each : batch->wishes) members += each.members.size();
    if (batch->timer != 0) loop_.cancel(batch->timer);
    if (!ask.group || members >= ask.group->count) return close(batch);
    batch->timer =
        loop_.after(ask.number == 0 ? kStragglers : kLeftovers, [this, batch, is_alive = is_alive_] {
            if (*is_alive) close(batch);
        });
}

// What most of them want goes first. The others hear that this fleet was not theirs.
void FleetBatches::close(const BatchPtr& batch) {
    std::stable_sort(
        batch->wishes.begin(), batch->wishes.end(),
        [](const Batch::Wish& a, const Batch::Wish& b) { return a.members.size() > b.members.size(); });
    for (std::size_t i = 1; i < batch->wishes.size(); ++i) {
        const Batch::Wish& wish = batch->wishes[i];
        for (const Batch::Member& member : wish.members) {
            for (const aws::Done<Share>& done : member.waiting)
                batch->others.push_back(
                    {{member.uid, member.claim_name, batch->group, batch->number, wish.plan, wish.terms},
                     done});
        }
    }
    batch->wishes.resize(1);
    std::vector<Batch::Member>& members = batch->wishes.front().members;
    std::sort(members.begin(), members.end(),
              [](const Batch::Member& a, const Batch::Member& b) { return a.uid < b.uid; });
    send(batch);
}

void FleetBatches::send(const BatchPtr& batch) {
    const Batch::Wish& wish = batch->wishes.front();
    FleetRequest request = fleet_request(*wish.plan, wish.terms);
    request.count = static_cast<int>(wish.members.size());
    request.client_token = client_token(batch->id, batch->number);
    request.tags[std::string(kBoughtForTag)] = batch->id;
    if (wish.members.size() == 1) request.tags[std::string(kClaimTag)] = wish.members.front().claim_name;
    if (batch->group) {
        std::vector<std::string> uids;
        for (const Batch::Member& member : wish.members) uids.push_back(member.uid);
        request.tags[std::string(kMembersTag)] = members_tag(request.client_token, uids);
    }
    batch->state = Batch::State::kUnderWay;
    ec2_.create_fleet(request, false,
                      [this, batch, is_alive = is_alive_](const aws::Answer<FleetAnswer>& answer) {
                          if (*is_alive) on_answer(batch, answer);
                      });
}

void FleetBatches::on_answer(const BatchPtr& batch, const aws::Answer<FleetAnswer>& answer) {
    std::vector<std::function<void()>> calls;
    const auto tell = [&](std::vector<aws::Done<Share>>& waiting, const aws::Answer<Share>& what) {
        for (aws::Done<Share>& done : std::exchange(waiting, {}))
            calls.push_back([done = std::move(done), what] { done(what); });
    };
    std::vector<Batch::Member>& members = batch->wishes.front().members;
    batch->touched = loop_.monotonic();
    batch->state = answer ? Batch::State::kAnswered : Batch::State::kLost;
    if (answer) {
        std::vector<FleetAnswer> shares = shares_of(*answer, members.size());
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (members[i].waiting.empty())
                members[i].share = std::move(shares[i]);
            else
                tell(members[i].waiting, Share(std::move(shares[i])));
        }
        for (Batch::Other& other : std::exchange(batch->others, {}))
            calls.push_back([done = std::move(other.done)] { done(Share()); });
        batch->wishes.front().plan.reset();
    } else {
        for (Batch::Member& member : members)
            tell(member.waiting, tl::unexpected<aws::CallError>(answer.error()));
        const bool is_refused = !answer.error().may_be_done;
        // Nothing was bought, so each may come with others, and what was not asked for is this fleet's now.
        if (is_refused) batches_.erase({batch->id, batch->number});
        for (Batch::Other& other : std::exchange(batch->others, {})) {
            if (is_refused)
                ask(std::move(other.ask), std::move(other.done));
            else
                calls.push_back([done = std::move(other.done), error = answer.error()] {
                    done(tl::unexpected<aws::CallError>(error));
                });
        }
    }
    for (const auto& call : calls) call();
}

void FleetBatches::forget_older_than(Duration age) {
    std::erase_if(batches_, [&](const auto& item) {
        const Batch& batch = *item.second;
        const bool is_idle = batch.state == Batch::State::kLost || batch.state == Batch::State::kAnswered;
        return is_idle && loop_.monotonic() - batch.touched > age;
    });
}

}  // namespace joiner::cloud::ec2
