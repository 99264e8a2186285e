#include "cli/doctor_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kOurs = R"(
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              role: {type: string}
              blocks: {type: array, items: {properties: {size: {type: string}, rate: {type: integer}}}}
)";

std::string theirs(const std::string& fields, bool is_served = true) {
    return std::string(R"({"spec":{"versions":[{"name":"v1","served":)") + (is_served ? "true" : "false") +
           R"(,"schema":{"openAPIV3Schema":{"properties":{"spec":{"properties":)" + fields + "}}}}}]}}";
}

TEST(DoctorReport, a_crd_that_lacks_a_field_of_ours_is_older) {
    const char* all = R"({"role":{},"blocks":{"items":{"properties":{"size":{},"rate":{}}}},"more":{}})";
    EXPECT_EQ(check_crd("x", kOurs, theirs(all)).result, Check::Result::kOk);
    const Check older = check_crd("x", kOurs, theirs(R"({"blocks":{"items":{"properties":{"size":{}}}}})"));
    EXPECT_EQ(older.result, Check::Result::kFailed);
    EXPECT_THAT(older.message, HasSubstr("lacks spec.blocks.rate, spec.role"));
    EXPECT_THAT(older.cure, HasSubstr("joiner crds"));
    EXPECT_EQ(check_crd("x", kOurs, theirs(all, false)).result, Check::Result::kFailed);
    for (const char* none : {"", "[]", "{}", R"({"spec":{"versions":7}})"})
        EXPECT_EQ(check_crd("x", kOurs, none).result, Check::Result::kFailed) << none;
}

TEST(DoctorReport, another_controller_that_leads_is_named) {
    const WallTime now = *parse_rfc3339("2027-01-15T08:00:00Z");
    const auto leases = [](const std::string& holder, const std::string& renewed) {
        return R"({"items":[{"metadata":{"name":"other"},"spec":{"holderIdentity":"x","renewTime":")" +
               renewed +
               R"("}},{"metadata":{"name":"karpenter-leader-election"},"spec":{"holderIdentity":")" + holder +
               R"(","renewTime":")" + renewed + R"("}}]})";
    };
    const std::string karpenter = "karpenter-7d_8c5f2a10-0000-4000-8000-000000000000";
    const Check other = check_leases(leases(karpenter, "2027-01-15T07:59:50Z"), now);
    EXPECT_EQ(other.result, Check::Result::kFailed);
    EXPECT_THAT(other.message, HasSubstr(karpenter));
    EXPECT_EQ(check_leases(leases(karpenter, "2027-01-15T07:50:00Z"), now).result, Check::Result::kOk);
    EXPECT_EQ(check_leases(leases("joiner-0_0123456789abcdef", "2027-01-15T07:59:50Z"), now).result,
              Check::Result::kOk);
    EXPECT_EQ(check_leases("", now).result, Check::Result::kNotChecked);
}

TEST(DoctorReport, text_and_json_say_the_same) {
    const std::vector<Check> checks = {{"a", Check::Result::kOk, "fine", ""},
                                       {"b", Check::Result::kFailed, "broken", "mend it"},
                                       {"c", Check::Result::kNotChecked, "no", ""}};
    EXPECT_EQ(doctor_text(checks),
              "ok           a: fine\nFAILED       b: broken; cure: mend it\nnot checked  c: no\n3 checks, 1 "
              "failed\n");
    const auto json = nlohmann::json::parse(doctor_json(checks));
    EXPECT_EQ(json["failed"], true);
    ASSERT_EQ(json["checks"].size(), 3u);
    EXPECT_EQ(json["checks"][1]["result"], "failed");
    EXPECT_EQ(json["checks"][1]["cure"], "mend it");
    EXPECT_TRUE(has_failed(checks));
    EXPECT_FALSE(has_failed({checks[0], checks[2]}));
}

}  // namespace
}  // namespace joiner::cli
