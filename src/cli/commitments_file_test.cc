#include "cli/commitments_file.h"

#include <gmock/gmock.h>

namespace joiner::cli {
namespace {

using rules::Commitment;
using rules::CommitmentKind;
using testing::HasSubstr;

TEST(CommitmentsFile, has_every_kind) {
    const auto read = parse_commitments(R"(commitments:
- {name: z, kind: ZonalReservedInstances, instanceType: m5.large, zone: us-east-1a, count: 3, usedElsewhere: 1}
- {name: r, kind: RegionalReservedInstances, instanceType: m5.large, count: 2}
- {name: w, kind: RegionalReservedInstances, instanceType: m5.large, count: 2, os: windows, usedElsewhere: 5}
- {name: f, kind: EC2InstanceSavingsPlan, family: m5, dollarsPerHour: 1.5, rates: {m5.large: 0.06}}
- {name: c, kind: ComputeSavingsPlan, dollarsPerHour: 2, usedElsewhere: 0.5, discount: 0.28}
)",
                                        "file");
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 5u);
    const std::int64_t amounts[] = {2000, 8000, 0, 1'500'000'000, 1'500'000'000};
    const CommitmentKind kinds[] = {CommitmentKind::kZonalReserved, CommitmentKind::kRegionalReserved,
                                    CommitmentKind::kRegionalReserved, CommitmentKind::kFamilyPlan,
                                    CommitmentKind::kComputePlan};
    for (std::size_t i = 0; i < read->size(); ++i) {
        EXPECT_EQ((*read)[i].amount, amounts[i]) << (*read)[i].name;
        EXPECT_EQ((*read)[i].kind, kinds[i]) << (*read)[i].name;
    }
    EXPECT_EQ((*read)[0].zone, "us-east-1a");
    EXPECT_EQ((*read)[2].os, "windows");
    EXPECT_EQ((*read)[3].rates.at("m5.large"), rules::Money::from_dollars(0.06));
    EXPECT_EQ((*read)[4].discount, 0.28);
    EXPECT_TRUE(parse_commitments("", "file")->empty());
    EXPECT_TRUE(load_commitments("")->empty());
}

TEST(CommitmentsFile, says_what_is_wrong_and_where) {
    const std::pair<const char*, const char*> cases[] = {
        {"[", "file is no YAML"},
        {"plans: []", "file, line 1: the file has no field plans"},
        {"commitments: 3", "file, line 1: commitments must be a list"},
        {"commitments:\n- 3", "line 2: a commitment must be an object"},
        {"commitments:\n- {name: a}", "line 2: kind must be ZonalReservedInstances"},
        {"commitments:\n- {kind: ComputeSavingsPlan, dollarsPerHour: 1, discount: 0.1}", "name is missing"},
        {"commitments:\n- name: a\n  kind: ComputeSavingsPlan\n  zone: b",
         "line 4: ComputeSavingsPlan has no field zone; it may have name, kind"},
        {"commitments:\n- {name: a, name: a, kind: ComputeSavingsPlan}", "has the field name twice"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: 1}",
         "needs rates or a discount"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: x, discount: 0.1}",
         "dollarsPerHour must be a number of dollars an hour, 1000000 at most"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: nan, discount: 0.1}",
         "dollarsPerHour must be a number"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: 1, discount: 28}",
         "discount must be at least 0 and less than 1"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: 1, rates: {m5.large: 0}}",
         "the rate of m5.large must be more than 0"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, dollarsPerHour: 1, rates: [a]}",
         "rates must be an object"},
        {"commitments:\n- {name: a, kind: EC2InstanceSavingsPlan, dollarsPerHour: 1, discount: 0.1}",
         "family is missing"},
        {"commitments:\n- {name: a, kind: ZonalReservedInstances, instanceType: m5.large, count: 1}",
         "zone is missing"},
        {"commitments:\n- {name: a, kind: RegionalReservedInstances, instanceType: large, count: 1}",
         "instanceType must name a type"},
        {"commitments:\n- {name: a, kind: RegionalReservedInstances, instanceType: m5.large, count: 1.5}",
         "count must be a number of instances"},
        {"commitments:\n- {name: a, kind: RegionalReservedInstances, instanceType: m5.large, count: 1e30}",
         "count must be a number of instances"},
        {"commitments:\n- {name: a, kind: RegionalReservedInstances, instanceType: m5.large, count: nan}",
         "count must be a number of instances"},
        {"commitments:\n- {name: a, kind: RegionalReservedInstances, instanceType: m5.large}",
         "count must be a number of instances"},
        {"commitments:\n- {name: a, kind: ComputeSavingsPlan, os: bsd}", "os must be linux or windows"},
        {"commitments:\n- &a {name: a, kind: RegionalReservedInstances, instanceType: m5.large, count: 1}\n- "
         "*a",
         "the name a is given twice"},
    };
    for (const auto& [text, words] : cases) {
        const auto read = parse_commitments(text, "file");
        ASSERT_FALSE(read) << text;
        EXPECT_THAT(read.error().message, HasSubstr(words)) << text;
    }
}

}  // namespace
}  // namespace joiner::cli
