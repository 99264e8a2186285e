#include "cloud/ec2/classes/cluster_discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class ClusterDiscoveryTest : public ::testing::Test {
  protected:
    ClusterDiscoveryTest() {
        http_.responder = [this](const io::HttpRequest&) {
            ++eks_asked_;
            return io::HttpResponse{
                200,
                fmt::format(R"({{"cluster":{{"endpoint":"https://c","certificateAuthority":{{"data":"Y2E="}},
                    "version":"{}","kubernetesNetworkConfig":{{"serviceIpv4Cidr":"10.0.0.0/16"}}}}}})",
                            eks_version_),
                "", 0};
        };
    }
    ClusterDiscovery make() {
        return {loop_, eks_, settings_, [this](const std::function<void(Result<std::string>)>& done) {
                    ++server_asked_;
                    loop_.post([this, done] { done(server_version_); });
                }};
    }
    void look(ClusterDiscovery& discovery) {
        bool is_done = false;
        discovery.look([&] { is_done = true; });
        loop_.advance(seconds{1});
        EXPECT_TRUE(is_done);
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    aws::Client client_ = aws::test_client(loop_, http_);
    Eks eks_{client_};
    Settings settings_{.cluster_name = "test"};
    Result<std::string> server_version_ = std::string("1.34");
    std::string eks_version_ = "1.33";
    int server_asked_ = 0;
    int eks_asked_ = 0;
};

TEST_F(ClusterDiscoveryTest, the_version_is_the_api_servers_and_follows_an_upgrade) {
    ClusterDiscovery discovery = make();
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.34");
    EXPECT_EQ(settings_.cluster_endpoint, "https://c");
    server_version_ = std::string("1.35");
    loop_.advance(minutes{4});
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.34");
    EXPECT_EQ(server_asked_, 1);
    loop_.advance(minutes{1});
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.35");
    EXPECT_EQ(eks_asked_, 1) << "what does not change is not asked for again";
    server_version_ = fail(ErrorKind::kUnavailable, "away");
    loop_.advance(minutes{6});
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.35") << "what cannot be asked for stays as it was";
}

TEST(ServerVersion, is_the_minor_whatever_stands_behind_it) {
    EXPECT_EQ(*read_server_version(R"({"major":"1","minor":"34+","gitVersion":"v1.34.1-eks-1"})"), "1.34");
    EXPECT_EQ(*read_server_version(R"({"major":"1","minor":"9"})"), "1.9");
    for (const char* body : {"", "{}", "[]", R"({"major":"1","minor":"x"})", R"({"major":1,"minor":2})"})
        EXPECT_FALSE(read_server_version(body)) << body;
}

TEST_F(ClusterDiscoveryTest, of_an_eks_control_plane_it_is_eks_that_says) {
    settings_.eks_control_plane = true;
    ClusterDiscovery discovery = make();
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.33");
    eks_version_ = "1.34";
    loop_.advance(minutes{6});
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.34");
    EXPECT_EQ(server_asked_, 0);
}

TEST_F(ClusterDiscoveryTest, what_the_settings_say_is_not_asked_for) {
    settings_ = {.cluster_name = "test",
                 .cluster_endpoint = "https://mine",
                 .cluster_ca = "Y2E=",
                 .service_cidr = "10.1.0.0/16",
                 .kubernetes = "1.30"};
    ClusterDiscovery discovery = make();
    look(discovery);
    loop_.advance(minutes{10});
    look(discovery);
    EXPECT_EQ(settings_.kubernetes, "1.30");
    EXPECT_EQ(settings_.cluster_endpoint, "https://mine");
    EXPECT_EQ(server_asked_ + eks_asked_, 0);
}

}  // namespace
}  // namespace joiner::cloud::ec2
