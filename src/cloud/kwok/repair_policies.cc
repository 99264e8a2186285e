#include "cloud/kwok/repair_policies.h"

namespace joiner::cloud::kwok {

using std::chrono::minutes;
using std::chrono::seconds;

std::vector<rules::RepairPolicy> kwok_repair_policies() {
    return {
        {.condition = "Ready",
         .status = "False",
         .toleration = minutes{10},
         .termination_grace = Duration{0}},
        {.condition = "Ready",
         .status = "Unknown",
         .reason_regex = ".*",
         .toleration = minutes{10},
         .termination_grace = Duration{0}},
        {.condition = "KWOKUnhealthy",
         .status = "True",
         .reason_regex = ".*",
         .toleration = seconds{30},
         .termination_grace = seconds{45}},
        {.condition = "KWOKRebootRequired",
         .status = "True",
         .reason_regex = ".*",
         .toleration = seconds{30},
         .termination_grace = minutes{1},
         .action = rules::RepairAction::kReboot},
    };
}

}  // namespace joiner::cloud::kwok
