// What EventBridge puts into the queue of interruptions, and what it means for an instance. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/reports.h"

namespace joiner::cloud::ec2 {

struct Notice {
    std::string message_type;  // As metrics name it: "spot_interrupted".
    InstanceEvent event;       // Without the provider id.
    std::vector<std::string> instance_ids;
    WallTime sent = kNoTime;  // By whoever sent it; kNoTime: it does not say.
};

// nullopt: nothing of ours, or nothing that can be read; the message is of no use any more.
std::optional<Notice> read_notice(std::string_view body);

}  // namespace joiner::cloud::ec2
