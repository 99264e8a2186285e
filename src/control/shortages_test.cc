#include "control/shortages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/launch_request.h"
#include "api/names.h"
#include "cloud/testing/rack.h"
#include "io/testing/manual_loop.h"

namespace joiner::control {
namespace {

using std::chrono::minutes;
using testing::IsEmpty;

// The first zone costs a little less, so that what may be back there is worth a try.
std::vector<rules::InstanceType> cheaper_in_the_first_zone() {
    std::vector<rules::InstanceType> out = cloud::testing::rack_types();
    for (rules::InstanceType& type : out) {
        for (rules::Offering& offering : type.offerings) {
            if (offering.zone() == "rack-a") offering.price.nanos -= offering.price.nanos / 20;
        }
    }
    return out;
}

struct RackOffers final : cloud::Offers {
    cloud::InstanceTypes instance_types(const api::NodePool&) override { return types; }
    std::string why_no_types(const api::NodePool&) override { return {}; }
    cloud::InstanceTypes types =
        std::make_shared<const std::vector<rules::InstanceType>>(cheaper_in_the_first_zone());
};

struct Bench {
    io::testing::ManualLoop loop;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    RackOffers own;
    Shortages shortages{own, loop, cluster};
    api::NodePool pool;

    Bench() {
        pool.meta.name = "default";
        pool.node_template.node_class = {"rack.test", "RackNodeClass", "default"};
        node_class(1);
    }
    void node_class(std::int64_t generation, const api::StringMap& annotations = {}) {
        api::NodeClass changed;
        changed.group = "rack.test";
        changed.kind = "RackNodeClass";
        changed.meta.name = "default";
        changed.meta.generation = generation;
        changed.meta.annotations = annotations;
        cluster.upsert(changed);
    }
    api::NodeClaim claim(const std::string& type) {
        api::NodeClaim out;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
        out.node_class = pool.node_template.node_class;
        out.requirements = {{std::string(api::kInstanceTypeLabel), "In", {type}, {}}};
        return out;
    }
    // What a launch of the claim may take now, cheapest first.
    cloud::LaunchRequest request(const api::NodeClaim& claim) {
        cloud::LaunchRequest out{claim, nullptr, {}, shortages.all_types(pool), loop.now()};
        out.choices = act::launch_choices(claim, *out.types, {}, [&](const rules::OfferingKey& key) {
            return shortages.stock(claim.node_class, key);
        });
        // Planning sees the same, however many may be asked for at once.
        for (const rules::InstanceType& type : *shortages.instance_types(pool)) {
            for (const rules::Offering& offering : type.offerings) {
                EXPECT_EQ(
                    offering.available,
                    shortages.stock(claim.node_class, rules::key_of(type, offering)) != cloud::Stock::kOut);
            }
        }
        return out;
    }
    std::vector<std::string> to_be_had(const std::string& type) {
        std::vector<std::string> out;
        const cloud::LaunchRequest all = request(claim(type));
        for (const cloud::LaunchChoice& choice : all.choices) out.push_back(rules::to_string(choice.key()));
        return out;
    }
    // A launch that has no answer yet.
    cloud::LaunchRequest ask(const std::string& type, const std::string& uid) {
        api::NodeClaim its = claim(type);
        its.meta.uid = uid;
        cloud::LaunchRequest out = request(its);
        shortages.note_asked(out);
        return out;
    }
    void has(const cloud::LaunchRequest& asked, const rules::OfferingKey& taken,
             std::vector<rules::OfferingKey> exhausted = {}) {
        shortages.note_launch(asked.claim, asked, {cloud::Instance{}, taken, std::move(exhausted)});
    }
    void exhausted(const std::string& type, std::size_t choices) {
        const cloud::LaunchRequest asked = request(claim(type));
        cloud::LaunchAnswer answer{fail(ErrorKind::kExhausted, "none left")};
        for (std::size_t i = 0; i < choices; ++i) answer.exhausted.push_back(asked.choices[i].key());
        shortages.note_launch(asked.claim, asked, answer);
    }
};

TEST(Shortages, what_a_launch_could_not_have_is_left_alone_and_comes_back) {
    Bench b;
    ASSERT_THAT(b.to_be_had("rack-4"),
                testing::ElementsAre("rack-4 in rack-a, spot", "rack-4 in rack-b, spot",
                                     "rack-4 in rack-a, on-demand", "rack-4 in rack-b, on-demand"));
    b.exhausted("rack-4", 1);
    EXPECT_THAT(b.to_be_had("rack-4"),
                testing::ElementsAre("rack-4 in rack-b, spot", "rack-4 in rack-a, on-demand",
                                     "rack-4 in rack-b, on-demand"));
    EXPECT_EQ(b.to_be_had("rack-16").size(), 4u) << "another type is another stock";
    b.loop.advance(minutes{3});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
}

TEST(Shortages, are_kept_while_the_class_learns_what_memory_its_nodes_have) {
    Bench b;
    b.exhausted("rack-4", 1);
    b.node_class(1, {{std::string(cloud::kLearnedMemoryAnnotation), "rack-4 image 1"}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
    b.node_class(1, {{std::string(cloud::kLearnedMemoryAnnotation), "rack-4 image 2"}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
    b.node_class(1, {{"another", ""}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
    b.node_class(1, {{std::string(cloud::kLearnedMemoryAnnotation), "rack-4 image 2"}});
    b.exhausted("rack-4", 1);
    b.node_class(1, {{std::string(cloud::kLearnedMemoryAnnotation), "rack-4 image 1"}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
    b.node_class(1);
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
    b.node_class(1, {{"another", "1"}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
}

TEST(Shortages, found_short_again_it_is_left_alone_for_longer_and_in_time_all_is_forgotten) {
    Bench b;
    for (const int wait : {3, 6, 12, 12}) {
        b.exhausted("rack-4", 1);
        b.loop.advance(minutes{wait} - std::chrono::seconds{1});
        EXPECT_EQ(b.to_be_had("rack-4").size(), 3u) << wait;
        b.loop.advance(std::chrono::seconds{1});
        EXPECT_EQ(b.to_be_had("rack-4").size(), 4u) << wait;
    }
    b.loop.advance(minutes{31});
    b.exhausted("rack-4", 1);
    b.loop.advance(minutes{3});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
}

TEST(Shortages, an_answer_that_names_none_means_all_that_were_asked_for) {
    Bench b;
    b.exhausted("rack-4", 0);
    EXPECT_THAT(b.to_be_had("rack-4"), IsEmpty());
    EXPECT_EQ(b.to_be_had("rack-16").size(), 4u);
}

TEST(Shortages, stock_outs_on_the_way_to_an_instance_count_too) {
    Bench b;
    const cloud::LaunchRequest asked = b.request(b.claim("rack-4"));
    b.shortages.note_launch(asked.claim, asked,
                            {cloud::Instance{}, asked.choices[1].key(), {asked.choices[0].key()}});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
}

TEST(Shortages, a_class_that_was_changed_may_see_another_stock) {
    Bench b;
    b.exhausted("rack-4", 0);
    b.node_class(2);
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
}

// The second plan in a row that gets nothing: sizes beside it are hardly better.
TEST(Shortages, where_a_second_plan_fails_too_types_alike_are_left_alone) {
    Bench b;
    b.exhausted("rack-4", 0);
    EXPECT_EQ(b.to_be_had("rack-16").size(), 4u);
    b.loop.advance(std::chrono::seconds{10});
    b.exhausted("rack-16", 0);
    EXPECT_THAT(b.to_be_had("rack-16"), IsEmpty());
    b.loop.advance(minutes{3});
    EXPECT_EQ(b.to_be_had("rack-16").size(), 3u) << "so many that may be back are asked for at once";
}

// Many launches would learn the same of it.
TEST(Shortages, what_may_be_back_is_asked_for_by_one_launch_and_by_twice_as_many_each_time_it_is_had) {
    Bench b;
    const rules::OfferingKey key{"rack-4", "rack-a", "spot", ""};
    const auto all_at_once = [&](int launches) {
        std::vector<cloud::LaunchRequest> asked;
        for (int i = 0; i < launches; ++i) asked.push_back(b.ask("rack-4", std::to_string(i)));
        return asked;
    };
    const auto naming_it = [&](const std::vector<cloud::LaunchRequest>& asked) {
        return std::count_if(asked.begin(), asked.end(), [&](const cloud::LaunchRequest& each) {
            EXPECT_GE(each.choices.size(), 3u) << "the others are asked for by all";
            return each.choices.front().key() == key;
        });
    };
    b.exhausted("rack-4", 1);
    b.loop.advance(minutes{3});
    for (const int wanted : {1, 2, 8, 40}) {
        const auto asked = all_at_once(40);
        EXPECT_EQ(naming_it(asked), wanted);
        for (int i = 0; i < wanted && i < 2; ++i) b.has(asked[i], key);
        for (int i = std::min(wanted, 2); i < 40; ++i) b.has(asked[i], asked[i].choices.back().key());
    }
    b.exhausted("rack-4", 1);
    b.loop.advance(minutes{3});
    const auto asked = all_at_once(2);
    EXPECT_EQ(naming_it(asked), 1);
    b.has(asked[0], asked[0].choices.back().key(), {key});
    EXPECT_EQ(b.shortages.stock(b.claim("rack-4").node_class, key), cloud::Stock::kOut);
    b.loop.advance(minutes{6});
    EXPECT_EQ(naming_it(all_at_once(3)), 1) << "what the last launch asked for is over";
}

TEST(Shortages, a_launch_whose_answer_never_comes_keeps_nothing_for_ever) {
    Bench b;
    b.exhausted("rack-4", 1);
    b.loop.advance(minutes{3});
    EXPECT_EQ(b.ask("rack-4", "lost").choices.size(), 4u);
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
    b.loop.advance(minutes{6});
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u);
    EXPECT_EQ(b.ask("rack-4", "asks again").choices.size(), 4u);
    EXPECT_EQ(b.ask("rack-4", "asks again").choices.size(), 3u);
    EXPECT_EQ(b.to_be_had("rack-4").size(), 4u) << "the first came to nothing, and the second did without";
}

// The claim's launch has more to try.
TEST(Shortages, types_alike_are_not_left_alone_while_a_claim_has_something_left) {
    Bench b;
    for (int i = 0; i < 2; ++i) {
        cloud::LaunchRequest asked = b.request(b.claim(i == 0 ? "rack-4" : "rack-16"));
        asked.leaves_some_out = i == 1;
        asked.choices.resize(2);
        b.shortages.note_launch(asked.claim, asked, {fail(ErrorKind::kExhausted, "none left")});
        b.loop.advance(std::chrono::seconds{10});
    }
    EXPECT_EQ(b.to_be_had("rack-16").size(), 2u);
}

TEST(Shortages, a_machine_taken_back_makes_its_offering_short) {
    Bench b;
    api::NodeClaim claim = b.claim("rack-4");
    claim.meta.labels.insert({{std::string(api::kInstanceTypeLabel), "rack-4"},
                              {std::string(api::kZoneLabel), "rack-b"},
                              {std::string(api::kCapacityTypeLabel), "spot"}});
    b.shortages.note_taken_back(claim);
    EXPECT_THAT(b.to_be_had("rack-4"), testing::Not(testing::Contains("rack-4 in rack-b, spot")));
    EXPECT_EQ(b.to_be_had("rack-4").size(), 3u);
}

TEST(Shortages, while_nothing_is_short_the_offers_are_the_clouds_own) {
    Bench b;
    EXPECT_EQ(b.shortages.instance_types(b.pool), b.own.types);
    b.exhausted("rack-4", 1);
    const auto once = b.shortages.instance_types(b.pool);
    EXPECT_NE(once, b.own.types);
    EXPECT_EQ(b.shortages.instance_types(b.pool), once) << "the same pointer until something changes";
}

// As another process would have it.
std::vector<ShortagesOfClass> as_written(const Bench& b) {
    return read_shortages(written(b.shortages.remembered()));
}

TEST(Shortages, another_process_remembers_what_this_one_knew) {
    Bench before;
    before.exhausted("rack-4", 1);
    before.loop.advance(minutes{4});
    before.exhausted("rack-4", 2);
    const auto left = before.to_be_had("rack-4");
    ASSERT_EQ(left.size(), 2u);
    Bench after;
    after.loop.advance(minutes{5});
    after.shortages.remember(as_written(before));
    EXPECT_EQ(after.to_be_had("rack-4"), left);
    after.loop.advance(minutes{3});
    EXPECT_EQ(after.to_be_had("rack-4").size(), 3u) << "the second is short for the first time";
    after.loop.advance(minutes{3});
    EXPECT_EQ(after.to_be_had("rack-4").size(), 4u);
}

TEST(Shortages, what_was_remembered_is_held_to_the_class_as_it_is) {
    Bench before;
    before.exhausted("rack-4", 1);
    Bench changed;
    changed.node_class(2);
    changed.shortages.remember(as_written(before));
    EXPECT_EQ(changed.to_be_had("rack-4").size(), 4u);
    EXPECT_GT(changed.shortages.changes(), 0u) << "what is written is not true any more";
    Bench late;
    late.cluster.remove(late.pool.node_template.node_class);
    late.shortages.remember(as_written(before));
    late.node_class(1);
    EXPECT_EQ(late.to_be_had("rack-4").size(), 3u) << "the class was told of later";
    late.node_class(2);
    EXPECT_EQ(late.to_be_had("rack-4").size(), 4u);
}

TEST(Shortages, what_can_never_have_been_is_not_remembered) {
    const Bench b;
    const WallTime now = b.loop.now();
    const Shortage good{now + minutes{1}, now - minutes{2}, 1};
    const auto with = [&](auto change) {
        Shortage out = good;
        change(out);
        return out;
    };
    const struct {
        const char* name;
        Shortage shortage;
        bool is_kept;
    } kCases[] = {
        {"good", good, true},
        {"noted in time to come", with([&](Shortage& s) { s.noted = now + minutes{1}; }), false},
        {"for ever", with([&](Shortage& s) { s.until = now + minutes{100}; }), false},
        {"too old", with([&](Shortage& s) { s.noted = s.until = now - minutes{30}; }), false},
        {"never", with([&](Shortage& s) { s.times = 0; }), false},
        {"too often", with([&](Shortage& s) { s.times = 9; }), false},
    };
    for (const auto& c : kCases) {
        Bench other;
        ShortagesOfClass of = {other.pool.node_template.node_class, 1, "cbf29ce484222325", {}};
        of.offerings = {{{"rack-4", "rack-a", "spot", ""}, c.shortage}};
        other.shortages.remember({of});
        EXPECT_EQ(other.to_be_had("rack-4").size(), c.is_kept ? 3u : 4u) << c.name;
    }
}

}  // namespace
}  // namespace joiner::control
