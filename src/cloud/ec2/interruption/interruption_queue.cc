#include "cloud/ec2/interruption/interruption_queue.h"

#include <algorithm>
#include <utility>

#include "cloud/ec2/launch/launcher.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::seconds;

constexpr Duration kFirstPause = seconds{1};
constexpr Duration kLongestPause = seconds{60};

}  // namespace

void InterruptionQueue::start() {
    if (name_.empty() || std::exchange(is_started_, true)) return;
    find();
}

void InterruptionQueue::find() {
    sqs_.get_queue_url(name_, [this, is_alive = is_alive_](const aws::Answer<std::string>& url) {
        if (!*is_alive) return;
        if (!url) return failed(url.error());
        url_ = *url;
        receive();
    });
}

void InterruptionQueue::failed(const Error& error) {
    problem_ = error;
    // The queue may have been made anew, under another address.
    if (error.kind == ErrorKind::kNotFound) url_.clear();
    const Duration pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
    loop_.after(pause, [this, is_alive = is_alive_] {
        if (!*is_alive) return;
        if (url_.empty()) return find();
        receive();
    });
}

void InterruptionQueue::receive() {
    asked_ = loop_.monotonic();
    sqs_.receive(url_, [this, is_alive = is_alive_](const aws::Answer<std::vector<QueueMessage>>& messages) {
        if (!*is_alive) return;
        if (!messages) return failed(messages.error());
        problem_.reset();
        failures_ = 0;
        for (const QueueMessage& message : *messages) on_message(message);
        // A queue that does not wait for a message is not asked without a pause.
        const Duration pause = messages->empty() ? asked_ + kFirstPause - loop_.monotonic() : Duration{0};
        if (pause <= Duration{0}) return receive();
        loop_.after(pause, [this, is_alive] {
            if (*is_alive) receive();
        });
    });
}

void InterruptionQueue::on_message(const QueueMessage& message) {
    const std::optional<Notice> notice = read_notice(message.body);
    reports_.counted("interruption_received_messages_total",
                     {{"message_type", notice ? notice->message_type : "no_op"}}, 1);
    const WallTime sent = notice && notice->sent != kNoTime ? notice->sent : message.sent;
    if (sent != kNoTime)
        reports_.observed("interruption_message_queue_duration_seconds", {},
                          std::max(0.0, to_seconds(loop_.now() - sent)));
    if (notice) return report(message, *notice);
    remove(message);
}

void InterruptionQueue::remove(const QueueMessage& message) {
    sqs_.remove(url_, message.receipt, [this, is_alive = is_alive_](const aws::Answer<void>& removed) {
        if (*is_alive && removed) reports_.counted("interruption_deleted_messages_total", {}, 1);
    });
}

// The zone, which is in an instance's id for us, is not in the message.
void InterruptionQueue::report(const QueueMessage& message, const Notice& notice) {
    const auto left = std::make_shared<std::size_t>(notice.instance_ids.size());
    const auto has_failed = std::make_shared<bool>(false);
    for (const std::string& id : notice.instance_ids)
        instances_.get(id, [this, message, event = notice.event, left, has_failed,
                            is_alive = is_alive_](const aws::Answer<std::optional<InstanceInfo>>& info) {
            if (!*is_alive) return;
            if (!info) *has_failed = true;
            if (info && *info) {
                InstanceEvent each = event;
                each.provider_id = provider_id((*info)->zone, (*info)->id);
                reports_.happened(each);
            }
            // One that failed comes again.
            if (--*left == 0 && !*has_failed) remove(message);
        });
}

}  // namespace joiner::cloud::ec2
