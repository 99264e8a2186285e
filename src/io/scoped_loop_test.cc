#include "io/scoped_loop.h"

#include <gtest/gtest.h>

#include "io/testing/manual_loop.h"

namespace joiner::io {
namespace {

TEST(ScopedLoop, runs_what_it_is_given_until_it_is_closed) {
    testing::ManualLoop loop;
    ScopedLoop scope(loop);
    int ran = 0;
    scope.post([&] { ++ran; });
    scope.after(std::chrono::seconds{1}, [&] { ++ran; });
    loop.run_ready();
    EXPECT_EQ(ran, 1);
    scope.post([&] { ++ran; });
    scope.close();
    loop.advance(std::chrono::seconds{2});
    EXPECT_EQ(ran, 1);
}

TEST(ScopedLoop, what_is_left_of_it_does_not_run_once_it_is_gone) {
    testing::ManualLoop loop;
    int ran = 0;
    {
        ScopedLoop scope(loop);
        scope.post([&] { ++ran; });
        scope.after(std::chrono::seconds{1}, [&] { ++ran; });
    }
    loop.post([&] { ran += 10; });
    loop.advance(std::chrono::seconds{2});
    EXPECT_EQ(ran, 10);
}

}  // namespace
}  // namespace joiner::io
