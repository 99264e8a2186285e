#include "rules/pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::rules {
namespace {

using testing::HasSubstr;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

api::NodePool annotated(std::string_view key, const std::string& value) {
    api::NodePool pool;
    pool.meta.annotations.emplace(key, value);
    return pool;
}

TEST(Pace, pauses) {
    const struct {
        std::string value;
        std::string says;  // Empty: not paused.
    } cases[] = {
        {"true", "paused"},
        {"false", ""},
        {"2027-03-10T12:00:01Z", "until 2027-03-10T12:00:01Z"},
        {"2027-03-10T14:00:01+03:00", ""},
        {"2027-03-10T12:00:00Z", ""},
        {"yes", "\"yes\" is neither"},
        {"", "\"\" is neither"},
        {"TRUE", "neither"},
        {"2027-13-41", "neither"},
    };
    for (const auto& c : cases) {
        const std::string said = pause_reason(annotated(api::kPausedAnnotation, c.value), kNow);
        EXPECT_THAT(said, HasSubstr(c.says)) << c.value;
        EXPECT_EQ(said.empty(), c.says.empty()) << c.value << ": " << said;
    }
    EXPECT_EQ(pause_reason(api::NodePool{}, kNow), "");
}

TEST(Pace, pod_moves) {
    EXPECT_EQ(pod_moves_per_hour(api::NodePool{}).value(), std::nullopt);
    EXPECT_EQ(pod_moves_per_hour(annotated(api::kPodMovesAnnotation, "0")).value(), 0);
    EXPECT_EQ(pod_moves_per_hour(annotated(api::kPodMovesAnnotation, "250")).value(), 250);
    for (const char* wrong : {"", "-1", "ten", "10%", "1.5", "99999999999999999999"}) {
        const api::NodePool pool = annotated(api::kPodMovesAnnotation, wrong);
        EXPECT_FALSE(pod_moves_per_hour(pool)) << wrong;
        EXPECT_THAT(pause_reason(pool, kNow), HasSubstr("not a whole number")) << wrong;
    }
}

}  // namespace
}  // namespace joiner::rules
