#include "cloud/ec2/aws/credential_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cloud/ec2/aws/signer.h"

namespace joiner::cloud::ec2::aws {
namespace {

constexpr int kMostProfiles = 10;  // That one profile may lead through.
constexpr std::string_view kSessionName = "joiner";

std::string setting(const Profile& profile, const std::string& key) {
    const auto it = profile.find(key);
    return it == profile.end() ? std::string() : it->second;
}

std::string or_else(std::string first, std::string_view second) {
    return first.empty() ? std::string(second) : first;
}

// What a plain http address may be: the machine itself, and the addresses that containers are given.
bool may_be_plain(std::string_view host) {
    host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
    constexpr std::array<std::string_view, 6> kHosts = {"localhost",      "[::1]",          "169.254.170.2",
                                                        "169.254.170.23", "[fd00:ec2::23]", "127.0.0.1"};
    return std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end() || host.starts_with("127.");
}

Result<CredentialPlan> plan_container(const Environment& environment) {
    ContainerEndpoint out;
    out.token = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    out.token_file = environment.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (const std::string path = environment.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        !path.empty()) {
        out.base_url = "http://169.254.170.2";
        out.target = path.starts_with('/') ? path : '/' + path;
        return CredentialPlan{std::move(out)};
    }
    const std::string url = environment.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const std::size_t scheme = url.find("://");
    const bool is_tls = url.starts_with("https://");
    if (scheme == std::string::npos || !(is_tls || url.starts_with("http://")))
        return invalid("AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL");
    if (!is_tls && !may_be_plain(host_of_url(url)))
        return invalid("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine");
    const std::size_t path = std::min(url.find('/', scheme + 3), url.size());
    out.base_url = url.substr(0, path);
    out.target = path == url.size() ? "/" : url.substr(path);
    return CredentialPlan{std::move(out)};
}

// What remains where no profile says anything: the place where we run.
Result<CredentialPlan> plan_surroundings(const Environment& environment) {
    if (!environment.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
        !environment.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty())
        return plan_container(environment);
    TRY(std::string url, metadata_url(environment));
    return CredentialPlan{InstanceMetadata{std::move(url)}};
}

Credentials keys_in_environment(const Environment& environment) {
    const auto either = [&](const char* first, const char* second) {
        return or_else(environment.variable(first), environment.variable(second));
    };
    return {either("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), either("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"),
            environment.variable("AWS_SESSION_TOKEN"), std::nullopt};
}

bool are_whole(const Credentials& credentials) {
    return !credentials.access_key.empty() && !credentials.secret_key.empty();
}

Result<CredentialPlan> plan_profile(const Environment& environment, const std::string& name, int depth,
                                    bool keys_first);

Result<CredentialPlan> plan_source(const Environment& environment, const std::string& name,
                                   const Profile& profile, int depth) {
    const std::string source = setting(profile, "source_profile");
    if (!source.empty()) return plan_profile(environment, source, depth + 1, source == name);
    const std::string kind = setting(profile, "credential_source");
    if (kind == "Environment" && are_whole(keys_in_environment(environment)))
        return CredentialPlan{keys_in_environment(environment)};
    if (kind == "Ec2InstanceMetadata") {
        TRY(std::string url, metadata_url(environment));
        return CredentialPlan{InstanceMetadata{std::move(url)}};
    }
    if (kind == "EcsContainer") return plan_container(environment);
    return invalid(
        fmt::format("the AWS profile \"{}\" has a role_arn, and neither a source_profile nor a "
                    "credential_source that can be "
                    "used",
                    name));
}

// `keys_first`: a profile that is its own source stands for its keys.
Result<CredentialPlan> plan_profile(const Environment& environment, const std::string& name, int depth,
                                    bool keys_first) {
    if (depth >= kMostProfiles)
        return invalid(fmt::format("the AWS profile \"{}\" leads through too many others", name));
    const Profile* profile = environment.files.find(name);
    if (profile == nullptr) {
        if (depth > 0 || environment.names_a_profile())
            return invalid(fmt::format("there is no AWS profile \"{}\"", name));
        return plan_surroundings(environment);
    }
    const Credentials keys = {setting(*profile, "aws_access_key_id"),
                              setting(*profile, "aws_secret_access_key"),
                              setting(*profile, "aws_session_token"), std::nullopt};
    const std::string role = setting(*profile, "role_arn");
    const std::string session = or_else(setting(*profile, "role_session_name"), kSessionName);
    if (keys_first && are_whole(keys)) return CredentialPlan{keys};
    if (const std::string file = setting(*profile, "web_identity_token_file"); !role.empty() && !file.empty())
        return CredentialPlan{WebIdentity{file, role, session}};
    if (!role.empty()) {
        TRY(CredentialPlan source, plan_source(environment, name, *profile, depth));
        return CredentialPlan{AssumedRole{std::make_shared<const CredentialPlan>(std::move(source)), role,
                                          session, setting(*profile, "external_id")}};
    }
    if (are_whole(keys)) return CredentialPlan{keys};
    for (const char* key : {"sso_session", "sso_start_url", "credential_process"}) {
        if (!setting(*profile, key).empty())
            return invalid(fmt::format(
                "the AWS profile \"{}\" has {}, which is not supported: use keys, a role or a token "
                "file",
                name, key));
    }
    return plan_surroundings(environment);
}

}  // namespace

Result<std::string> metadata_url(const Environment& environment) {
    if (environment.variable("AWS_EC2_METADATA_DISABLED") == "true")
        return invalid(
            "no AWS credentials are known, and AWS_EC2_METADATA_DISABLED keeps us from asking the machine "
            "for "
            "its own");
    std::string url =
        environment.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    if (url.empty()) {
        const std::string mode = environment.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                                                     "ec2_metadata_service_endpoint_mode");
        url = mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    while (url.ends_with('/')) url.pop_back();
    return url;
}

Result<CredentialPlan> plan_credentials(const Environment& environment) {
    if (environment.names_a_profile()) return plan_profile(environment, environment.profile_name(), 0, false);
    if (const Credentials keys = keys_in_environment(environment); are_whole(keys))
        return CredentialPlan{keys};
    if (const std::string file = environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE"); !file.empty()) {
        const std::string role = environment.variable("AWS_ROLE_ARN");
        if (role.empty())
            return invalid("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN: set both or none");
        return CredentialPlan{
            WebIdentity{file, role, or_else(environment.variable("AWS_ROLE_SESSION_NAME"), kSessionName)}};
    }
    return plan_profile(environment, "default", 0, false);
}

}  // namespace joiner::cloud::ec2::aws
