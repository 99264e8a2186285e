// Gathers single questions into calls for many: what is asked in one turn of the loop goes out together at
// its end, and what is asked while as many calls are under way as may be waits for one of them, not for a
// clock. Loop thread.
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

template <typename T>
class Batcher {
  public:
    using Answers = std::map<std::string, aws::Answer<T>>;
    // Asks for all the keys at once. A key that the answers leave out has the answer `absent`.
    using Send = std::function<void(std::vector<std::string> keys, std::function<void(Answers)> done)>;
    struct Limits {
        std::size_t keys_a_call;
        int calls_at_once;
    };

    Batcher(io::Loop& loop, Limits limits, aws::Answer<T> absent, Send send)
        : loop_(loop), limits_(limits), absent_(std::move(absent)), send_(std::move(send)) {}
    ~Batcher() { *is_alive_ = false; }
    Batcher(const Batcher&) = delete;
    Batcher& operator=(const Batcher&) = delete;

    void ask(const std::string& key, aws::Done<T> done) {
        waiting_[key].push_back(std::move(done));
        if (std::exchange(is_posted_, true)) return;
        loop_.post([this, is_alive = is_alive_] {
            if (!*is_alive) return;
            is_posted_ = false;
            send_next();
        });
    }

  private:
    void send_next() {
        while (!waiting_.empty() && under_way_ < limits_.calls_at_once) {
            auto asked = std::make_shared<std::map<std::string, std::vector<aws::Done<T>>>>();
            std::vector<std::string> keys;
            while (!waiting_.empty() && keys.size() < limits_.keys_a_call) {
                keys.push_back(waiting_.begin()->first);
                asked->insert(waiting_.extract(waiting_.begin()));
            }
            ++under_way_;
            send_(std::move(keys), [this, asked, is_alive = is_alive_](const Answers& answers) {
                if (!*is_alive) return;
                --under_way_;
                for (const auto& [key, callers] : *asked) {
                    const auto answer = answers.find(key);
                    for (const aws::Done<T>& done : callers)
                        done(answer == answers.end() ? absent_ : answer->second);
                }
                if (*is_alive) send_next();
            });
        }
    }

    io::Loop& loop_;
    const Limits limits_;
    const aws::Answer<T> absent_;
    const Send send_;
    std::map<std::string, std::vector<aws::Done<T>>> waiting_;
    int under_way_ = 0;
    bool is_posted_ = false;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
