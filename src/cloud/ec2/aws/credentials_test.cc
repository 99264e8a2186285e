// Where credentials come from, and how they are kept fresh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cloud/ec2/aws/credential_keeper.h"
#include "cloud/ec2/aws/credential_plan.h"
#include "cloud/ec2/aws/credential_source.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

// The plan in a few words.
std::string words(const Result<CredentialPlan>& plan) {
    if (!plan) return "error: " + plan.error().message;
    if (const auto* keys = std::get_if<Credentials>(&plan->from)) return "keys " + keys->access_key;
    if (const auto* web = std::get_if<WebIdentity>(&plan->from))
        return "web " + web->token_file + " " + web->role_arn + " " + web->session_name;
    if (const auto* role = std::get_if<AssumedRole>(&plan->from))
        return "role " + role->role_arn + " by " + words(*role->source);
    if (const auto* near = std::get_if<ContainerEndpoint>(&plan->from))
        return "container " + near->base_url + near->target;
    return "metadata " + std::get<InstanceMetadata>(plan->from).base_url;
}

TEST(CredentialPlan, is_chosen_as_awss_sdk_for_go_chooses) {
    using Variables = std::map<std::string, std::string>;
    const struct {
        const char* name;
        Variables variables;
        const char* config;
        const char* plan;
    } kCases[] = {
        {"nothing at all", {}, "", "metadata http://169.254.169.254"},
        {"keys", {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "s"}}, "", "keys A"},
        {"half a key counts for nothing",
         {{"AWS_ACCESS_KEY_ID", "A"}},
         "",
         "metadata http://169.254.169.254"},
        {"a named profile goes before keys",
         {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_PROFILE", "p"}},
         "[profile p]\naws_access_key_id=B\naws_secret_access_key=t\n",
         "keys B"},
        {"keys go before the default profile",
         {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "s"}},
         "[default]\naws_access_key_id=B\naws_secret_access_key=t\n",
         "keys A"},
        {"IRSA",
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn:r"}},
         "",
         "web /t arn:r joiner"},
        {"IRSA without a role",
         {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}},
         "",
         "error: AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN: set both or none"},
        {"Pod Identity",
         {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"}},
         "",
         "container http://169.254.170.23/v1/credentials"},
        {"ECS",
         {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}},
         "",
         "container http://169.254.170.2/v2/x"},
        {"a plain address elsewhere",
         {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x"}},
         "",
         "error: AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine"},
        {"a role by another profile",
         {{"AWS_PROFILE", "p"}},
         "[profile p]\nrole_arn=arn:r\nsource_profile=q\n[profile "
         "q]\naws_access_key_id=B\naws_secret_access_key=t\n",
         "role arn:r by keys B"},
        {"a role by the machine's",
         {{"AWS_PROFILE", "p"}},
         "[profile p]\nrole_arn=arn:r\ncredential_source=Ec2InstanceMetadata\n",
         "role arn:r by metadata http://169.254.169.254"},
        {"a profile that is its own source",
         {{"AWS_PROFILE", "p"}},
         "[profile p]\nrole_arn=arn:r\nsource_profile=p\naws_access_key_id=B\naws_secret_access_key=t\n",
         "role arn:r by keys B"},
        {"profiles in a circle",
         {{"AWS_PROFILE", "p"}},
         "[profile p]\nrole_arn=a\nsource_profile=q\n[profile q]\nrole_arn=b\nsource_profile=p\n",
         "error: the AWS profile \"p\" leads through too many others"},
        {"an unknown profile", {{"AWS_PROFILE", "p"}}, "", "error: there is no AWS profile \"p\""},
        {"a profile without keys",
         {{"AWS_PROFILE", "p"}},
         "[profile p]\nregion=x\n",
         "metadata http://169.254.169.254"},
        {"metadata elsewhere",
         {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:5000/"}},
         "",
         "metadata http://127.0.0.1:5000"},
    };
    for (const auto& each : kCases) {
        SCOPED_TRACE(each.name);
        Environment environment;
        environment.variables = each.variables;
        environment.files = *parse_profile_files(each.config, "");
        EXPECT_EQ(words(plan_credentials(environment)), each.plan);
    }
}

class SourceTest : public ::testing::Test {
  protected:
    Result<Credentials> fetch(CredentialPlan plan) {
        CredentialSource source(loop_, http_, *Endpoints::read({}, "eu-west-1"), std::move(plan));
        std::optional<Result<Credentials>> out;
        source.fetch([&](Result<Credentials> fetched) { out = std::move(fetched); });
        loop_.run_ready();
        return out.value_or(fail(ErrorKind::kInternal, "no answer"));
    }
    void answer_with(int code, const std::string& body) {
        http_.responder = [code, body](const io::HttpRequest&) {
            return io::HttpResponse{code, body, "", 0};
        };
    }
    std::string token_file(const std::string& text) {
        const std::string path = ::testing::TempDir() + "/joiner_token";
        std::ofstream(path) << text;
        return path;
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
};

constexpr const char* kStsAnswer =
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</"
    "AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2027-01-15T09:00:00Z"
    "</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

TEST_F(SourceTest, a_web_identity_is_exchanged_unsigned) {
    answer_with(200, kStsAnswer);
    const auto fetched = fetch({WebIdentity{token_file("the+token\n"), "arn:aws:iam::1:role/r", "joiner"}});
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(*fetched, (Credentials{"A", "s", "t", *parse_rfc3339("2027-01-15T09:00:00Z")}));
    const auto& call = http_.last_call();
    EXPECT_EQ(call.request.endpoint->base_url, "https://sts.eu-west-1.amazonaws.com");
    EXPECT_THAT(call.request.body, HasSubstr("WebIdentityToken=the%2Btoken"));
    EXPECT_EQ(call.header("authorization"), "");
}

TEST_F(SourceTest, a_refused_token_is_not_told) {
    answer_with(400,
                "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>the+token is "
                "bad</Message></Error></ErrorResponse>");
    const auto fetched = fetch({WebIdentity{token_file("the+token"), "arn:r", "joiner"}});
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().kind, ErrorKind::kForbidden);
    EXPECT_THAT(fetched.error().message, HasSubstr("InvalidIdentityToken"));
    EXPECT_THAT(fetched.error().message, ::testing::Not(HasSubstr("the+token")));
}

TEST_F(SourceTest, a_role_is_assumed_by_the_sources_credentials) {
    answer_with(200, kStsAnswer);
    const auto source = std::make_shared<const CredentialPlan>(CredentialPlan{Credentials{"B", "u", "", {}}});
    ASSERT_TRUE(fetch({AssumedRole{source, "arn:r", "joiner", "x y"}}));
    EXPECT_THAT(http_.last_call().header("authorization"), HasSubstr("Credential=B/"));
    EXPECT_THAT(http_.last_call().request.body, HasSubstr("ExternalId=x%20y"));
}

TEST_F(SourceTest, a_role_is_assumed_by_awss_clock_where_ours_is_wrong) {
    int asked = 0;
    http_.responder = [&](const io::HttpRequest&) {
        io::HttpResponse out{200, kStsAnswer, "", 0};
        if (++asked == 1) {
            out.code = 403;
            out.body = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>";
            out.server_time = loop_.now() - hours{3};
        }
        return out;
    };
    const auto source = std::make_shared<const CredentialPlan>(CredentialPlan{Credentials{"B", "u", "", {}}});
    ASSERT_TRUE(fetch({AssumedRole{source, "arn:r", "joiner", ""}}));
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(http_.last_call().header("x-amz-date"), "20270115T050000Z");
}

constexpr const char* kJsonAnswer =
    R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"t","Expiration":"2027-01-15T09:00:00Z"})";

TEST_F(SourceTest, a_pods_endpoint_is_asked_with_the_token_of_the_file) {
    answer_with(200, kJsonAnswer);
    const auto fetched =
        fetch({ContainerEndpoint{"http://169.254.170.23", "/v1/credentials", "", token_file("pod-token\n")}});
    ASSERT_TRUE(fetched);
    EXPECT_EQ(fetched->access_key, "A");
    EXPECT_EQ(http_.last_call().header("Authorization"), "pod-token");
}

TEST_F(SourceTest, the_machine_is_asked_by_a_token_for_its_role) {
    http_.responder = [](const io::HttpRequest& request) {
        if (request.method == "PUT") return io::HttpResponse{200, "imds-token", "", 0};
        if (request.target.ends_with('/')) return io::HttpResponse{200, "node-role", "", 0};
        return io::HttpResponse{200, kJsonAnswer, "", 0};
    };
    ASSERT_TRUE(fetch({InstanceMetadata{"http://169.254.169.254"}}));
    EXPECT_EQ(http_.last_call().request.target, "/latest/meta-data/iam/security-credentials/node-role");
    EXPECT_EQ(http_.last_call().header("X-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(SourceTest, an_answer_that_is_none_is_an_error) {
    for (const char* body : {"", "<html>hello</html>", "{}", "[1]", R"({"AccessKeyId":1})"}) {
        answer_with(200, body);
        EXPECT_FALSE(fetch({ContainerEndpoint{"http://169.254.170.2", "/x", "", ""}})) << body;
        EXPECT_FALSE(fetch({WebIdentity{token_file("t"), "arn:r", "joiner"}})) << body;
    }
}

class KeeperTest : public ::testing::Test {
  protected:
    void use() {
        keeper_.use([this](Result<Credentials> used) { used_.push_back(std::move(used)); });
        loop_.run_ready();
    }
    void answer(Result<Credentials> fetched) {
        CredentialsDone done = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        done(std::move(fetched));
    }
    Credentials lasting(const std::string& key, Duration life) { return {key, "s", "t", loop_.now() + life}; }

    io::testing::ManualLoop loop_;
    std::vector<CredentialsDone> waiting_;
    ServerClock clock_{loop_};
    CredentialKeeper keeper_{loop_, clock_, Rng(1),
                             [this](CredentialsDone done) { waiting_.push_back(std::move(done)); }};
    std::vector<Result<Credentials>> used_;
};

TEST_F(KeeperTest, all_who_wait_get_what_one_fetch_brings) {
    use();
    use();
    ASSERT_EQ(waiting_.size(), 1u);
    answer(lasting("A", hours{1}));
    ASSERT_EQ(used_.size(), 2u);
    EXPECT_EQ(used_[1]->access_key, "A");
}

TEST_F(KeeperTest, the_old_ones_serve_while_newer_ones_are_fetched) {
    use();
    answer(lasting("A", hours{1}));
    loop_.advance(minutes{51});
    use();
    EXPECT_EQ(waiting_.size(), 1u) << "renewal begins ten minutes before the end";
    ASSERT_EQ(used_.size(), 2u);
    EXPECT_EQ(used_[1]->access_key, "A");
    answer(fail(ErrorKind::kUnavailable, "away"));
    loop_.advance(seconds{30});
    use();
    EXPECT_EQ(used_.back()->access_key, "A");
    ASSERT_EQ(waiting_.size(), 1u);
    answer(lasting("B", hours{1}));
    use();
    EXPECT_EQ(used_.back()->access_key, "B");
}

TEST_F(KeeperTest, none_are_used_beyond_their_end) {
    use();
    answer(lasting("A", minutes{1}));
    loop_.advance(minutes{2});
    use();
    ASSERT_EQ(used_.size(), 1u) << "it waits";
    answer(fail(ErrorKind::kForbidden, "the role is gone"));
    ASSERT_EQ(used_.size(), 2u);
    EXPECT_EQ(used_[1].error().message, "the role is gone");
    use();
    ASSERT_EQ(used_.size(), 3u) << "in the pause after a failure the answer comes at once";
    EXPECT_FALSE(used_[2]);
    EXPECT_TRUE(waiting_.empty());
}

TEST_F(KeeperTest, refused_ones_are_fetched_anew_and_lasting_ones_are_kept) {
    use();
    answer(Credentials{"A", "s", "", std::nullopt});
    loop_.advance(hours{100});
    use();
    EXPECT_TRUE(waiting_.empty());
    keeper_.refused(*used_.back());
    use();
    EXPECT_EQ(waiting_.size(), 1u);
}

}  // namespace
}  // namespace joiner::cloud::ec2::aws
