#include "plan/disrupt/kept_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace joiner::plan {
namespace {

rules::Money dollars(double amount) {
    return rules::Money::from_dollars(amount);
}

Keeper budget_of(const std::string& name) {
    return {{.rule = Rule::kPodDisruptionBudget, .object = "PodDisruptionBudget " + name, .detail = "ns/p"}};
}
Keeper annotated(const std::string& pod) {
    return {{.rule = Rule::kPodAnnotated, .object = "pod " + pod, .detail = "x=true"}};
}
Keeper price() {
    return {{.rule = Rule::kNoBetterPlace}};
}
Keeper control_plane() {
    return {{.rule = Rule::kControlPlane}};
}

TEST(KeptNodes, bear_what_their_going_would_save) {
    const struct {
        std::string name;
        std::vector<KeptNode> kept;
        SavedByNode now;
        SavedByNode lifted;
        std::vector<std::vector<double>> costs;  // Of each node's reasons.
    } cases[] = {
        {"one node, one reason", {{"a", "", {}, {budget_of("ns/b")}}}, {}, {{"a", dollars(0.2)}}, {{0.2}}},
        {"two reasons bear the same",
         {{"a", "", {}, {budget_of("ns/b"), annotated("ns/p")}}},
         {},
         {{"a", dollars(0.2)}},
         {{0.1, 0.1}}},
        {"a node that would not go costs nothing",
         {{"a", "", {}, {budget_of("ns/b")}}, {"b", "", {}, {budget_of("ns/b")}}},
         {},
         {{"a", dollars(0.2)}},
         {{0.2}, {0}}},
        {"what is saved now is no cost",
         {{"a", "", {}, {budget_of("ns/b")}}},
         {{"z", dollars(0.5)}},
         {{"z", dollars(0.5)}, {"a", dollars(0.1)}},
         {{0.1}}},
        {"less is saved elsewhere once it goes",
         {{"a", "", {}, {budget_of("ns/b")}}, {"b", "", {}, {annotated("ns/p")}}},
         {{"z", dollars(0.3)}},
         {{"a", dollars(0.3)}, {"b", dollars(0.1)}},
         {{0.075}, {0.025}}},
        {"lifting saves nothing",
         {{"a", "", {}, {budget_of("ns/b")}}},
         {{"z", dollars(0.3)}},
         {{"a", dollars(0.2)}},
         {{0}}},
        {"what cannot be lifted costs nothing, and nothing beside it does",
         {{"a", "", {}, {budget_of("ns/b"), control_plane()}}},
         {},
         {{"a", dollars(0.2)}},
         {{0, 0}}},
        {"the price is no reason that costs", {{"a", "", {}, {price()}}}, {}, {}, {{0}}},
    };
    for (const auto& c : cases) {
        std::vector<KeptNode> kept = c.kept;
        price_keepers(c.now, c.lifted, kept);
        for (std::size_t n = 0; n < kept.size(); ++n) {
            for (std::size_t r = 0; r < kept[n].reasons.size(); ++r)
                EXPECT_EQ(kept[n].reasons[r].cost, dollars(c.costs[n][r])) << c.name << ", " << kept[n].node;
        }
    }
}

TEST(KeptNodes, sum_to_the_difference_whatever_does_not_divide) {
    std::vector<KeptNode> kept;
    SavedByNode lifted;
    for (int i = 0; i < 7; ++i) {
        const std::string name = "n" + std::to_string(i);
        kept.push_back({name, "", {}, {budget_of("ns/b"), annotated("ns/p"), annotated("ns/q")}});
        lifted[name] = rules::Money{1'000'003 + i * 13};
    }
    price_keepers({{"z", rules::Money{1'234'567}}}, lifted, kept);
    rules::Money sum;
    for (const KeptNode& node : kept) sum += node.cost();
    EXPECT_EQ(sum.nanos, 7 * 1'000'003 + 13 * 21 - 1'234'567);
}

TEST(KeptNodes, share_a_steps_saving_by_their_prices) {
    RepackQuestion question;
    for (const auto& [name, price_of_node] : {std::pair("a", 0.3), std::pair("b", 0.1)}) {
        Candidate candidate;
        candidate.node = name;
        candidate.price = dollars(price_of_node);
        question.candidates.push_back(candidate);
    }
    RepackStep step;
    step.nodes = {"b", "a"};
    step.saving = dollars(0.2);
    const SavedByNode saved = saved_by_node(question, {step});
    EXPECT_EQ(saved.at("a"), dollars(0.15));
    EXPECT_EQ(saved.at("b"), dollars(0.05));
}

TEST(KeptNodes, are_summed_by_what_keeps_them_the_dearest_first) {
    std::vector<KeptNode> kept = {{"a", "", {}, {budget_of("ns/b")}},
                                  {"b", "", {}, {budget_of("ns/b")}},
                                  {"c", "", {}, {annotated("ns/p"), annotated("ns/q")}},
                                  {"d", "", {}, {price()}},
                                  {"e", "", {}, {price()}}};
    price_keepers({}, {{"a", dollars(0.1)}, {"b", dollars(0.1)}, {"c", dollars(0.5)}}, kept);
    const std::vector<KeeperSum> sums = sum_keepers(kept);
    ASSERT_EQ(sums.size(), 3u);
    EXPECT_EQ(sums[0].rule, "DoNotDisrupt");
    EXPECT_EQ(sums[0].message, "pods annotated x=true");
    EXPECT_EQ(sums[0].nodes, 1u);
    EXPECT_EQ(sums[1].message, "PodDisruptionBudget ns/b allows no eviction");
    EXPECT_EQ(sums[1].nodes, 2u);
    EXPECT_EQ(sums[1].cost, dollars(0.2));
    EXPECT_EQ(sums[2].rule, "Price");
    EXPECT_EQ(sums[2].nodes, 2u);
}

}  // namespace
}  // namespace joiner::plan
