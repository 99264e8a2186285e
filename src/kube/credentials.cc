#include "kube/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "io/file.h"
#include "kube/base64.h"

namespace joiner::kube {
namespace {

using nlohmann::json;

constexpr Duration kTokenFileAge = std::chrono::minutes{1};
constexpr Duration kPluginTimeout = std::chrono::seconds{30};
constexpr Duration kPluginPause = std::chrono::seconds{5};  // After a failure.
// A plug-in's credential is fetched again so long before it runs out, while the old one still serves.
constexpr Duration kRenewAhead = std::chrono::seconds{30};

std::string first_line(std::string_view text) {
    text = text.substr(0, std::min(text.find('\n'), std::size_t{300}));
    return std::string(text);
}

std::string string_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string trimmed_token(std::string token) {
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
    while (!token.empty() && static_cast<unsigned char>(token.front()) <= ' ') token.erase(0, 1);
    return token;
}

}  // namespace

Result<ExecCredential> parse_exec_credential(std::string_view text, std::string_view api_version) {
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object() || string_at(document, "kind") != "ExecCredential") {
        return invalid("it did not print an ExecCredential");
    }
    if (string_at(document, "apiVersion") != api_version) {
        return invalid(fmt::format("it answered in apiVersion \"{}\" instead of \"{}\"",
                                   string_at(document, "apiVersion"), api_version));
    }
    const auto status = document.find("status");
    if (status == document.end() || !status->is_object()) return invalid("its ExecCredential has no status");
    ExecCredential credential;
    credential.token = trimmed_token(string_at(*status, "token"));
    credential.client_certificate_pem = string_at(*status, "clientCertificateData");
    credential.client_key_pem = string_at(*status, "clientKeyData");
    if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty()) {
        return invalid("it printed a client certificate or a key without the other");
    }
    if (credential.token.empty() && credential.client_certificate_pem.empty()) {
        return invalid("its ExecCredential holds neither a token nor a certificate");
    }
    if (const std::string expiry = string_at(*status, "expirationTimestamp"); !expiry.empty()) {
        TRY(credential.expires_at, parse_rfc3339(expiry));
    }
    return credential;
}

std::string exec_info(const ExecPlugin& plugin, const io::Endpoint& endpoint) {
    json info = {
        {"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
    if (plugin.provide_cluster_info) {
        json cluster = {{"server", endpoint.base_url}};
        if (!endpoint.ca_pem.empty()) cluster["certificate-authority-data"] = encode_base64(endpoint.ca_pem);
        if (!endpoint.tls_server_name.empty()) cluster["tls-server-name"] = endpoint.tls_server_name;
        if (!endpoint.proxy_url.empty()) cluster["proxy-url"] = endpoint.proxy_url;
        if (endpoint.insecure_skip_verify) cluster["insecure-skip-tls-verify"] = true;
        info["spec"]["cluster"] = std::move(cluster);
    }
    return info.dump(-1, ' ', false, json::error_handler_t::replace);
}

Credentials::Credentials(io::Loop& loop, Config config, std::function<void()> on_change)
    : loop_(loop), config_(std::move(config)), on_change_(std::move(on_change)) {
    identity_.endpoint = config_.endpoint;
    identity_.token = config_.token;
    has_identity_ = !config_.exec;
}

const Credentials::Identity* Credentials::current() {
    if (config_.exec) {
        if (has_identity_ && expires_at_ && loop_.now() >= *expires_at_) has_identity_ = false;
        if (!has_identity_ || (renew_at_ && loop_.now() >= *renew_at_)) run_plugin();
    } else if (!config_.token_file.empty()) {
        if (!token_file_read_at_ || loop_.monotonic() - *token_file_read_at_ >= kTokenFileAge)
            read_token_file();
    }
    return has_identity_ ? &identity_ : nullptr;
}

bool Credentials::refused(std::uint64_t generation) {
    if (generation != identity_.generation) return true;
    if (config_.exec) {
        // Fresh ones refused are refused for good: running the plug-in for each answer would be a storm of
        // its own.
        if (plugin_ == nullptr && loop_.monotonic() < refusals_count_from_) return false;
        has_identity_ = false;
        run_plugin();
        return plugin_ != nullptr;
    }
    if (config_.token_file.empty()) return false;
    read_token_file();
    return generation != identity_.generation;
}

// A file that cannot be read leaves the token as it was: it may be in the middle of being replaced.
void Credentials::read_token_file() {
    token_file_read_at_ = loop_.monotonic();
    auto text = io::read_file(config_.token_file);
    if (!text) return;
    std::string token = trimmed_token(std::move(*text));
    if (token.empty() || token == identity_.token) return;
    identity_.token = std::move(token);
    ++identity_.generation;
}

void Credentials::run_plugin() {
    if (plugin_ != nullptr || loop_.monotonic() < no_run_before_) return;
    problem_.reset();
    io::ProcessRequest request;
    request.command = config_.exec->command;
    request.arguments = config_.exec->arguments;
    request.environment = config_.exec->environment;
    request.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(*config_.exec, *config_.endpoint));
    request.timeout = kPluginTimeout;
    plugin_ = std::make_unique<io::ChildProcess>(
        loop_, std::move(request),
        [this](Result<io::ProcessOutput> output) { on_plugin_end(std::move(output)); });
}

void Credentials::on_plugin_end(Result<io::ProcessOutput> output) {
    plugin_.reset();
    auto credential = credential_of(std::move(output));
    if (credential) {
        adopt(std::move(*credential));
    } else {
        problem_ = std::move(credential.error());
        no_run_before_ = loop_.monotonic() + kPluginPause;
    }
    on_change_();
}

Result<ExecCredential> Credentials::credential_of(Result<io::ProcessOutput> output) const {
    const auto failed = [&](const std::string& why) {
        return fail(ErrorKind::kUnavailable,
                    fmt::format("credential plug-in {}: {}", config_.exec->command, why));
    };
    if (!output && output.error().kind == ErrorKind::kNotFound && !config_.exec->install_hint.empty()) {
        return failed("not found; " + first_line(config_.exec->install_hint));
    }
    if (!output) return fail(ErrorKind::kUnavailable, "credential plug-in " + output.error().message);
    if (output->exit_code != 0) {
        return failed(
            fmt::format("ended with code {}: {}", output->exit_code, first_line(output->standard_error)));
    }
    auto credential = parse_exec_credential(output->standard_output, config_.exec->api_version);
    if (!credential) return failed(credential.error().message);
    if (credential->expires_at && *credential->expires_at <= loop_.now())
        return failed("its credential has run out");
    return credential;
}

void Credentials::adopt(ExecCredential credential) {
    has_identity_ = true;
    refusals_count_from_ = loop_.monotonic() + kPluginPause;
    ++identity_.generation;
    identity_.token = std::move(credential.token);
    if (!credential.client_certificate_pem.empty()) {
        auto endpoint = std::make_shared<io::Endpoint>(*config_.endpoint);
        endpoint->client_certificate_pem = std::move(credential.client_certificate_pem);
        endpoint->client_key_pem = std::move(credential.client_key_pem);
        identity_.endpoint = std::move(endpoint);
    }
    expires_at_ = credential.expires_at;
    renew_at_.reset();
    if (!expires_at_) return;
    const Duration life = *expires_at_ - loop_.now();
    renew_at_ = loop_.now() + std::max(life / 2, life - kRenewAhead);
}

}  // namespace joiner::kube
