#include "control/page_guard.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/encoding.h"

namespace joiner::control {
namespace {

using ReviewJson = nlohmann::json;

constexpr kube::Resource kTokenReviews{"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false};
constexpr kube::Resource kAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                        "SubjectAccessReview", false};
constexpr std::size_t kLongestToken = 16'384;

std::string review_text(const kube::Resource& kind, ReviewJson spec) {
    const ReviewJson review = {{"apiVersion", fmt::format("{}/{}", kind.group, kind.version)},
                               {"kind", kind.kind},
                               {"spec", std::move(spec)}};
    return review.dump(-1, ' ', false, ReviewJson::error_handler_t::replace);
}

// An empty object where there is none.
ReviewJson status_of(const std::string& body) {
    const ReviewJson answer = ReviewJson::parse(body, nullptr, false);
    if (!answer.is_object()) return ReviewJson::object();
    const auto status = answer.find("status");
    return status == answer.end() || !status->is_object() ? ReviewJson::object() : *status;
}

bool is_set(const ReviewJson& status, const char* member) {
    const auto it = status.find(member);
    return it != status.end() && it->is_boolean() && it->get<bool>();
}

PageGuard::Access cannot_ask(const Error& error, std::string_view resource) {
    if (error.kind == ErrorKind::kForbidden)
        return {503, fmt::format("the controller may not ask who you are: its role needs `create` on {} "
                                 "(deploy/rbac.yaml has it; the chart, with settings.pagePort)",
                                 resource)};
    return {503, "the API server cannot be asked who you are just now: " + error.message};
}

}  // namespace

void PageGuard::ask(const std::string& token, std::function<void(Access)> done) {
    if (token.empty() || token.size() > kLongestToken)
        return done(
            {401, "a bearer token is needed: `kubectl create token NAME` makes one for a service account"});
    if (!leads_()) return done({503, "this replica stands by; ask the one that holds the lease"});
    const std::string hash = cloud::ec2::aws::hex(cloud::ec2::aws::sha256(token));
    const WallTime now = loop_.now();
    for (const auto* known : {&allowed_, &refused_}) {
        if (const auto it = known->find(hash); it != known->end() && now < it->second.until)
            return done(it->second.access);
    }
    if (now - second_ >= std::chrono::seconds{1}) {
        second_ = now;
        in_this_second_ = 0;
    }
    if (reviews_ >= kMostReviews || ++in_this_second_ > kReviewsASecond)
        return done({503, "many are asking at this moment; ask again in a second"});
    ++reviews_;
    auto finish = [this, hash, done = std::move(done)](const Access& access) {
        --reviews_;
        remember(hash, access);
        done(access);
    };
    client_.create(kTokenReviews, "", review_text(kTokenReviews, {{"token", token}}),
                   [this, finish = std::move(finish)](Result<std::string> answer) mutable {
                       if (!answer)
                           return finish(cannot_ask(answer.error(), "tokenreviews.authentication.k8s.io"));
                       const ReviewJson status = status_of(*answer);
                       const auto user = status.find("user");
                       if (!is_set(status, "authenticated") || user == status.end())
                           return finish({401,
                                          "the API server does not know this token, or it has expired: make "
                                          "another with `kubectl create token NAME`"});
                       review_access(user->dump(), std::move(finish));
                   });
}

void PageGuard::review_access(const std::string& user_text, std::function<void(Access)> done) {
    const ReviewJson user = ReviewJson::parse(user_text, nullptr, false);
    ReviewJson spec = {{"nonResourceAttributes", {{"path", "/page"}, {"verb", "get"}}}};
    std::string name;
    if (user.is_object()) {
        if (const auto it = user.find("username"); it != user.end() && it->is_string())
            name = it->get<std::string>();
        spec["user"] = name;
        for (const char* member : {"uid", "groups", "extra"}) {
            if (const auto it = user.find(member); it != user.end()) spec[member] = *it;
        }
    }
    client_.create(
        kAccessReviews, "", review_text(kAccessReviews, std::move(spec)),
        [name, done = std::move(done)](Result<std::string> answer) {
            if (!answer) return done(cannot_ask(answer.error(), "subjectaccessreviews.authorization.k8s.io"));
            if (is_set(status_of(*answer), "allowed")) return done({});
            done({403, fmt::format("{} may not see the page: it needs a ClusterRole with the verb get on "
                                   "nonResourceURLs [/page]",
                                   name.empty() ? "this user" : name)});
        });
}

void PageGuard::remember(const std::string& hash, const Access& access) {
    if (access.code == 503) return;
    const WallTime now = loop_.now();
    auto& known = access.code == 200 ? allowed_ : refused_;
    std::erase_if(known, [&](const auto& item) { return item.second.until <= now; });
    // More people than that: all are asked about again.
    if (known.size() >= kMostRemembered) known.clear();
    known[hash] = {access, now + kRemembered};
}

}  // namespace joiner::control
