#include "cloud/ec2/launch/launch_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/ec2_bench.h"
#include "cloud/ec2/testing/test_client.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class LaunchTemplatesTest : public ::testing::Test {
  protected:
    static LaunchTemplateRequest request(const std::string& name, const std::string& cluster = "test") {
        LaunchTemplateRequest out;
        out.name = name;
        out.tags = {{std::string(kClusterTag), cluster},
                    {std::string(kPoolTag), "default"},
                    {std::string(kClassLabel), "class-of-" + name}};
        return out;
    }
    void ensure(const std::string& name) {
        templates_->ensure({request(name)}, [this](const aws::Answer<void>& answer) {
            if (answer) ++ensured_;
        });
    }
    // As the provider does it, for so long.
    void sweep_for(Duration span) {
        for (Duration left = span; left > Duration{0}; left -= seconds{10}) {
            templates_->sweep();
            loop_.advance(seconds{10});
        }
    }
    std::vector<std::string> there() const {
        std::vector<std::string> out;
        for (const auto& [name, fields] : fake_.templates) out.push_back(name);
        return out;
    }
    void restart() { templates_ = std::make_unique<LaunchTemplates>(loop_, ec2_, "test"); }

    io::testing::ManualLoop loop_;
    testing::FakeEc2 fake_{loop_};
    aws::Client client_ = aws::test_client(loop_, fake_);
    Ec2 ec2_{client_};
    std::unique_ptr<LaunchTemplates> templates_ = std::make_unique<LaunchTemplates>(loop_, ec2_, "test");
    int ensured_ = 0;
};

TEST_F(LaunchTemplatesTest, what_nobody_uses_goes_and_what_is_used_stays) {
    ensure("a");
    ensure("b");
    for (int i = 0; i < 30; ++i) {
        sweep_for(seconds{10});
        ensure("b");
    }
    EXPECT_THAT(there(), UnorderedElementsAre("b"));
    EXPECT_EQ(fake_.calls["CreateLaunchTemplate"], 2);
}

TEST_F(LaunchTemplatesTest, where_there_can_be_none_nobody_asks) {
    sweep_for(minutes{10});
    EXPECT_EQ(fake_.calls["DescribeLaunchTemplates"], 1) << "for those of a process before us";
    ensure("a");
    sweep_for(minutes{30});
    EXPECT_THAT(there(), SizeIs(0));
    EXPECT_LE(fake_.calls["DescribeLaunchTemplates"], 3);
}

TEST_F(LaunchTemplatesTest, those_of_a_former_process_go_and_those_of_another_cluster_stay) {
    ensure("a");
    templates_->ensure({request("b", "another")}, [](const aws::Answer<void>&) {});
    loop_.advance(seconds{1});
    restart();
    sweep_for(seconds{50});
    EXPECT_THAT(there(), SizeIs(2)) << "somebody may have made it a moment ago";
    sweep_for(minutes{2});
    EXPECT_THAT(there(), UnorderedElementsAre("b"));
}

TEST_F(LaunchTemplatesTest, none_goes_while_one_is_being_made) {
    ensure("a");
    sweep_for(minutes{1});
    fake_.faults.slow = minutes{5};
    ensure("b");
    sweep_for(minutes{4});
    EXPECT_EQ(fake_.calls["DeleteLaunchTemplate"], 0);
}

TEST_F(LaunchTemplatesTest, one_that_is_going_is_made_again_for_who_wants_it) {
    ensure("a");
    sweep_for(seconds{50});
    fake_.faults.slow = seconds{7};
    while (fake_.calls["DeleteLaunchTemplate"] == 0) sweep_for(seconds{10});
    ensured_ = 0;
    ensure("a");
    loop_.advance(seconds{1});
    EXPECT_EQ(fake_.calls["CreateLaunchTemplate"], 1) << "it waits for the deletion";
    loop_.advance(seconds{20});
    EXPECT_EQ(ensured_, 1);
    EXPECT_THAT(there(), SizeIs(1));
}

TEST_F(LaunchTemplatesTest, with_the_class_all_of_its_own_go_at_once) {
    ensure("a");
    ensure("b");
    loop_.advance(seconds{1});
    bool is_done = false;
    templates_->remove_all("class-of-a",
                           [&](const aws::Answer<void>& answer) { is_done = answer.has_value(); });
    loop_.advance(seconds{1});
    EXPECT_TRUE(is_done);
    EXPECT_THAT(there(), UnorderedElementsAre("b"));
}

}  // namespace
}  // namespace joiner::cloud::ec2
