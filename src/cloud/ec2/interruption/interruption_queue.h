// Reads the queue into which EventBridge puts what is about to happen to instances, and reports what concerns
// ours. A message is removed once it has been reported, or is of no use. Borrows the calls. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/rng.h"
#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/instances/instances.h"
#include "cloud/ec2/interruption/notices.h"
#include "cloud/reports.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class InterruptionQueue {
  public:
    InterruptionQueue(io::Loop& loop, Sqs& sqs, Instances& instances, Reports& reports, std::string name)
        : loop_(loop), sqs_(sqs), instances_(instances), reports_(reports), name_(std::move(name)) {}
    ~InterruptionQueue() { *is_alive_ = false; }
    InterruptionQueue(const InterruptionQueue&) = delete;
    InterruptionQueue& operator=(const InterruptionQueue&) = delete;

    // From now on, for good. Does nothing the second time.
    void start();
    // Of the last question; nullopt: the queue answers.
    const std::optional<Error>& problem() const { return problem_; }

  private:
    void find();
    void receive();
    void failed(const Error& error);
    void on_message(const QueueMessage& message);
    void report(const QueueMessage& message, const Notice& notice);
    void remove(const QueueMessage& message);

    io::Loop& loop_;
    Sqs& sqs_;
    Instances& instances_;
    Reports& reports_;
    const std::string name_;
    std::string url_;
    bool is_started_ = false;
    int failures_ = 0;
    Duration asked_{0};  // When the last question went out.
    std::optional<Error> problem_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
