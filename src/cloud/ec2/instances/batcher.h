// Gathers single questions into calls for many: what is asked in one turn of the loop goes out together at
// its end, and what is asked while as many calls are under way as may be waits for one of them. No storm of
// calls for one each: where calls are to be apart, what comes too early goes with the next. Loop thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/aws/error.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

// Hears of each call that goes out: how long its first question has waited, and how many keys it asks for.
using OnBatch = std::function<void(Duration waited, std::size_t size)>;

template <typename T>
class Batcher {
  public:
    using Answers = std::map<std::string, aws::Answer<T>>;
    // Asks for all the keys at once. A key that the answers leave out has the answer `absent`.
    using Send = std::function<void(std::vector<std::string> keys, std::function<void(Answers)> done)>;
    struct Limits {
        std::size_t keys_a_call;
        int calls_at_once;
        Duration between{0};  // Two calls are at least so far apart; the first goes at once.
    };

    Batcher(io::Loop& loop, Limits limits, OnBatch on_batch, aws::Answer<T> absent, Send send)
        : loop_(loop),
          limits_(limits),
          on_batch_(std::move(on_batch)),
          absent_(std::move(absent)),
          send_(std::move(send)) {}
    ~Batcher() { *is_alive_ = false; }
    Batcher(const Batcher&) = delete;
    Batcher& operator=(const Batcher&) = delete;

    void ask(const std::string& key, aws::Done<T> done) {
        const auto [it, is_new] = waiting_.try_emplace(key);
        if (is_new) it->second.since = loop_.monotonic();
        it->second.callers.push_back(std::move(done));
        send_soon();
    }

  private:
    struct Waiting {
        Duration since{0};
        std::vector<aws::Done<T>> callers;
    };
    void send_soon() {
        if (std::exchange(is_posted_, true)) return;
        io::Task send = [this, is_alive = is_alive_] {
            if (!*is_alive) return;
            is_posted_ = false;
            send_next();
        };
        if (next_at_ > loop_.monotonic())
            loop_.after(next_at_ - loop_.monotonic(), std::move(send));
        else
            loop_.post(std::move(send));
    }
    void send_next() {
        while (!waiting_.empty() && under_way_ < limits_.calls_at_once) {
            if (next_at_ > loop_.monotonic()) return send_soon();
            next_at_ = loop_.monotonic() + limits_.between;
            auto asked = std::make_shared<std::map<std::string, Waiting>>();
            std::vector<std::string> keys;
            Duration first = loop_.monotonic();
            while (!waiting_.empty() && keys.size() < limits_.keys_a_call) {
                keys.push_back(waiting_.begin()->first);
                first = std::min(first, waiting_.begin()->second.since);
                asked->insert(waiting_.extract(waiting_.begin()));
            }
            ++under_way_;
            on_batch_(loop_.monotonic() - first, keys.size());
            send_(std::move(keys), [this, asked, is_alive = is_alive_](const Answers& answers) {
                if (!*is_alive) return;
                --under_way_;
                for (const auto& [key, asker] : *asked) {
                    const auto answer = answers.find(key);
                    for (const aws::Done<T>& done : asker.callers)
                        done(answer == answers.end() ? absent_ : answer->second);
                }
                if (*is_alive) send_next();
            });
        }
    }

    io::Loop& loop_;
    const Limits limits_;
    const OnBatch on_batch_;
    const aws::Answer<T> absent_;
    const Send send_;
    std::map<std::string, Waiting> waiting_;
    int under_way_ = 0;
    bool is_posted_ = false;
    Duration next_at_{0};
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
