// Who may see the page: whoever the API server knows by a bearer token (TokenReview) and lets `get` the
// non-resource URL /page (SubjectAccessReview). Answers are remembered for a minute, by a hash of the token.
// Loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/time.h"
#include "io/loop.h"
#include "kube/client.h"

namespace joiner::control {

class PageGuard {
  public:
    struct Access {
        int code = 200;        // As HTTP has it: 200, 401, 403, or 503 where it cannot be found out now.
        std::string sentence;  // Why not, and what to do; empty with 200.
    };
    static constexpr Duration kRemembered = std::chrono::minutes{1};
    static constexpr std::size_t kMostRemembered = 1000;
    static constexpr int kMostReviews = 4;  // Under way at once.
    // They share the client's limit with what the controller writes.
    static constexpr int kReviewsASecond = 10;

    // `leads()`: reviews are sent as writes are, so only who leads can ask.
    PageGuard(io::Loop& loop, kube::Client& client, std::function<bool()> leads)
        : loop_(loop), client_(client), leads_(std::move(leads)) {}

    // `token`: without "Bearer ".
    void ask(const std::string& token, std::function<void(Access)> done);

  private:
    struct Remembered {
        Access access;
        WallTime until = kNoTime;
    };

    void review_access(const std::string& user, std::function<void(Access)> done);
    void remember(const std::string& hash, const Access& access);

    io::Loop& loop_;
    kube::Client& client_;
    std::function<bool()> leads_;
    // Refusals apart: tokens that nobody knows can be made up without end.
    std::map<std::string, Remembered> allowed_;
    std::map<std::string, Remembered> refused_;
    int reviews_ = 0;
    WallTime second_ = kNoTime;  // Since when reviews are counted.
    int in_this_second_ = 0;
};

}  // namespace joiner::control
