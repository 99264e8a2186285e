#include "cloud/ec2/launch/launch_templates.h"

#include <algorithm>
#include <utility>

#include "cloud/ec2/aws/join.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// As Karpenter has it.
constexpr Duration kIdle = std::chrono::minutes{1};
constexpr Duration kBetweenSweeps = std::chrono::minutes{1};
constexpr int kMostOfASweep = 50;

Filter tag_filter(std::string_view key, const std::string& value) {
    return {"tag:" + std::string(key), {value}};
}

}  // namespace

void LaunchTemplates::ensure(const std::vector<LaunchTemplateRequest>& requests, aws::Done<void> done) {
    if (requests.empty()) return done({});
    const aws::Done<void> one_done = aws::joined(requests.size(), std::move(done));
    for (const LaunchTemplateRequest& request : requests) ensure_one(request, one_done);
}

void LaunchTemplates::ensure_one(const LaunchTemplateRequest& request, aws::Done<void> done) {
    Entry& entry = entries_[request.name];
    entry.used = loop_.monotonic();
    if (entry.is_there && !entry.is_going) return done({});
    entry.waiting.push_back(std::move(done));
    if (entry.waiting.size() > 1) return;
    entry.request = request;
    if (!entry.is_going) make(request.name);
}

void LaunchTemplates::make(const std::string& name) {
    ec2_.create_launch_template(entries_[name].request, false,
                                [this, name, is_alive = is_alive_](const aws::Answer<LaunchTemplate>& made) {
                                    if (!*is_alive) return;
                                    Entry& kept = entries_[name];
                                    aws::Answer<void> answer;
                                    // The name says the content: one that is there already is the same.
                                    if (made || made.error().kind == ErrorKind::kConflict)
                                        kept.is_there = true;
                                    else
                                        answer = tl::unexpected<aws::CallError>(made.error());
                                    kept.used = loop_.monotonic();
                                    kept.request = {};
                                    for (const auto& waiting : std::exchange(kept.waiting, {}))
                                        waiting(answer);
                                });
}

void LaunchTemplates::forget(const std::string& name) {
    if (const auto it = entries_.find(name); it != entries_.end()) it->second.is_there = false;
}

Filters LaunchTemplates::of_cluster() const {
    return {tag_filter(kClusterTag, cluster_name_), {"tag-key", {std::string(kPoolTag)}}};
}

void LaunchTemplates::sweep() {
    const Duration now = loop_.monotonic();
    if (now < no_sweep_before_) return;
    const bool is_one_on_its_way = std::any_of(entries_.begin(), entries_.end(), [](const auto& item) {
        return !item.second.waiting.empty() || item.second.is_going;
    });
    if (is_one_on_its_way) return;
    no_sweep_before_ = now + kBetweenSweeps;
    const bool is_one_idle = std::any_of(entries_.begin(), entries_.end(),
                                         [&](const auto& item) { return now - item.second.used >= kIdle; });
    if (has_looked_ && seen_.empty() && !is_one_idle) return;
    ec2_.describe_launch_templates(
        {}, of_cluster(), [this, is_alive = is_alive_](const aws::Answer<std::vector<LaunchTemplate>>& all) {
            if (!*is_alive || !all) return;
            has_looked_ = true;
            sweep(*all);
        });
}

void LaunchTemplates::sweep(const std::vector<LaunchTemplate>& all) {
    const Duration now = loop_.monotonic();
    std::map<std::string, Duration> seen;
    std::vector<LaunchTemplate> idle;
    for (const LaunchTemplate& each : all) {
        const auto entry = entries_.find(each.name);
        const auto before = seen_.find(each.name);
        const Duration since = entry != entries_.end() ? entry->second.used
                               : before != seen_.end() ? before->second
                                                       : now;
        const bool is_idle = now - since >= kIdle;
        if (is_idle && idle.size() < kMostOfASweep)
            idle.push_back(each);
        else if (entry == entries_.end())
            seen[each.name] = since;
    }
    seen_ = std::move(seen);
    // What is not listed is gone, whoever took it away.
    std::erase_if(entries_, [&](const auto& item) {
        return item.second.waiting.empty() && now - item.second.used >= kIdle &&
               std::none_of(all.begin(), all.end(),
                            [&](const LaunchTemplate& each) { return each.name == item.first; });
    });
    for (const LaunchTemplate& each : idle) remove(each, [](const aws::Answer<void>&) {});
}

void LaunchTemplates::remove(const LaunchTemplate& which, aws::Done<void> done) {
    Entry& entry = entries_[which.name];
    if (entry.is_going || !entry.waiting.empty()) return done({});
    entry.is_going = true;
    ec2_.delete_launch_template(which.id, [this, name = which.name, done = std::move(done),
                                           is_alive = is_alive_](const aws::Answer<void>& answer) {
        if (!*is_alive) return;
        Entry& gone = entries_[name];
        gone.is_going = false;
        gone.is_there = false;
        // Whoever wants it from now on makes it again.
        if (gone.waiting.empty())
            entries_.erase(name);
        else
            make(name);
        done(answer);
    });
}

void LaunchTemplates::remove_all(const std::string& class_name, aws::Done<void> done) {
    ec2_.describe_launch_templates(
        {}, {tag_filter(kClusterTag, cluster_name_), tag_filter(kClassLabel, class_name)},
        [this, done = std::move(done),
         is_alive = is_alive_](const aws::Answer<std::vector<LaunchTemplate>>& all) {
            if (!*is_alive) return;
            if (!all) return done(tl::unexpected<aws::CallError>(all.error()));
            if (all->empty()) return done({});
            const aws::Done<void> one_done = aws::joined(all->size(), done);
            for (const LaunchTemplate& each : *all) remove(each, one_done);
        });
}

}  // namespace joiner::cloud::ec2
