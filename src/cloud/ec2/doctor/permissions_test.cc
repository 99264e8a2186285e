// The calls that the code makes, the list of permissions, and the policy that is shipped, held to one
// another.
#include "cloud/ec2/doctor/permissions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "io/file.h"

namespace joiner::cloud::ec2 {
namespace {

using ::testing::Contains;
using ::testing::IsSubsetOf;
using ::testing::Lt;

namespace fs = std::filesystem;

const fs::path kSources = JOINER_SOURCE_DIR;

std::string read(const fs::path& path) {
    return io::read_file(path.string(), 1u << 20).value();
}

std::set<std::string> actions_of(const std::vector<Permission>& permissions) {
    std::set<std::string> out;
    for (const Permission& each : permissions) out.insert(each.action);
    return out;
}

std::set<std::string> listed() {
    return actions_of(permissions());
}

nlohmann::json policy(const char* name = "controller-policy.json") {
    return nlohmann::json::parse(read(kSources / "deploy/aws" / name));
}

std::set<std::string> granted(const char* name = "controller-policy.json") {
    std::set<std::string> out;
    const nlohmann::json all = policy(name);
    for (const auto& statement : all.at("Statement")) {
        const auto& action = statement.at("Action");
        if (action.is_string())
            out.insert(action.get<std::string>());
        else
            for (const auto& each : action) out.insert(each.get<std::string>());
    }
    return out;
}

// Names of AWS's calls in the sources of the typed calls.
std::set<std::string> called() {
    static const std::regex kCall(
        "\"((Describe|Create|Delete|Terminate|Reboot|Run|Get|List|Add|Remove|Receive)[A-Z][A-Za-z]+)\"");
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(kSources / "src/cloud/ec2/calls")) {
        if (entry.path().extension() != ".cc" || entry.path().string().ends_with("_test.cc")) continue;
        const std::string text = read(entry.path());
        for (std::sregex_iterator it(text.begin(), text.end(), kCall), end; it != end; ++it) {
            // The rest are names of elements in answers.
            const std::string name = (*it)[1];
            if (!name.ends_with("Response") && !name.ends_with("Result")) out.insert(name);
        }
    }
    return out;
}

TEST(Permissions, every_call_that_the_code_makes_is_listed) {
    std::set<std::string> names;
    std::set<std::string> actions = listed();
    actions.merge(actions_of(commitment_permissions()));
    for (const std::string& action : actions) names.insert(action.substr(action.find(':') + 1));
    std::set<std::string> calls = called();
    EXPECT_THAT(calls, Contains("CreateFleet"));
    EXPECT_EQ(calls.erase("GetCallerIdentity"), 1u) << "it needs no permission";
    for (const char* call : {"ListRuleNamesByTarget", "DescribeRule", "GetQueueAttributes"})
        EXPECT_EQ(calls.erase(call), 1u) << "only the doctor makes it, and does without where it may not";
    EXPECT_THAT(calls, IsSubsetOf(names));
    // What is not a call of its own.
    for (const char* action : {"TagInstanceProfile", "PassRole"}) names.erase(action);
    EXPECT_THAT(names, IsSubsetOf(calls)) << "nothing is asked for that nobody needs";
}

TEST(Permissions, the_policy_grants_what_is_listed_and_no_more) {
    EXPECT_EQ(granted(), listed());
    EXPECT_EQ(granted("commitments-policy.json"), actions_of(commitment_permissions()));
}

TEST(Permissions, the_policy_grants_nothing_that_karpenters_does_not) {
    const std::set<std::string> kKarpenters = {"ec2:RunInstances",
                                               "ec2:CreateFleet",
                                               "ec2:CreateLaunchTemplate",
                                               "ec2:CreateTags",
                                               "ec2:TerminateInstances",
                                               "ec2:DeleteLaunchTemplate",
                                               "ec2:RebootInstances",
                                               "ec2:DescribeCapacityReservations",
                                               "ec2:DescribeImages",
                                               "ec2:DescribeInstances",
                                               "ec2:DescribeInstanceStatus",
                                               "ec2:DescribeInstanceTypeOfferings",
                                               "ec2:DescribeInstanceTypes",
                                               "ec2:DescribeLaunchTemplates",
                                               "ec2:DescribePlacementGroups",
                                               "ec2:DescribeSecurityGroups",
                                               "ec2:DescribeSpotPriceHistory",
                                               "ec2:DescribeSubnets",
                                               "ssm:GetParameter",
                                               "pricing:GetProducts",
                                               "iam:ListInstanceProfiles",
                                               "iam:PassRole",
                                               "iam:GetInstanceProfile",
                                               "iam:CreateInstanceProfile",
                                               "iam:TagInstanceProfile",
                                               "iam:AddRoleToInstanceProfile",
                                               "iam:RemoveRoleFromInstanceProfile",
                                               "iam:DeleteInstanceProfile",
                                               "eks:DescribeCluster",
                                               "sqs:GetQueueUrl",
                                               "sqs:ReceiveMessage",
                                               "sqs:DeleteMessage",
                                               "arc-zonal-shift:GetManagedResource"};
    EXPECT_THAT(granted(), IsSubsetOf(kKarpenters));
}

// IAM counts no spaces.
TEST(Permissions, the_policy_fits_into_one) {
    EXPECT_THAT(policy().dump().size(), Lt(6144u));
}

}  // namespace
}  // namespace joiner::cloud::ec2
