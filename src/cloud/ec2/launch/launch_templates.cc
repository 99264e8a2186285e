#include "cloud/ec2/launch/launch_templates.h"

#include <utility>

#include "cloud/ec2/aws/join.h"

namespace joiner::cloud::ec2 {

void LaunchTemplates::ensure(const std::vector<LaunchTemplateRequest>& requests, aws::Done<void> done) {
    if (requests.empty()) return done({});
    const aws::Done<void> one_done = aws::joined(requests.size(), std::move(done));
    for (const LaunchTemplateRequest& request : requests) ensure_one(request, one_done);
}

void LaunchTemplates::ensure_one(const LaunchTemplateRequest& request, aws::Done<void> done) {
    Entry& entry = entries_[request.name];
    entry.used = loop_.monotonic();
    if (entry.is_there) return done({});
    entry.waiting.push_back(std::move(done));
    if (entry.waiting.size() > 1) return;
    ec2_.create_launch_template(
        request, false,
        [this, name = request.name, is_alive = is_alive_](const aws::Answer<LaunchTemplate>& made) {
            if (!*is_alive) return;
            Entry& kept = entries_[name];
            aws::Answer<void> answer;
            // The name says the content: one that is there already is the same.
            if (made || made.error().kind == ErrorKind::kConflict)
                kept.is_there = true;
            else
                answer = tl::unexpected<aws::CallError>(made.error());
            kept.used = loop_.monotonic();
            for (const auto& waiting : std::exchange(kept.waiting, {})) waiting(answer);
        });
}

void LaunchTemplates::forget(const std::string& name) {
    if (const auto it = entries_.find(name); it != entries_.end()) it->second.is_there = false;
}

void LaunchTemplates::sweep(const Filters& tags, Duration idle, aws::Done<void> done) {
    ec2_.describe_launch_templates(
        {}, tags,
        [this, idle, done = std::move(done),
         is_alive = is_alive_](const aws::Answer<std::vector<LaunchTemplate>>& all) {
            if (!*is_alive) return;
            if (!all) return done(tl::unexpected<aws::CallError>(all.error()));
            const Duration now = loop_.monotonic();
            std::map<std::string, Duration> seen;
            for (const LaunchTemplate& each : *all) {
                const auto entry = entries_.find(each.name);
                const bool is_ours = entry != entries_.end();
                if (is_ours && !entry->second.waiting.empty()) continue;
                const auto before = seen_.find(each.name);
                const Duration since = is_ours                 ? entry->second.used
                                       : before == seen_.end() ? now
                                                               : before->second;
                if (now - since < idle) {
                    if (!is_ours) seen[each.name] = since;
                    continue;
                }
                // Whoever wants it from now on makes it again.
                if (is_ours) entries_.erase(entry);
                ec2_.delete_launch_template(each.id, [](const aws::Answer<void>&) {});
            }
            seen_ = std::move(seen);
            done({});
        });
}

}  // namespace joiner::cloud::ec2
