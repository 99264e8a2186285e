#include "cloud/kwok/types_file.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace joiner::cloud::kwok {
namespace {

constexpr const char* kGood = R"([{"name":"a-2x","architecture":"amd64","operatingSystems":["linux"],
  "resources":{"cpu":"2","memory":"4Gi","nvidia.com/gpu":1},
  "offerings":[{"Price":0.5,"Available":true,"Requirements":[
    {"key":"topology.kubernetes.io/zone","operator":"In","values":["z"]},
    {"key":"karpenter.sh/capacity-type","operator":"In","values":["spot"]}]}]}])";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(TypesFile, upstreams_form_is_read) {
    const auto types = parse_types(kGood, "t.json");
    ASSERT_TRUE(types) << types.error().message;
    const rules::InstanceType& type = types->front();
    EXPECT_EQ(type.capacity.pods, 110) << "the default when the file names none";
    EXPECT_EQ(type.capacity.get("nvidia.com/gpu"), 1);
    EXPECT_EQ(type.allocatable().cpu_milli, 1900);
    EXPECT_EQ(type.offerings.front().price.dollars(), 0.5);
    EXPECT_TRUE(type.requirements.find("karpenter.kwok.sh/instance-family")->allows("a"));
    EXPECT_TRUE(type.requirements.find("karpenter.kwok.sh/instance-memory")->allows("4Gi"));
}

TEST(TypesFile, the_first_mistake_is_named_in_one_sentence) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "not valid JSON"},
        {"{}", "not a JSON list"},
        {"[]", "lists no instance types"},
        {replaced(kGood, R"("Price":0.5,)", ""), "type a-2x: offering 1 has no Price"},
        {replaced(kGood, "0.5", "-1"), "Price is not a number of dollars"},
        {replaced(kGood, "4Gi", "1.5.2Gi"), "resource memory: quantity \"1.5.2Gi\""},
        {replaced(kGood, R"("cpu":"2",)", ""), "has no cpu"},
        {replaced(kGood, R"("name":"a-2x",)", ""), "entry 1 has no name"},
        {replaced(kGood, R"(["z"])", R"(["z","y"])"), "names no single topology.kubernetes.io/zone"},
        {replaced(kGood, R"("operator":"In","values":["z"])", R"("operator":"Like","values":["z"])"),
         "operator \"Like\""},
    };
    for (const auto& [text, expected] : cases) {
        const auto types = parse_types(text, "t.json");
        ASSERT_FALSE(types) << expected;
        EXPECT_NE(types.error().message.find(expected), std::string::npos) << types.error().message;
    }
}

TEST(BuiltinTypes, are_upstreams_144) {
    const auto types = builtin_types();
    EXPECT_EQ(types.size(), 144u);
    const auto it =
        std::find_if(types.begin(), types.end(), [](const auto& t) { return t.name == "c-1x-amd64-linux"; });
    ASSERT_NE(it, types.end());
    EXPECT_EQ(it->offerings.size(), 8u);
    EXPECT_NEAR(it->offerings[1].price.dollars(), 0.025 + 0.001 * 2.147483648, 1e-9);
    EXPECT_NEAR(it->offerings[0].price.dollars(), 0.7 * (0.025 + 0.001 * 2.147483648), 1e-9);
    EXPECT_EQ(it->capacity.pods, 16);
}

}  // namespace
}  // namespace joiner::cloud::kwok
