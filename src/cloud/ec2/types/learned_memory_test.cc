#include "cloud/ec2/types/learned_memory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;
using testing::Ec2Bench;
using ::testing::SizeIs;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

api::NodeClass class_that_remembers(std::string text) {
    api::NodeClass out;
    out.meta.name = "default";
    out.meta.annotations[std::string(kLearnedMemoryAnnotation)] = std::move(text);
    return out;
}

TEST(LearnedMemory, the_least_that_a_node_said_counts_for_its_type_and_image) {
    LearnedMemory memory;
    EXPECT_TRUE(memory.note("default", "m5.large", "ami-1", 100));
    EXPECT_FALSE(memory.note("default", "m5.large", "ami-1", 101));
    EXPECT_TRUE(memory.note("default", "m5.large", "ami-1", 99));
    EXPECT_TRUE(memory.note("default", "m5.large", "ami-2", 200));
    EXPECT_TRUE(memory.note("other", "m5.large", "ami-1", 300));
    EXPECT_EQ(memory.of("default").at({"m5.large", "ami-1"}), 99);
    EXPECT_EQ(memory.written("default"), "m5.large ami-1 99,m5.large ami-2 200");
    EXPECT_EQ(memory.version(), 4);
    EXPECT_EQ(memory.written("nobody"), "");
}

TEST(LearnedMemory, those_learned_first_go_when_there_are_too_many) {
    LearnedMemory memory;
    for (std::size_t i = 0; i <= LearnedMemory::kMostEntries; ++i)
        memory.note("default", fmt::format("t{}", i), "ami-1", 100);
    EXPECT_THAT(memory.of("default"), SizeIs(LearnedMemory::kMostEntries));
    EXPECT_FALSE(memory.of("default").contains({"t0", "ami-1"}));
    EXPECT_TRUE(memory.written("default").starts_with("t1 ami-1 100,"));
}

TEST(LearnedMemory, what_is_not_as_it_should_be_in_the_annotation_is_left_out) {
    struct Case {
        const char* text;
        const char* want;
    };
    const std::string long_word(65, 'x');
    const std::string with_long_word = long_word + " ami-1 5";
    for (const Case& each :
         {Case{"m5.large ami-1 100,c5.large ami-1 50", "m5.large ami-1 100,c5.large ami-1 50"}, Case{"", ""},
          Case{",,,", ""}, Case{"m5.large ami-1", ""}, Case{"m5.large ami-1 12x", ""},
          Case{"m5.large ami-1 -5", ""}, Case{"m5.large ami-1 99999999999999999999", ""},
          Case{"m5.large  100", ""}, Case{"nonsense,c5.large ami-1 50", "c5.large ami-1 50"},
          Case{with_long_word.c_str(), ""}}) {
        LearnedMemory memory;
        memory.read(class_that_remembers(each.text));
        EXPECT_EQ(memory.written("default"), each.want) << each.text;
    }
    LearnedMemory memory;
    memory.read(class_that_remembers(std::string(1 << 20, ',') + "m5.large ami-1 100"));
    EXPECT_EQ(memory.written("default"), "");
}

TEST(LearnedMemory, is_believed_between_half_of_what_ec2_says_and_all_of_it) {
    InstanceTypeInfo info;
    info.memory_mib = 8192;
    EXPECT_TRUE(is_likely_memory(info, 8 * kGiB));
    EXPECT_FALSE(is_likely_memory(info, 8 * kGiB + 1));
    EXPECT_TRUE(is_likely_memory(info, 4 * kGiB));
    EXPECT_FALSE(is_likely_memory(info, 4 * kGiB - 1));
}

struct LearningBench : Ec2Bench {
    LearningBench() { start(); }
    // The built-in table stands for types that nobody describes.
    void start() {
        provider().instance_types({}, &node_class);
        loop().advance(minutes{1});
    }
    bool show(std::int64_t bytes, const std::string& image = "ami-1") {
        api::NodeClaim claim;
        claim.meta.name = "a";
        claim.meta.labels[std::string(api::kInstanceTypeLabel)] = "m5.large";
        claim.image_id = image;
        claim.node_class = node_class.reference();
        api::Node node;
        node.capacity["memory"] = Quantity::of_units(bytes);
        return provider().note_node(claim, node);
    }
    InstanceTypes types_now() { return provider().instance_types({}, &node_class).value_or(nullptr); }
    std::int64_t memory_of(std::string_view name) {
        for (const rules::InstanceType& type : *types_now())
            if (type.name == name) return type.capacity.memory_bytes;
        return 0;
    }
    std::string annotation() {
        const auto wanted = reconcile();
        return std::string(api::find_or_empty(wanted->annotations, kLearnedMemoryAnnotation));
    }
};

TEST(LearnedMemory, plans_go_by_what_a_node_said_and_hear_of_it) {
    LearningBench bench;
    EXPECT_EQ(bench.memory_of("m5.large"), std::int64_t{7577} << 20);
    const std::int64_t other = bench.memory_of("m5.xlarge");
    const int heard = bench.reports.offers;
    const std::int64_t said = 8 * kGiB - (200 << 20);
    EXPECT_TRUE(bench.show(said));
    EXPECT_EQ(bench.reports.offers, heard + 1);
    EXPECT_EQ(bench.memory_of("m5.large"), said);
    EXPECT_EQ(bench.memory_of("m5.xlarge"), other);
    EXPECT_TRUE(bench.show(said + 1));
    EXPECT_EQ(bench.memory_of("m5.large"), said);
    EXPECT_TRUE(bench.show(kGiB)) << "no m5.large has so little, and it is not to be asked about again";
    EXPECT_EQ(bench.memory_of("m5.large"), said);
    EXPECT_EQ(bench.reports.offers, heard + 1);
}

TEST(LearnedMemory, of_an_image_that_new_nodes_do_not_get_changes_no_plan) {
    LearningBench bench;
    const InstanceTypes before = bench.types_now();
    const int heard = bench.reports.offers;
    EXPECT_TRUE(bench.show(7 * kGiB, "ami-old"));
    EXPECT_EQ(bench.types_now(), before);
    EXPECT_EQ(bench.reports.offers, heard);
}

TEST(LearnedMemory, is_kept_in_the_class_over_a_restart_and_changes_neither_hash_nor_drift) {
    LearningBench bench;
    const auto before = bench.reconcile();
    EXPECT_FALSE(before->annotations.contains(std::string(kLearnedMemoryAnnotation)));
    bench.show(7 * kGiB);
    const auto after = bench.reconcile();
    EXPECT_EQ(api::find_or_empty(after->annotations, kLearnedMemoryAnnotation), "m5.large ami-1 7516192768");
    EXPECT_EQ(api::find_or_empty(after->annotations, kHashAnnotation),
              api::find_or_empty(before->annotations, kHashAnnotation));
    bench.node_class.meta.annotations = after->annotations;
    bench.restart();
    EXPECT_FALSE(bench.show(7 * kGiB)) << "types are not known yet, and the node is to be shown again";
    bench.start();
    EXPECT_EQ(bench.memory_of("m5.large"), 7 * kGiB);
    EXPECT_EQ(bench.annotation(), "m5.large ami-1 7516192768");
}

}  // namespace
}  // namespace joiner::cloud::ec2
