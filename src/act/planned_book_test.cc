#include "act/planned_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::act {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<const rules::PodShape> shape_of(int cores) {
    rules::PodShape shape;
    shape.requests = rules::as_request({{"cpu", Quantity::of_units(cores)}});
    return std::make_shared<const rules::PodShape>(std::move(shape));
}

TEST(PlannedBook, both_ways_round_agree) {
    PlannedBook book;
    book.plan("u1", "ns/a", "c", shape_of(1));
    book.plan("u2", "ns/b", "c", shape_of(1));
    book.plan("u3", "ns/c", "d", shape_of(1));
    EXPECT_TRUE(book.has("u1"));
    EXPECT_TRUE(book.has_claim("c"));
    EXPECT_THAT(book.pods_of("c"), ElementsAre("ns/a", "ns/b"));
    EXPECT_EQ(book.by_uid().at("u3"), "d");

    EXPECT_EQ(book.drop("u1"), "c");
    EXPECT_EQ(book.drop("u1"), "") << "once";
    EXPECT_THAT(book.pods_of("c"), ElementsAre("ns/b"));
    EXPECT_EQ(book.drop("u2"), "c");
    EXPECT_FALSE(book.has_claim("c")) << "a claim without pods is not in the book";
    EXPECT_THAT(book.pods_of("c"), IsEmpty());
}

TEST(PlannedBook, a_pod_planned_again_leaves_its_first_claim) {
    PlannedBook book;
    book.plan("u1", "ns/a", "c", shape_of(1));
    book.plan("u1", "ns/a", "d", shape_of(1));
    EXPECT_FALSE(book.has_claim("c"));
    EXPECT_THAT(book.pods_of("d"), ElementsAre("ns/a"));
    EXPECT_EQ(book.by_uid().size(), 1u);
}

TEST(PlannedBook, a_pod_made_again_under_its_name_takes_the_place_of_the_old_one) {
    PlannedBook book;
    book.plan("old", "ns/a", "c", shape_of(1));
    book.plan("new", "ns/a", "c", shape_of(1));
    EXPECT_THAT(book.pods_of("c"), ElementsAre("ns/a"));
    book.drop("old");
    EXPECT_TRUE(book.has("new"));
    EXPECT_THAT(book.pods_of("c"), ElementsAre("ns/a")) << "the new one is still meant for the claim";
    book.drop("new");
    EXPECT_FALSE(book.has_claim("c"));
}

TEST(PlannedBook, a_claim_that_goes_takes_its_pods_along) {
    PlannedBook book;
    book.plan("u1", "ns/a", "c", shape_of(1));
    book.plan("u2", "ns/b", "c", shape_of(1));
    EXPECT_TRUE(book.drop_claim("c"));
    EXPECT_FALSE(book.drop_claim("c"));
    EXPECT_FALSE(book.has("u1"));
    EXPECT_THAT(book.by_uid(), IsEmpty());
    EXPECT_THAT(book.by_claim(), IsEmpty());
}

TEST(PlannedBook, knows_whether_a_pod_would_fit_until_the_last_of_its_shape_is_gone) {
    const auto one = shape_of(1);
    PlannedBook book;
    book.plan("u1", "ns/a", "c", one);
    book.plan("u2", "ns/b", "d", one);
    book.plan("u3", "ns/c", "d", shape_of(4));
    book.plan("u4", "ns/d", "d", nullptr);
    const rules::Resources room_for_two = shape_of(2)->requests;
    EXPECT_TRUE(book.any_bindable_fits(room_for_two));
    book.drop("u1");
    EXPECT_TRUE(book.any_bindable_fits(room_for_two));
    book.drop("u2");
    EXPECT_FALSE(book.any_bindable_fits(room_for_two));
    EXPECT_TRUE(book.any_bindable_fits(shape_of(4)->requests));
    book.drop_claim("d");
    EXPECT_FALSE(book.any_bindable_fits(shape_of(4)->requests));
}

}  // namespace
}  // namespace joiner::act
