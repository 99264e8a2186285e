#include "cloud/ec2/aws/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ec2_error(const std::string& code, const std::string& message) {
    return "<Response><Errors><Error><Code>" + code + "</Code><Message>" + message +
           "</Message></Error></Errors><RequestID>r</RequestID></Response>";
}

class ClientTest : public ::testing::Test {
  protected:
    ClientTest() {
        client_ = std::make_unique<Client>(
            loop_, http_, Rng(1), *Endpoints::read({}, "us-east-1"),
            [this](const CredentialsDone& done) {
                ++fetches_;
                loop_.post([this, done] { done(fetched_); });
            },
            "joiner-test");
    }
    void send(bool is_repeatable = true) {
        Call call;
        call.name = "DescribeThings";
        call.body = "Action=DescribeThings";
        call.is_repeatable = is_repeatable;
        client_->send(call, [this](Answer<std::string> answer) { answers_.push_back(std::move(answer)); });
        loop_.run_ready();
    }
    // Answers each request alike until the call has ended; how many there were.
    std::size_t answer_all(int code, const std::string& body) {
        std::size_t count = 0;
        for (; answers_.empty() && count < 50; loop_.advance(seconds{1})) {
            if (http_.open_calls().empty()) continue;
            http_.answer(http_.open_calls().front(), code, body);
            ++count;
        }
        return count;
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    Result<Credentials> fetched_ = Credentials{"AKID", "the-secret", "the-token", std::nullopt};
    int fetches_ = 0;
    std::unique_ptr<Client> client_;
    std::vector<Answer<std::string>> answers_;
};

TEST_F(ClientTest, sends_what_is_signed_and_hands_the_body_on) {
    send();
    ASSERT_EQ(http_.open_calls().size(), 1u);
    const auto& call = http_.last_call();
    EXPECT_EQ(call.request.endpoint->base_url, "https://ec2.us-east-1.amazonaws.com");
    EXPECT_THAT(call.header("authorization"),
                HasSubstr("Credential=AKID/20270115/us-east-1/ec2/aws4_request"));
    EXPECT_EQ(call.header("x-amz-security-token"), "the-token");
    EXPECT_EQ(call.header("user-agent"), "joiner-test");
    http_.answer(http_.last(), 200, "<ok/>");
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_EQ(*answers_[0], "<ok/>");
}

TEST_F(ClientTest, what_is_away_is_asked_again_a_few_times) {
    send();
    EXPECT_EQ(answer_all(503, "<html>busy</html>"), 4u);
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_EQ(answers_[0].error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(answers_[0].error().message, HasSubstr("HTTP 503"));
    EXPECT_TRUE(answers_[0].error().may_be_done);
}

TEST_F(ClientTest, what_must_not_be_done_twice_is_sent_again_only_if_it_was_not_sent) {
    send(false);
    http_.fail_request(http_.last(), ErrorKind::kUnavailable, "the connection broke");
    loop_.advance(minutes{1});
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_TRUE(answers_[0].error().may_be_done);
    answers_.clear();
    send(false);
    http_.refuse(http_.last(), "no connection");
    loop_.advance(seconds{1});
    ASSERT_EQ(http_.open_calls().size(), 1u);
    http_.answer(http_.last(), 200, "done");
    EXPECT_TRUE(answers_.at(0));
}

TEST_F(ClientTest, a_mistake_is_not_repeated_and_said_in_awss_words) {
    send();
    EXPECT_EQ(answer_all(400, ec2_error("InvalidParameterValue", "no such thing")), 1u);
    EXPECT_EQ(answers_[0].error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(answers_[0].error().message, "ec2 DescribeThings: InvalidParameterValue: no such thing");
}

TEST_F(ClientTest, a_refusal_names_the_kind_and_no_secret) {
    const std::pair<const char*, ErrorKind> kCases[] = {
        {"UnauthorizedOperation", ErrorKind::kForbidden},
        {"SignatureDoesNotMatch", ErrorKind::kForbidden},
        {"InvalidInstanceID.NotFound", ErrorKind::kNotFound},
        {"IdempotentParameterMismatch", ErrorKind::kConflict},
    };
    for (const auto& [code, kind] : kCases) {
        answers_.clear();
        send();
        answer_all(400, ec2_error(code, "seen: AKID the-secret x-amz-security-token:the-token end"));
        ASSERT_EQ(answers_.size(), 1u);
        EXPECT_EQ(answers_[0].error().kind, kind);
        EXPECT_THAT(answers_[0].error().message, HasSubstr(code));
        for (const char* secret : {"AKID", "the-secret", "the-token"}) {
            EXPECT_THAT(answers_[0].error().message, Not(HasSubstr(secret)));
            EXPECT_THAT(answers_[0].error().details, Not(HasSubstr(secret)));
        }
    }
}

TEST_F(ClientTest, expired_credentials_are_fetched_anew_once) {
    send();
    EXPECT_EQ(fetches_, 1);
    fetched_->access_key = "AKID2";
    loop_.advance(seconds{5});
    http_.answer(http_.last(), 400, ec2_error("RequestExpired", "too old"));
    loop_.run_ready();
    EXPECT_EQ(fetches_, 2);
    ASSERT_EQ(http_.open_calls().size(), 1u);
    EXPECT_THAT(http_.last_call().header("authorization"), HasSubstr("Credential=AKID2/"));
    http_.answer(http_.last(), 400, ec2_error("RequestExpired", "too old"));
    loop_.run_ready();
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_EQ(answers_[0].error().kind, ErrorKind::kForbidden);
}

TEST_F(ClientTest, a_wrong_clock_is_set_by_awss_once_and_for_all_calls) {
    send();
    send();
    const auto refuse = [&](io::RequestId id, const char* code) {
        io::HttpResponse answer{403, ec2_error(code, "not yet current"), "", 0};
        answer.server_time = loop_.now() + hours{1};
        http_.answer_with(id, std::move(answer));
        loop_.run_ready();
    };
    const std::vector<io::RequestId> first = http_.open_calls();
    refuse(first[0], "SignatureDoesNotMatch");
    refuse(first[1], "RequestExpired");
    EXPECT_EQ(fetches_, 1) << "the credentials are right";
    const std::vector<io::RequestId> again = http_.open_calls();
    ASSERT_EQ(again.size(), 2u);
    for (const io::RequestId id : again) EXPECT_EQ(http_.call(id).header("x-amz-date"), "20270115T090000Z");
    refuse(again[0], "SignatureDoesNotMatch");
    EXPECT_EQ(http_.open_calls().size(), 1u) << "the clock is right by now: it is the key";
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_EQ(answers_[0].error().kind, ErrorKind::kForbidden);
    send();
    EXPECT_EQ(http_.last_call().header("x-amz-date"), "20270115T090000Z");
}

TEST_F(ClientTest, a_refusal_by_a_clock_like_ours_is_about_the_key) {
    send();
    io::HttpResponse answer{403, ec2_error("SignatureDoesNotMatch", "no"), "", 0};
    answer.server_time = loop_.now() + minutes{3};
    http_.answer_with(http_.last(), std::move(answer));
    ASSERT_EQ(answers_.size(), 1u);
}

TEST_F(ClientTest, throttling_slows_the_calls_of_that_kind_and_passes) {
    for (int i = 0; i < 10; ++i) send();
    for (const io::RequestId id : http_.open_calls())
        http_.answer(id, 503, ec2_error("RequestLimitExceeded", "slow down"));
    const std::size_t before = http_.calls.size();
    loop_.advance(milliseconds{300});
    EXPECT_EQ(http_.calls.size(), before) << "no storm of retries";
    for (int second = 0; second < 60 && answers_.size() < 10; ++second) {
        loop_.advance(seconds{1});
        const std::vector<io::RequestId> open = http_.open_calls();
        EXPECT_LE(open.size(), 10u);
        for (const io::RequestId id : open) http_.answer(id, 200, "ok");
    }
    EXPECT_EQ(answers_.size(), 10u);
    for (const auto& answer : answers_) EXPECT_TRUE(answer);
    EXPECT_EQ(client_->counts().at("ec2:DescribeThings").throttled, 10);
}

TEST_F(ClientTest, retries_have_a_budget_that_all_calls_share) {
    for (int i = 0; i < 400; ++i) send();
    for (int second = 0; second < 120 && answers_.size() < 400; ++second) {
        for (const io::RequestId id : http_.open_calls()) http_.answer(id, 500, "");
        loop_.advance(seconds{1});
    }
    EXPECT_EQ(answers_.size(), 400u);
    EXPECT_EQ(http_.calls.size(), 500u) << "a hundred retries, and no more";
}

TEST_F(ClientTest, without_credentials_the_call_fails_and_says_why) {
    fetched_ = fail(ErrorKind::kForbidden, "the role may not be assumed");
    send();
    loop_.advance(seconds{1});
    ASSERT_EQ(answers_.size(), 1u);
    EXPECT_EQ(answers_[0].error().message, "ec2 DescribeThings: the role may not be assumed");
    EXPECT_TRUE(http_.calls.empty());
}

TEST(Pace, falls_with_complaints_and_grows_without) {
    Pace pace;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pace.take(milliseconds{10} * i), milliseconds{10} * i);
    EXPECT_FALSE(pace.rate());
    pace.throttled(milliseconds{500});
    pace.throttled(milliseconds{600});  // Of the same second: one complaint.
    ASSERT_TRUE(pace.rate());
    EXPECT_NEAR(*pace.rate(), 14, 0.01);
    const Duration first = pace.take(seconds{1});
    EXPECT_GT(pace.take(seconds{1}), first);
    for (int i = 0; i < 20; ++i) pace.succeeded(seconds{10 + 2 * i});
    EXPECT_FALSE(pace.rate());
    for (int i = 0; i < 100; ++i) pace.throttled(minutes{10} + seconds{i});
    EXPECT_GE(*pace.rate(), 0.5) << "never to a standstill";
}

}  // namespace
}  // namespace joiner::cloud::ec2::aws
