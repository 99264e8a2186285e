// What the credentials must be allowed, by the calls that we make, and how each can be tried without changing
// anything. Held to deploy/aws/controller-policy.json by a test.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/meta.h"
#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/settings.h"

namespace joiner::cloud::ec2 {

// How a call can be tried.
enum class Trial {
    kDryRun,  // EC2 has dry runs.
    kRead,    // It changes nothing.
    kNone,    // Only in earnest.
};

struct Permission {
    const char* action;  // As policies name it: "ec2:DescribeSubnets".
    Trial trial;
};
// Every call of ours that needs one, and those that are checked with a call (iam:PassRole).
const std::vector<Permission>& permissions();

// Those that --account-commitments needs besides. Held to deploy/aws/commitments-policy.json.
const std::vector<Permission>& commitment_permissions();

// What a dry run of a call that changes something names, of what is ours; empty: there is none, and the call
// cannot be tried.
struct TrialGround {
    std::string instance;
    std::string launch_template;  // Its id.
    api::StringMap tags;          // As what we make has them.
};

// Whether the credentials are allowed to, by a dry run.
enum class Verdict { kAllowed, kForbidden, kNotTried, kNotKnown };
struct TrialAnswer {
    Verdict verdict = Verdict::kNotTried;
    std::string message = {};
    bool was_dry = false;  // The server has said that nothing was done.
};
// REQUIRES: Trial::kDryRun.
void try_by_dry_run(aws::Client& client, const Permission& permission, const TrialGround& ground,
                    std::function<void(TrialAnswer)> done);

// Of what a call answered, whether it was allowed: any error but a refusal says that it was.
TrialAnswer verdict_of(const aws::CallError* error);

}  // namespace joiner::cloud::ec2
