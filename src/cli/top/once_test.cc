#include "cli/top/once.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/plan/testing/cluster_text.h"

namespace joiner::cli::top {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = cli::testing::Json;
using cli::testing::PodText;
using MachineText = cli::testing::NodeText;

constexpr WallTime kNow = WallTime{std::chrono::hours{500'000}};
constexpr Size kWide{200, 20};

Result<std::string> frame_of(const std::vector<Json>& items, Size size = kWide) {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("joiner-top-" + std::to_string(getpid()) + ".json");
    std::ofstream(path) << Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}.dump();
    TopOptions options;
    options.files = {path.string()};
    auto out = frame_once(options, size, {}, kNow);
    std::filesystem::remove(path);
    return out;
}

// The line that begins with the name, after the mark of the selected one.
std::string line_with(const std::string& frame, const std::string& name) {
    const std::size_t at = frame.find("\n " + name);
    const std::size_t selected = frame.find("\n>" + name);
    const std::size_t start = std::min(at, selected);
    return start == std::string::npos ? "" : frame.substr(start + 1, frame.find('\n', start + 1) - start - 1);
}

TEST(TopOnce, a_group_of_nobody_has_prices_and_what_keeps_its_nodes) {
    cli::testing::ClusterText text;
    text.add(MachineText{.name = "empty"})
        .add(MachineText{.name = "held"})
        .add(MachineText{.name = "strange", .type = "q9.huge"});
    text.add(PodText{.name = "web", .node = "held", .labels = {{"app", "web"}}})
        .add(PodText{
            .name = "batch", .node = "strange", .annotations = {{"karpenter.sh/do-not-disrupt", "true"}}})
        .add(PodText{.name = "late"});
    text.add_budget("web", {{"app", "web"}}, 0);
    const auto frame = frame_of(text.items());
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_THAT(*frame, AllOf(HasSubstr("3 nodes  2 pods  1 waiting"), HasSubstr("~ 1 estimated")));
    EXPECT_THAT(line_with(*frame, "empty"),
                AllOf(HasSubstr("workers"), HasSubstr("0.1920"), HasSubstr("its price")));
    EXPECT_THAT(line_with(*frame, "held"), HasSubstr("PodDisruptionBudget shop/web"));
    EXPECT_THAT(line_with(*frame, "strange"), AllOf(HasSubstr("~"), HasSubstr("pod shop/batch")));
}

TEST(TopOnce, a_node_pool_says_why_it_keeps_its_nodes) {
    cli::testing::ClusterText text;
    text.add({{"apiVersion", "karpenter.sh/v1"},
              {"kind", "NodePool"},
              {"metadata", {{"name", "general"}, {"annotations", {{"joiner.sh/node-cost-per-hour", "1"}}}}},
              {"spec",
               {{"disruption", {{"consolidationPolicy", "WhenEmpty"}, {"consolidateAfter", "30s"}}},
                {"template",
                 {{"spec",
                   {{"requirements", Json::array()},
                    {"nodeClassRef",
                     {{"group", "karpenter.kwok.sh"}, {"kind", "KWOKNodeClass"}, {"name", "k"}}}}}}}}}});
    text.add(MachineText{.name = "node",
                         .group = "",
                         .type = "m5.xlarge",
                         .labels = {{"karpenter.sh/nodepool", "general"},
                                    {"karpenter.sh/capacity-type", "on-demand"},
                                    {"karpenter.sh/registered", "true"},
                                    {"karpenter.sh/initialized", "true"}}});
    text.add(PodText{.name = "web", .node = "node"});
    const auto frame = frame_of(text.items());
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_THAT(line_with(*frame, "node"),
                AllOf(HasSubstr("general"), HasSubstr("1.19"), Not(HasSubstr("its price")),
                      HasSubstr("ready       NodePool general")));
}

TEST(TopOnce, shows_use_where_the_dump_has_it) {
    cli::testing::ClusterText text;
    text.add(MachineText{.name = "a"});
    std::vector<Json> items = text.items();
    const auto without = frame_of(items);
    items.push_back({{"apiVersion", "metrics.k8s.io/v1beta1"},
                     {"kind", "NodeMetrics"},
                     {"metadata", {{"name", "a"}}},
                     {"usage", {{"cpu", "1960m"}, {"memory", "1Gi"}}}});
    const auto with = frame_of(items);
    ASSERT_TRUE(without && with);
    EXPECT_THAT(*without, Not(HasSubstr("used")));
    EXPECT_THAT(*with, HasSubstr("0% asked for: 0.0 of 3.9 cores, 50% used"));
    EXPECT_THAT(line_with(*with, "a"), HasSubstr("!!!!!!!......."));
}

TEST(TopOnce, says_what_to_do_where_there_is_nothing_to_show) {
    cli::testing::ClusterText text;
    text.add(PodText{.name = "late"});
    const auto no_nodes = frame_of(text.items());
    ASSERT_FALSE(no_nodes);
    EXPECT_THAT(no_nodes.error().message, HasSubstr("kubectl get nodes,pods -A -o yaml"));
    const auto small = frame_of(text.items(), {59, 24});
    ASSERT_FALSE(small);
    EXPECT_EQ(small.error().message, "--size 59x24 is too small: 60x12 at least");
}

}  // namespace
}  // namespace joiner::cli::top
