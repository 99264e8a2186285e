#include "observe/heartbeat.h"

#include <gtest/gtest.h>

#include "io/testing/manual_loop.h"

namespace joiner::observe {
namespace {

TEST(Heartbeat, fails_while_the_loop_hangs_and_is_well_once_it_turns_again) {
    io::testing::ManualLoop loop;
    const Heartbeat heart(loop);
    loop.advance(std::chrono::hours{1});
    EXPECT_EQ(heart.page().code, 200);
    loop.jump(std::chrono::seconds{55});
    EXPECT_EQ(heart.page().code, 200) << "a long plan is no reason to restart";
    loop.jump(std::chrono::seconds{6});
    EXPECT_EQ(heart.page().code, 500);
    loop.run_ready();
    EXPECT_EQ(heart.page().code, 200);
}

}  // namespace
}  // namespace joiner::observe
