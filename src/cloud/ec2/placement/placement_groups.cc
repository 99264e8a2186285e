#include "cloud/ec2/placement/placement_groups.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kStandsFor = std::chrono::hours{24};

}  // namespace

void PlacementGroups::look(const PlacementGroupSelector& selector,
                           aws::Done<std::optional<PlacementGroup>> done) {
    std::vector<std::string> ids;
    Filters filters = {{"state", {"available"}}};
    if (!selector.id.empty())
        ids.push_back(selector.id);
    else
        filters.push_back({"group-name", {selector.name}});
    ec2_.describe_placement_groups(
        std::move(ids), std::move(filters),
        [this, key = Key{selector.id, selector.name}, done = std::move(done),
         is_alive = is_alive_](const aws::Answer<std::vector<PlacementGroup>>& answer) {
            if (!*is_alive) return;
            if (!answer && answer.error().kind != ErrorKind::kNotFound)
                return done(tl::unexpected<aws::CallError>(answer.error()));
            const auto before = found_.find(key);
            if (!answer || answer->empty()) {
                if (before != found_.end()) {
                    found_.erase(before);
                    reports_.offers_changed();
                }
                return done(std::optional<PlacementGroup>());
            }
            const PlacementGroup& group = answer->front();
            const bool is_the_same = before != found_.end() && before->second.group == group;
            found_.insert_or_assign(key, Found{group, loop_.monotonic()});
            if (!is_the_same) reports_.offers_changed();
            done(std::optional<PlacementGroup>(group));
        });
}

std::optional<PlacementGroup> PlacementGroups::find(const PlacementGroupSelector& selector) const {
    const auto it = found_.find({selector.id, selector.name});
    if (it == found_.end() || loop_.monotonic() - it->second.at >= kStandsFor) return std::nullopt;
    return it->second.group;
}

}  // namespace joiner::cloud::ec2
