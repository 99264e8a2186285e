#include "cli/scheduler_config.h"

#include <gmock/gmock.h>

namespace joiner::cli {
namespace {

using testing::HasSubstr;

TEST(SchedulerConfig, the_default_constraints_are_read) {
    const auto read = parse_scheduler_config(
        "podTopologySpread: {defaultConstraints: [{maxSkew: 3, topologyKey: topology.kubernetes.io/zone, "
        "whenUnsatisfiable: ScheduleAnyway}]}");
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 1u);
    EXPECT_EQ(read->front().max_skew, 3);
    EXPECT_EQ(read->front().topology_key, "topology.kubernetes.io/zone");
    EXPECT_TRUE(parse_scheduler_config("")->empty());
    EXPECT_TRUE(parse_scheduler_config("{}")->empty());
}

TEST(SchedulerConfig, what_is_wrong_is_named) {
    const std::string one = "{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule";
    const std::pair<std::string, const char*> cases[] = {
        {"{surprise: 1}", "unknown field surprise"},
        {"[1]", "must be an object"},
        {"{a: [}", "is no YAML"},
        {"podTopologySpread: {defaultConstraints: 7}", "must be a list"},
        {"podTopologySpread: {defaultConstraints: [{maxSkew: 0}]}", "maxSkew"},
        {"podTopologySpread: {defaultConstraints: [" + one + ", labelSelector: {}}]}",
         "unknown field labelSelector"},
        {"podTopologySpread: {defaultConstraints: [" + one + "}, " + one + "}]}", "twice"},
        {"podTopologySpread: {defaultConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: Maybe}]}",
         "whenUnsatisfiable"},
    };
    for (const auto& [text, words] : cases) {
        const auto read = parse_scheduler_config(text);
        ASSERT_FALSE(read) << text;
        EXPECT_THAT(read.error().message, HasSubstr(words)) << text;
    }
}

}  // namespace
}  // namespace joiner::cli
