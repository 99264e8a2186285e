#include "cloud/ec2/launch/fleet_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/launch/fleet_members.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kGathering = std::chrono::milliseconds{20};

std::string token_of(const std::string& text) {
    return aws::hex(aws::sha256(text)).substr(0, 60);
}

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

std::string client_token(const std::string& uid, int number) {
    return token_of(fmt::format("{} {}", uid, number));
}

struct FleetBatches::Batch {
    struct Member {
        std::string uid;
        std::string claim_name;
        int number = 0;
        std::vector<aws::Done<FleetAnswer>> waiting = {};
        std::optional<FleetAnswer> share = {};
    };
    std::shared_ptr<const FleetPlan> plan;
    FleetTerms terms;
    std::vector<Member> members;  // By uid, once it is sent.
    bool is_under_way = false;
    io::TimerId timer = 0;
    Duration touched{0};

    Member* find(const std::string& uid) {
        const auto it = std::find_if(members.begin(), members.end(),
                                     [&](const Member& member) { return member.uid == uid; });
        return it == members.end() ? nullptr : &*it;
    }
};

void FleetBatches::ask(Ask ask, aws::Done<FleetAnswer> done) {
    if (const auto sent = of_.find(ask.uid); sent != of_.end()) {
        const BatchPtr batch = sent->second;
        Batch::Member& member = *batch->find(ask.uid);
        if (member.number == ask.number) {
            batch->touched = loop_.monotonic();
            if (member.share) {
                loop_.post([done = std::move(done), share = std::move(*member.share)] { done(share); });
                of_.erase(sent);
                return;
            }
            member.waiting.push_back(std::move(done));
            if (!batch->is_under_way) send(batch);
            return;
        }
        of_.erase(sent);
    }
    const auto open = std::find_if(gathering_.begin(), gathering_.end(), [&](const BatchPtr& batch) {
        return batch->plan == ask.plan && batch->terms == ask.terms;
    });
    BatchPtr batch = open == gathering_.end() ? nullptr : *open;
    if (batch == nullptr) {
        batch = std::make_shared<Batch>();
        batch->plan = std::move(ask.plan);
        batch->terms = std::move(ask.terms);
        gathering_.push_back(batch);
    } else {
        loop_.cancel(batch->timer);
    }
    batch->members.push_back({std::move(ask.uid), std::move(ask.claim_name), ask.number, {std::move(done)}});
    if (batch->members.size() >= most_) return close(batch);
    batch->timer = loop_.after(kGathering, [this, batch, is_alive = is_alive_] {
        if (*is_alive) close(batch);
    });
}

void FleetBatches::close(const BatchPtr& batch) {
    std::erase(gathering_, batch);
    std::sort(batch->members.begin(), batch->members.end(),
              [](const Batch::Member& a, const Batch::Member& b) { return a.uid < b.uid; });
    for (const Batch::Member& member : batch->members) of_[member.uid] = batch;
    send(batch);
}

void FleetBatches::send(const BatchPtr& batch) {
    FleetRequest request = fleet_request(*batch->plan, batch->terms);
    request.count = static_cast<int>(batch->members.size());
    const Batch::Member& first = batch->members.front();
    if (batch->members.size() == 1) {
        request.client_token = client_token(first.uid, first.number);
        request.tags[std::string(kClaimTag)] = first.claim_name;
        request.tags[std::string(kClaimUidTag)] = first.uid;
    } else {
        std::string all;
        std::vector<std::string> uids;
        for (const Batch::Member& member : batch->members) {
            all += fmt::format("{} {}\n", member.uid, member.number);
            uids.push_back(member.uid);
        }
        request.client_token = token_of(all);
        request.tags[std::string(kMembersTag)] = members_tag(request.client_token, uids);
    }
    batch->is_under_way = true;
    batch->touched = loop_.monotonic();
    ec2_.create_fleet(request, false,
                      [this, batch, is_alive = is_alive_](const aws::Answer<FleetAnswer>& answer) {
                          if (*is_alive) on_answer(batch, answer);
                      });
}

void FleetBatches::on_answer(const BatchPtr& batch, const aws::Answer<FleetAnswer>& answer) {
    batch->is_under_way = false;
    std::vector<FleetAnswer> shares;
    if (answer) shares = shares_of(*answer, batch->members.size());
    // Nothing was bought, so that each may go its own way.
    const bool is_over = !answer && !answer.error().may_be_done;
    std::vector<std::function<void()>> calls;
    for (std::size_t i = 0; i < batch->members.size(); ++i) {
        Batch::Member& member = batch->members[i];
        const auto mine = of_.find(member.uid);
        if (mine == of_.end() || mine->second != batch) continue;
        if (is_over || (answer && !member.waiting.empty())) of_.erase(mine);
        if (answer && member.waiting.empty()) member.share = std::move(shares[i]);
        for (aws::Done<FleetAnswer>& done : std::exchange(member.waiting, {})) {
            calls.push_back([done = std::move(done), result = answer ? aws::Answer<FleetAnswer>(shares[i])
                                                                     : answer] { done(result); });
        }
    }
    for (const auto& call : calls) call();
}

bool FleetBatches::may_have_bought(const std::string& uid) const {
    return of_.contains(uid);
}

void FleetBatches::forget_older_than(Duration age) {
    std::erase_if(of_, [&](const auto& item) {
        return !item.second->is_under_way && loop_.monotonic() - item.second->touched > age;
    });
}

}  // namespace joiner::cloud::ec2
