#include "control/shortages.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "api/names.h"
#include "base/hash.h"
#include "cloud/class_state.h"

namespace joiner::control {
namespace {

// Upstream's. Long enough for a plan to fall to something else, short enough to find what has come back.
constexpr Duration kFirst = std::chrono::minutes{3};
constexpr Duration kLongest = std::chrono::minutes{12};
// Not found short for so long, it counts as never having been.
constexpr Duration kForgottenAfter = std::chrono::minutes{30};
constexpr Duration kSweep = std::chrono::minutes{1};
constexpr std::size_t kMostOfClass = 20'000;  // Offerings.
constexpr int kMostTimes = 8;
// Where so many launches at a time may ask for it, it is like any other.
constexpr int kFreeAgain = 32;
// A launch has its answer in less.
constexpr Duration kLongestTrial = std::chrono::minutes{5};

std::string pool_of(const api::NodeClaim& claim) {
    return std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
}

// What the type has beside cpu, memory and disk: a stock-out of machines with GPUs says nothing of others.
std::vector<std::string_view> devices_of(const rules::InstanceType& type) {
    std::vector<std::string_view> out;
    for (const auto& [name, amount] : type.capacity.extended) out.push_back(name);
    return out;
}

// What nodes have said of their memory says nothing of stock.
std::string digest_of(const api::StringMap& annotations) {
    std::uint64_t hash = kFnvOffset;
    for (const auto& [key, value] : annotations) {
        if (key == cloud::kLearnedMemoryAnnotation) continue;
        for (const std::string* text : {&key, &value})
            hash = fnv1a(fmt::format("{} {} ", text->size(), *text), hash);
    }
    return fmt::format("{:016x}", hash);
}

}  // namespace

cloud::InstanceTypes Shortages::instance_types(const api::NodePool& pool) {
    cloud::InstanceTypes own = own_.instance_types(pool);
    const api::NodeClassReference& node_class = pool.node_template.node_class;
    if (own == nullptr || !short_.contains(node_class)) return own;
    const OfClass& of = of_class(node_class);
    // A pool that has no name stands for a claim without one, and is not kept.
    Offered nameless;
    Offered& offered = pool.meta.name.empty() ? nameless : offered_[pool.meta.name];
    if (offered.own == own && offered.version == version_) return offered.types;
    const WallTime now = loop_.now();
    auto types = std::make_shared<std::vector<rules::InstanceType>>(*own);
    for (rules::InstanceType& type : *types) {
        for (rules::Offering& offering : type.offerings) {
            const auto it = of.offerings.find(rules::key_of(type, offering));
            if (it != of.offerings.end() && it->second.shortage.until > now) offering.available = false;
        }
    }
    offered = {std::move(own), version_, std::move(types)};
    return offered.types;
}

bool Shortages::is_old(const OfClass& of, const api::NodeClassReference& node_class) const {
    const auto there = cluster_.find_node_class(node_class);
    return there != nullptr && there != of.seen &&
           (of.generation != there->meta.generation || of.annotations != digest_of(there->meta.annotations));
}

Shortages::OfClass& Shortages::of_class(const api::NodeClassReference& node_class) {
    OfClass& out = short_[node_class];
    auto there = cluster_.find_node_class(node_class);
    if (there == nullptr || there == out.seen) return out;
    if (is_old(out, node_class)) {
        if (!out.offerings.empty()) ++changes_;
        out = {nullptr, there->meta.generation, digest_of(there->meta.annotations), {}};
        ++version_;
    }
    out.seen = std::move(there);
    return out;
}

cloud::Stock Shortages::stock(const api::NodeClassReference& node_class,
                              const rules::OfferingKey& key) const {
    const auto of = short_.find(node_class);
    if (of == short_.end() || is_old(of->second, node_class)) return cloud::Stock::kThere;
    const auto it = of->second.offerings.find(key);
    if (it == of->second.offerings.end()) return cloud::Stock::kThere;
    const Known& known = it->second;
    if (known.shortage.until > loop_.now()) return cloud::Stock::kOut;
    return known.trying < known.may_try ? cloud::Stock::kMaybe : cloud::Stock::kTried;
}

// Those that may be back stand before the first that is there.
void Shortages::note_asked(const cloud::LaunchRequest& request) {
    const api::NodeClassReference& node_class = request.claim.node_class;
    const std::string& uid = request.claim.meta.uid;
    // What came of one before it is not known.
    if (const auto before = trials_.extract(uid)) end_trial(before.mapped());
    Trial trial{node_class, {}, loop_.now()};
    for (const cloud::LaunchChoice& choice : request.choices) {
        if (stock(node_class, choice.key()) == cloud::Stock::kThere) break;
        trial.offerings.push_back(choice.key());
        ++of_class(node_class).offerings[choice.key()].trying;
    }
    if (!trial.offerings.empty()) trials_.emplace(uid, std::move(trial));
}

void Shortages::end_trial(const Trial& trial) {
    const auto of = short_.find(trial.node_class);
    if (of == short_.end()) return;
    for (const rules::OfferingKey& key : trial.offerings) {
        const auto it = of->second.offerings.find(key);
        if (it != of->second.offerings.end()) it->second.trying = std::max(0, it->second.trying - 1);
    }
}

void Shortages::note(OfClass& of, const rules::OfferingKey& key) {
    const WallTime now = loop_.now();
    if (of.offerings.size() >= kMostOfClass && !of.offerings.contains(key)) return;
    Known& known = of.offerings[key];
    Shortage& shortage = known.shortage;
    if (shortage.until > now) return;
    known.may_try = 1;
    shortage.times = now - shortage.noted > kForgottenAfter ? 1 : std::min(shortage.times + 1, kMostTimes);
    shortage.noted = now;
    shortage.until = now + std::min<Duration>(kFirst * (1 << (shortage.times - 1)), kLongest);
    ++version_;
    ++changes_;
    come_back_at(shortage.until);
    forget_in_time();
}

void Shortages::note_had(OfClass& of, const rules::OfferingKey& key) {
    const auto it = of.offerings.find(key);
    if (it == of.offerings.end()) return;
    ++version_;
    ++changes_;
    Known& known = it->second;
    known.may_try *= 2;
    known.shortage.times = 0;
    known.shortage.until = std::min(known.shortage.until, loop_.now());
    if (known.may_try >= kFreeAgain) of.offerings.erase(it);
}

void Shortages::come_back_at(WallTime until) {
    if (std::exchange(wakes_at_, until) == until) return;
    loop_.after(until - loop_.now(), [this] { ++version_; });
}

void Shortages::forget_in_time() {
    if (std::exchange(forgets_soon_, true)) return;
    loop_.after(kSweep, [this] { forget(); });
}

void Shortages::note_launch(const api::NodeClaim& claim, const cloud::LaunchRequest& request,
                            const cloud::LaunchAnswer& answer) {
    if (const auto trial = trials_.extract(claim.meta.uid)) end_trial(trial.mapped());
    OfClass& of = of_class(claim.node_class);
    for (const rules::OfferingKey& key : answer.exhausted) note(of, key);
    if (answer.instance) {
        failing_since_.erase(pool_of(claim));
        note_had(of, answer.taken);
        return;
    }
    if (answer.instance.error().kind != ErrorKind::kExhausted) return;
    if (answer.exhausted.empty()) {
        for (const cloud::LaunchChoice& choice : request.choices) note(of, choice.key());
    }
    if (request.leaves_some_out) return;
    if (std::all_of(request.choices.begin(), request.choices.end(),
                    [&](const auto& choice) { return is_out(claim.node_class, choice.key()); }))
        note_failed(claim, request);
}

// Launches are asked for by the plan. Where those of a second plan fail too, what is left will hardly be
// better, and each further try would be for smaller machines and more of them.
void Shortages::note_failed(const api::NodeClaim& claim, const cloud::LaunchRequest& request) {
    const auto [since, is_first] = failing_since_.try_emplace(pool_of(claim), loop_.now());
    if (!is_first && request.asked_at > since->second) note_alike(claim, request);
}

void Shortages::note_alike(const api::NodeClaim& claim, const cloud::LaunchRequest& request) {
    auto where = rules::make_requirements(claim.requirements);
    if (request.types == nullptr || !where) return;
    std::set<std::vector<std::string_view>> devices;
    std::set<std::pair<std::string_view, std::string_view>> places;
    for (const cloud::LaunchChoice& choice : request.choices) {
        devices.insert(devices_of(*choice.type));
        places.emplace(choice.offering->zone(), choice.offering->capacity_type());
    }
    where->remove(api::kInstanceTypeLabel);
    OfClass& of = of_class(claim.node_class);
    for (const rules::InstanceType& type : *request.types) {
        if (!devices.contains(devices_of(type)) || !rules::intersects(*where, type.requirements)) continue;
        for (const rules::Offering& offering : type.offerings) {
            if (places.contains({offering.zone(), offering.capacity_type()}))
                note(of, rules::key_of(type, offering));
        }
    }
}

void Shortages::note_taken_back(const api::NodeClaim& claim) {
    note(of_class(claim.node_class),
         {std::string(api::find_or_empty(claim.meta.labels, api::kInstanceTypeLabel)),
          std::string(api::find_or_empty(claim.meta.labels, api::kZoneLabel)),
          std::string(api::find_or_empty(claim.meta.labels, api::kCapacityTypeLabel)),
          {}});
}

std::vector<ShortagesOfClass> Shortages::remembered() const {
    std::vector<ShortagesOfClass> out;
    for (const auto& [node_class, of] : short_) {
        if (of.offerings.empty() || is_old(of, node_class)) continue;
        out.push_back({node_class, of.generation, of.annotations, {}});
        for (const auto& [key, known] : of.offerings) out.back().offerings.emplace_back(key, known.shortage);
    }
    return out;
}

void Shortages::remember(const std::vector<ShortagesOfClass>& before) {
    const WallTime now = loop_.now();
    bool is_all_kept = true;
    for (const ShortagesOfClass& was : before) {
        // A class that is not known yet is held to what it was once it is.
        const auto [it, is_new] =
            short_.try_emplace(was.node_class, OfClass{nullptr, was.generation, was.annotations, {}});
        OfClass& of = is_new ? it->second : of_class(was.node_class);
        const bool is_as_it_was = was.generation == of.generation && was.annotations == of.annotations;
        for (const auto& [key, shortage] : was.offerings) {
            const bool can_be = shortage.noted <= now && shortage.until >= shortage.noted &&
                                shortage.until - shortage.noted <= kLongest && shortage.times >= 1 &&
                                shortage.times <= kMostTimes;
            const bool is_kept = is_as_it_was && can_be && now - shortage.noted < kForgottenAfter &&
                                 of.offerings.size() < kMostOfClass;
            is_all_kept = is_all_kept && is_kept;
            if (!is_kept || !of.offerings.try_emplace(key, Known{shortage}).second) continue;
            if (shortage.until > now) come_back_at(shortage.until);
            ++version_;
        }
    }
    if (!is_all_kept) ++changes_;
    forget_in_time();
}

void Shortages::forget() {
    const WallTime now = loop_.now();
    for (auto& [node_class, of] : short_) {
        const auto forgotten = std::erase_if(of.offerings, [&](const auto& item) {
            return item.second.shortage.noted + kForgottenAfter <= now;
        });
        if (forgotten > 0) ++changes_;
    }
    std::erase_if(trials_, [&](const auto& item) {
        const bool is_lost = item.second.began + kLongestTrial <= now;
        if (is_lost) end_trial(item.second);
        return is_lost;
    });
    std::erase_if(short_, [](const auto& item) { return item.second.offerings.empty(); });
    std::erase_if(failing_since_, [&](const auto& item) { return item.second + kFirst <= now; });
    if (short_.empty()) offered_.clear();
    ++version_;
    forgets_soon_ = false;
    if (!short_.empty() || !failing_since_.empty() || !trials_.empty()) forget_in_time();
}

}  // namespace joiner::control
