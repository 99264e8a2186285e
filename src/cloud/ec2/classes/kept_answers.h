// Answers to questions that many ask: kept for a while, and asked once by however many want one at the same
// time. An error is not kept. Borrows the loop. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/aws/error.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

template <typename T>
class KeptAnswers {
  public:
    using Ask = std::function<void(aws::Done<T>)>;

    explicit KeptAnswers(io::Loop& loop) : loop_(loop) {}
    ~KeptAnswers() { *is_alive_ = false; }
    KeptAnswers(const KeptAnswers&) = delete;
    KeptAnswers& operator=(const KeptAnswers&) = delete;

    // `ask` is asked where no answer is kept for the question; its answer is kept for as long as `keep` says.
    // Comes later, never from inside the call.
    void get(const std::string& question, Duration keep, const Ask& ask, aws::Done<T> done) {
        forget_old();
        Entry& entry = entries_[question];
        if (entry.answer && loop_.monotonic() < entry.keep_until) {
            loop_.post([answer = *entry.answer, done = std::move(done)] { done(answer); });
            return;
        }
        entry.waiting.push_back(std::move(done));
        if (entry.waiting.size() > 1) return;
        ask([this, question, keep, is_alive = is_alive_](aws::Answer<T> answer) {
            if (!*is_alive) return;
            Entry& asked = entries_[question];
            asked.answer.reset();
            if (answer) asked.answer = *answer;
            asked.keep_until = loop_.monotonic() + keep;
            for (const auto& waiting : std::exchange(asked.waiting, {})) waiting(answer);
        });
    }
    // Of those that are kept, what `is_wrong` says goes, and is asked for anew.
    void forget_if(const std::function<bool(const T&)>& is_wrong) {
        for (auto& [question, entry] : entries_) {
            if (entry.answer && is_wrong(*entry.answer)) entry.answer.reset();
        }
    }

  private:
    struct Entry {
        std::optional<T> answer;
        Duration keep_until{0};
        std::vector<aws::Done<T>> waiting;  // Not empty: it is being asked.
    };
    void forget_old() {
        std::erase_if(entries_, [now = loop_.monotonic()](const auto& item) {
            return item.second.waiting.empty() && now >= item.second.keep_until;
        });
    }

    io::Loop& loop_;
    std::map<std::string, Entry> entries_;  // By question.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
