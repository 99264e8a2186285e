#include "io/process.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "io/random.h"
#include "io/real_loop.h"

namespace joiner::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<ProcessOutput> run(ProcessRequest request) {
    RealLoop loop;
    std::optional<Result<ProcessOutput>> outcome;
    const ChildProcess child(loop, std::move(request), [&](Result<ProcessOutput> result) {
        outcome = std::move(result);
        loop.stop();
    });
    loop.run();
    return std::move(*outcome);
}

TEST(Process, output_errors_and_exit_code_come_back) {
    const auto output = run({.command = "sh", .arguments = {"-c", "echo out; echo err >&2; exit 3"}});
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->exit_code, 3);
    EXPECT_EQ(output->standard_output, "out\n");
    EXPECT_EQ(output->standard_error, "err\n");
}

TEST(Process, the_environment_is_ours_with_the_given_on_top) {
    setenv("JOINER_TEST_INHERITED", "yes", 1);
    setenv("JOINER_TEST_REPLACED", "old", 1);
    const auto output =
        run({.command = "sh",
             .arguments = {"-c", "echo $JOINER_TEST_INHERITED $JOINER_TEST_REPLACED $JOINER_TEST_NEW"},
             .environment = {{"JOINER_TEST_REPLACED", "new"}, {"JOINER_TEST_NEW", "a b"}}});
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->standard_output, "yes new a b\n");
}

TEST(Process, arguments_are_passed_as_they_are) {
    const auto output = run({.command = "printf", .arguments = {"%s|", "a b", "$HOME", "\"q\"", ""}});
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->standard_output, "a b|$HOME|\"q\"||");
}

TEST(Process, a_command_that_is_not_there_is_not_found) {
    const auto output = run({.command = "no-such-command-at-all"});
    ASSERT_FALSE(output.has_value());
    EXPECT_EQ(output.error().kind, ErrorKind::kNotFound);
}

TEST(Process, a_child_that_takes_too_long_is_killed_with_its_children) {
    RealLoop loop;
    const Duration start = loop.monotonic();
    const auto mark =
        std::filesystem::temp_directory_path() / ("joiner-process-" + std::to_string(os_seed()));
    const auto output =
        run({.command = "sh",
             .arguments = {"-c", "(sleep 0.5; touch " + mark.string() + ") & sleep 60; echo no"},
             .timeout = milliseconds{100}});
    ASSERT_FALSE(output.has_value());
    EXPECT_EQ(output.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(output.error().message, "sh: did not end within 100ms");
    EXPECT_LT(loop.monotonic() - start, seconds{20});
    loop.after(milliseconds{800}, [&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(std::filesystem::remove(mark)) << "a grandchild lived on";
}

TEST(Process, a_child_that_prints_without_end_is_killed) {
    const auto output = run({.command = "yes", .max_output_bytes = 10'000});
    ASSERT_FALSE(output.has_value());
    EXPECT_EQ(output.error().kind, ErrorKind::kInvalid);
}

TEST(Process, long_output_within_the_bound_is_whole) {
    const auto output = run({.command = "sh", .arguments = {"-c", "head -c 700000 /dev/zero | tr '\\0' x"}});
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->standard_output, std::string(700'000, 'x'));
}

TEST(Process, a_grandchild_that_keeps_the_pipe_open_does_not_hold_up_the_answer) {
    RealLoop clock;
    const Duration start = clock.monotonic();
    const auto output = run({.command = "sh", .arguments = {"-c", "sleep 3 & echo done"}});
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->standard_output, "done\n");
    EXPECT_LT(clock.monotonic() - start, seconds{3});
}

TEST(Process, a_destroyed_child_is_killed_and_says_nothing) {
    RealLoop loop;
    bool called = false;
    const Duration start = loop.monotonic();
    {
        const ChildProcess child(loop, {.command = "sleep", .arguments = {"60"}},
                                 [&](const Result<ProcessOutput>&) { called = true; });
    }
    loop.after(milliseconds{20}, [&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(called);
    EXPECT_LT(loop.monotonic() - start, seconds{20});
}

TEST(Process, a_child_may_be_destroyed_by_its_own_answer) {
    RealLoop loop;
    std::unique_ptr<ChildProcess> child;
    bool called = false;
    child = std::make_unique<ChildProcess>(loop, ProcessRequest{.command = "true"},
                                           [&](const Result<ProcessOutput>&) {
                                               child.reset();
                                               called = true;
                                               loop.stop();
                                           });
    loop.run();
    EXPECT_TRUE(called);
}

}  // namespace
}  // namespace joiner::io
