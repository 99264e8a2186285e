// Where our credentials come from, chosen once from the environment and the profiles as AWS's SDK for Go
// chooses. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "base/result.h"
#include "cloud/ec2/aws/credentials.h"
#include "cloud/ec2/aws/environment.h"

namespace joiner::cloud::ec2::aws {

struct CredentialPlan;

// A role that the token in a file may take (EKS: IAM roles for service accounts).
struct WebIdentity {
    std::string token_file;
    std::string role_arn;
    std::string session_name;
};

// A role that other credentials may take.
struct AssumedRole {
    std::shared_ptr<const CredentialPlan> source;
    std::string role_arn;
    std::string session_name;
    std::string external_id;
};

// An endpoint in the same machine or pod (ECS, EKS Pod Identity).
struct ContainerEndpoint {
    std::string base_url;
    std::string target;
    std::string token;       // Sent as Authorization; empty: none.
    std::string token_file;  // Read anew each time; empty: none.
};

// The machine's own role.
struct InstanceMetadata {
    std::string base_url;
};

struct CredentialPlan {
    std::variant<Credentials, WebIdentity, AssumedRole, ContainerEndpoint, InstanceMetadata> from;
};

// Errors name the variable or the profile's setting that is wrong or missing, and no value of a secret.
Result<CredentialPlan> plan_credentials(const Environment& environment);

// Where the instance metadata service answers; an error where it is switched off.
Result<std::string> metadata_url(const Environment& environment);

}  // namespace joiner::cloud::ec2::aws
