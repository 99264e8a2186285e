#include "base/index_set.h"

#include <gtest/gtest.h>

namespace joiner {
namespace {

TEST(IndexSet, full_sets_end_at_their_size) {
    for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 130u}) {
        const IndexSet full(size, true);
        EXPECT_EQ(full.count(), size);
        EXPECT_EQ(full.empty(), size == 0);
    }
}

TEST(IndexSet, members_come_in_order) {
    IndexSet s(200);
    for (const std::size_t i : {0u, 63u, 64u, 199u}) s.set(i);
    std::vector<std::size_t> seen;
    for (auto i = s.next(); i != IndexSet::kNone; i = s.next(i + 1)) seen.push_back(i);
    EXPECT_EQ(seen, (std::vector<std::size_t>{0, 63, 64, 199}));
    s.reset(63);
    EXPECT_EQ(s.next(1), 64u);
    EXPECT_EQ(s.next(200), IndexSet::kNone);
}

TEST(IndexSet, meets_and_joins) {
    IndexSet a(70), b(70);
    a.set(3);
    a.set(69);
    b.set(69);
    EXPECT_TRUE(a.intersects(b));
    EXPECT_EQ((a & b).count(), 1u);
    b.reset(69);
    EXPECT_FALSE(a.intersects(b));
    b |= a;
    EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace joiner
