#include "control/page_guard.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "kube/testing/kube_bench.h"

namespace joiner::control {
namespace {

using testing::HasSubstr;

constexpr const char* kTokenPath = "/apis/authentication.k8s.io/v1/tokenreviews";
constexpr const char* kAccessPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr const char* kKnown =
    R"({"status":{"authenticated":true,"user":{"username":"jane","uid":"7","groups":["dev"],"extra":{"x":["y"]}}}})";

struct Bench {
    io::testing::ManualLoop loop;
    io::testing::ScriptedHttp http{loop};
    kube::Client client{loop, http, kube::testing::plain_config(), {}};
    bool leads = true;
    PageGuard guard{loop, client, [this] { return leads; }};
    std::string token_answer = kKnown;
    std::string access_answer = R"({"status":{"allowed":true}})";
    int code = 201;

    Bench() {
        http.responder = [this](const io::HttpRequest& request) -> std::optional<Result<io::HttpResponse>> {
            if (request.target == kTokenPath) return answer(token_answer);
            if (request.target == kAccessPath) return answer(access_answer);
            return std::nullopt;
        };
    }
    io::HttpResponse answer(const std::string& body) const {
        io::HttpResponse out;
        out.code = code;
        out.body = body;
        return out;
    }
    PageGuard::Access ask(const std::string& token) {
        PageGuard::Access out{0, ""};
        guard.ask(token, [&](const PageGuard::Access& access) { out = access; });
        loop.advance(std::chrono::seconds{5});
        return out;
    }
    std::string asked(std::size_t call) const { return http.calls.at(call).request.body; }
};

TEST(PageGuard, who_is_known_and_allowed_may_look) {
    Bench b;
    EXPECT_EQ(b.ask("secret").code, 200);
    ASSERT_EQ(b.http.calls.size(), 2u);
    EXPECT_EQ(nlohmann::json::parse(b.asked(0))["spec"], (nlohmann::json{{"token", "secret"}}));
    const auto spec = nlohmann::json::parse(b.asked(1))["spec"];
    EXPECT_EQ(spec["user"], "jane");
    EXPECT_EQ(spec["uid"], "7");
    EXPECT_EQ(spec["groups"], (nlohmann::json{"dev"}));
    EXPECT_EQ(spec["extra"]["x"][0], "y");
    EXPECT_EQ(spec["nonResourceAttributes"], (nlohmann::json{{"path", "/page"}, {"verb", "get"}}));
}

TEST(PageGuard, refusals) {
    struct Case {
        const char* name;
        std::string token;
        std::string token_answer;
        std::string access_answer;
        int api_code;
        bool leads;
        int code;
        const char* sentence;
    };
    const std::string allowed = R"({"status":{"allowed":true}})";
    const Case cases[] = {
        {"no token", "", kKnown, allowed, 201, true, 401, "kubectl create token"},
        {"a token without end", std::string(20'000, 'x'), kKnown, allowed, 201, true, 401, "bearer token"},
        {"a token nobody knows", "t", R"({"status":{"authenticated":false}})", allowed, 201, true, 401,
         "does not know this token"},
        {"an answer without a user", "t", R"({"status":{"authenticated":true}})", allowed, 201, true, 401,
         "know"},
        {"no answer at all", "t", "nonsense", allowed, 201, true, 401, "know"},
        {"a user that may not", "t", kKnown, R"({"status":{"allowed":false}})", 201, true, 403,
         "jane may not see the page: it needs a ClusterRole with the verb get on nonResourceURLs [/page]"},
        {"a user of whom nothing is said", "t", kKnown, "{}", 201, true, 403, "jane may not"},
        {"a role that lacks the right", "t", "{}", "{}", 403, true, 503, "needs `create` on tokenreviews"},
        {"who does not lead", "t", kKnown, allowed, 201, false, 503, "stands by"},
    };
    for (const Case& c : cases) {
        Bench b;
        b.token_answer = c.token_answer;
        b.access_answer = c.access_answer;
        b.code = c.api_code;
        b.leads = c.leads;
        const PageGuard::Access access = b.ask(c.token);
        EXPECT_EQ(access.code, c.code) << c.name;
        EXPECT_THAT(access.sentence, HasSubstr(c.sentence)) << c.name;
    }
}

TEST(PageGuard, an_answer_is_remembered_for_a_minute_and_a_failure_is_not) {
    Bench b;
    EXPECT_EQ(b.ask("secret").code, 200);
    EXPECT_EQ(b.ask("secret").code, 200);
    EXPECT_EQ(b.http.calls.size(), 2u);
    b.access_answer = R"({"status":{"allowed":false}})";
    b.loop.advance(std::chrono::seconds{45});
    EXPECT_EQ(b.ask("secret").code, 200) << "for so long it still holds";
    b.loop.advance(PageGuard::kRemembered);
    EXPECT_EQ(b.ask("secret").code, 403);
    EXPECT_EQ(b.http.calls.size(), 4u);
    b.code = 403;
    EXPECT_EQ(b.ask("other").code, 503);
    b.code = 201;
    EXPECT_EQ(b.ask("other").code, 403);
}

TEST(PageGuard, no_more_than_a_few_are_asked_about_at_once) {
    Bench b;
    b.http.responder = {};
    std::vector<int> codes;
    for (int i = 0; i <= PageGuard::kMostReviews; ++i)
        b.guard.ask("t" + std::to_string(i),
                    [&](const PageGuard::Access& access) { codes.push_back(access.code); });
    EXPECT_EQ(codes, std::vector<int>{503});
}

}  // namespace
}  // namespace joiner::control
