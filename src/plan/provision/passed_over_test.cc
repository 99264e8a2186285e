#include "plan/provision/passed_over.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/testing/one_type.h"

namespace joiner::plan {
namespace {

using rules::Requirement;

model::PoolView a_pool(const std::string& name, int weight) {
    model::PoolView out;
    out.name = name;
    out.weight = weight;
    out.pool.weight = weight;
    out.types = samples::one_type();
    out.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {name}));
    return out;
}

// One pod on a new node of "light", which is lighter than "heavy".
struct Question {
    model::Snapshot snapshot;
    std::vector<model::PoolView> at_best;
    std::shared_ptr<rules::PodShape> shape = std::make_shared<rules::PodShape>();

    Question() {
        snapshot.pools.push_back(a_pool("light", 1));
        at_best = {a_pool("light", 1), a_pool("heavy", 10)};
        shape->requests.cpu_milli = 1000;
        shape->requests.pods = 1;
        shape->required.emplace_back();
        shape->key = "a";
        snapshot.pods.push_back({{"ns", "p", "p"}, shape, kNoTime});
    }
    std::string answer() const {
        const auto spec = std::make_shared<MachineSpec>();
        std::vector<model::PodIndex> pods;
        for (model::PodIndex i = 0; i < snapshot.pods.size(); ++i) pods.push_back(i);
        return passed_over(snapshot, {{spec, pods}}, at_best).front();
    }
};

TEST(PassedOver, names_the_heavier_pool_that_its_pods_would_have_been_tried_on_first) {
    const struct {
        std::string name;
        std::function<void(Question&)> edit;
        std::string is;
    } cases[] = {
        {"a heavier one", [](Question&) {}, "heavy"},
        {"none is heavier", [](Question& q) { q.snapshot.pools[0].weight = 10; }, ""},
        {"nobody buys", [](Question& q) { q.at_best.clear(); }, ""},
        {"the heaviest of two", [](Question& q) { q.at_best.push_back(a_pool("heaviest", 20)); }, "heaviest"},
        {"its taint is not tolerated",
         [](Question& q) { q.at_best[1].taints = {{"dedicated", "", "NoSchedule", std::nullopt}}; }, ""},
        {"the pod asks for the lighter one",
         [](Question& q) {
             q.shape->required[0].add(Requirement::in(std::string(api::kNodePoolLabel), {"light"}));
         },
         ""},
        {"the pod prefers the lighter one",
         [](Question& q) {
             q.shape->preferred.emplace_back();
             q.shape->preferred[0].add(Requirement::in(std::string(api::kNodePoolLabel), {"light"}));
             q.shape->preferred_weight = 1;
         },
         ""},
        {"it is too small there", [](Question& q) { q.at_best[1].types = samples::one_type(500); }, ""},
        {"nobody knows what it sells: judged by what others do",
         [](Question& q) { q.at_best[1].types = nullptr; }, "heavy"},
        {"another pod of the node belongs there",
         [](Question& q) {
             auto other = std::make_shared<rules::PodShape>(*q.shape);
             other->key = other->constraint_key = "b";
             other->required[0].add(Requirement::in(std::string(api::kNodePoolLabel), {"light"}));
             q.snapshot.pods.push_back({{"ns", "other", "other"}, other, kNoTime});
         },
         ""},
    };
    for (const auto& each : cases) {
        Question q;
        each.edit(q);
        EXPECT_EQ(q.answer(), each.is) << each.name;
    }
}

}  // namespace
}  // namespace joiner::plan
