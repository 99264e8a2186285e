#include "cloud/ec2/instances/instances.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "cloud/ec2/launch/fleet_members.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// A filter takes no more values.
constexpr std::size_t kMostInAFilter = 200;
constexpr std::size_t kMostEnds = 500;
// What is asked while these are under way goes out together.
constexpr int kAtOnce = 3;
// After a restart all claims without an instance ask, each in a turn of its own.
constexpr int kLooksAtOnce = 2;
constexpr Duration kBetweenCalls = std::chrono::milliseconds{100};

std::string tag_filter(std::string_view tag) {
    return "tag:" + std::string(tag);
}

// The tag's value, from a key that of_claim() makes.
std::string bought_for_in(const std::string& key) {
    const std::size_t slash = key.find('/');
    return slash + 1 == key.size() ? key.substr(0, slash) : key.substr(slash + 1);
}

// Karpenter's metrics of its batches; the names of its batchers too, where it has them.
OnBatch batches_of(Reports& reports, const char* batcher) {
    return [&reports, batcher](Duration waited, std::size_t size) {
        reports.observed("cloudprovider_batcher_batch_time_seconds", {{"batcher", batcher}},
                         to_seconds(waited));
        reports.observed("cloudprovider_batcher_batch_size", {{"batcher", batcher}},
                         static_cast<double>(size));
    };
}

template <typename T>
std::map<std::string, aws::Answer<T>> same_for_all(const std::vector<std::string>& keys,
                                                   const aws::CallError& error) {
    std::map<std::string, aws::Answer<T>> out;
    for (const std::string& key : keys) out.emplace(key, tl::unexpected<aws::CallError>(error));
    return out;
}

}  // namespace

std::vector<std::string> ids_in(std::string_view message) {
    std::vector<std::string> out;
    for (std::size_t at = message.find("i-"); at != std::string_view::npos; at = message.find("i-", at + 2)) {
        if (at > 0 && std::isalnum(static_cast<unsigned char>(message[at - 1])) != 0) continue;
        std::size_t end = at + 2;
        while (end < message.size() && std::isalnum(static_cast<unsigned char>(message[end])) != 0) ++end;
        if (end > at + 2) out.emplace_back(message.substr(at, end - at));
    }
    return out;
}

InstancesOfClaim share_of_claim(const std::vector<InstanceInfo>& shared, const std::string& uid) {
    InstancesOfClaim out;
    std::map<std::string_view, std::vector<const InstanceInfo*>> fleets;
    for (const InstanceInfo& each : shared) {
        const std::string_view members = api::find_or_empty(each.tags, kMembersTag);
        if (place_among_members(members, uid))
            fleets[members].push_back(&each);
        else if (member_count(members) > 0)
            out.fleets_of_others.emplace(fleet_in_tag(members));
    }
    for (auto& [members, instances] : fleets) {
        std::sort(instances.begin(), instances.end(),
                  [](const InstanceInfo* a, const InstanceInfo* b) { return a->id < b->id; });
        const std::size_t place = *place_among_members(members, uid);
        if (instances.size() >= member_count(members)) {
            out.own.push_back(*instances[place]);
            continue;
        }
        out.is_partial = true;
        if (place < instances.size()) out.likely = *instances[place];
    }
    return out;
}

Instances::Instances(io::Loop& loop, Ec2& ec2, Reports& reports, std::string cluster_name)
    : ec2_(ec2),
      cluster_name_(std::move(cluster_name)),
      by_id_(loop, {kMostInAFilter, kAtOnce, kBetweenCalls}, batches_of(reports, "describe_instances"),
             std::optional<InstanceInfo>(),
             [this](std::vector<std::string> ids, auto done) {
                 ec2_.describe_instances(
                     {{"instance-id", ids}},
                     [ids, done](const aws::Answer<std::vector<InstanceInfo>>& found) {
                         if (!found)
                             return done(same_for_all<std::optional<InstanceInfo>>(ids, found.error()));
                         Batcher<std::optional<InstanceInfo>>::Answers out;
                         for (const InstanceInfo& each : *found) out[each.id] = each;
                         done(std::move(out));
                     });
             }),
      by_claim_(
          loop, {kMostInAFilter, kLooksAtOnce, 2 * kBetweenCalls},
          batches_of(reports, "describe_instances_of_claims"), InstancesOfClaim(),
          [this](const std::vector<std::string>& keys, auto done) { find_claims(keys, std::move(done)); }),
      ends_(loop, {kMostEnds, kAtOnce, kBetweenCalls}, batches_of(reports, "terminate_instances"), true,
            [this](std::vector<std::string> ids, auto done) { end_all(std::move(ids), std::move(done)); }) {}

// Each was bought for a claim or for a group of claims.
void Instances::find_claims(const std::vector<std::string>& keys,
                            std::function<void(Batcher<InstancesOfClaim>::Answers)> done) {
    std::set<std::string> bought_for;
    for (const std::string& key : keys) bought_for.insert(bought_for_in(key));
    ec2_.describe_instances(
        {{tag_filter(kBoughtForTag), {bought_for.begin(), bought_for.end()}}},
        [keys, done = std::move(done)](const aws::Answer<std::vector<InstanceInfo>>& found) {
            if (!found) return done(same_for_all<InstancesOfClaim>(keys, found.error()));
            std::map<std::string, std::vector<InstanceInfo>> by_tag;
            for (const InstanceInfo& each : *found)
                by_tag[std::string(api::find_or_empty(each.tags, kBoughtForTag))].push_back(each);
            Batcher<InstancesOfClaim>::Answers out;
            for (const std::string& key : keys) {
                const std::vector<InstanceInfo>& its = by_tag[bought_for_in(key)];
                InstancesOfClaim claims;
                if (key.ends_with('/'))
                    claims.own = its;
                else
                    claims = share_of_claim(its, key.substr(0, key.find('/')));
                std::sort(claims.own.begin(), claims.own.end(), [](const auto& a, const auto& b) {
                    return std::tie(a.launched, a.id) < std::tie(b.launched, b.id);
                });
                out.emplace(key, std::move(claims));
            }
            done(std::move(out));
        });
}

// All or nothing: those that EC2 does not know are taken out, and the others asked for again.
void Instances::end_all(std::vector<std::string> ids, std::function<void(Batcher<bool>::Answers)> done) {
    ec2_.terminate_instances(ids, [this, ids, done = std::move(done)](const aws::Answer<void>& answer) {
        if (answer) return done({});
        if (answer.error().kind != ErrorKind::kNotFound) return done(same_for_all<bool>(ids, answer.error()));
        const std::vector<std::string> named = ids_in(answer.error().details);
        std::vector<std::string> unknown;
        std::vector<std::string> others;
        for (const std::string& id : ids) {
            const bool is_named = std::find(named.begin(), named.end(), id) != named.end();
            (is_named || ids.size() == 1 ? unknown : others).push_back(id);
        }
        const auto gone =
            std::make_shared<Batcher<bool>::Answers>(same_for_all<bool>(unknown, answer.error()));
        if (others.empty()) return done(*gone);
        // Where none is named, half of them at a time: no storm of single calls.
        std::vector<std::string> rest;
        if (unknown.empty()) {
            const auto middle = others.begin() + std::ssize(others) / 2;
            rest.assign(middle, others.end());
            others.erase(middle, others.end());
        }
        end_all(std::move(others), [this, gone, rest, done](Batcher<bool>::Answers first) {
            gone->merge(first);
            if (rest.empty()) return done(*gone);
            end_all(rest, [gone, done](Batcher<bool>::Answers second) {
                gone->merge(second);
                done(*gone);
            });
        });
    });
}

void Instances::list(aws::Done<std::vector<InstanceInfo>> done) {
    ec2_.describe_instances(
        {{"tag-key", {std::string(kPoolTag)}},
         {"tag-key", {std::string(kClassLabel)}},
         {tag_filter(kClusterTag), {cluster_name_}},
         {"instance-state-name", {"pending", "running", "stopping", "stopped", "shutting-down"}}},
        std::move(done));
}

}  // namespace joiner::cloud::ec2
