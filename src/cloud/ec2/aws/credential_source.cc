#include "cloud/ec2/aws/credential_source.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <utility>

#include "base/cut.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/aws/response.h"
#include "cloud/ec2/aws/signer.h"
#include "io/file.h"

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";

io::HttpRequest request_to(const std::string& base_url, std::string target) {
    io::HttpRequest out;
    io::Endpoint endpoint;
    endpoint.base_url = base_url;
    out.endpoint = std::make_shared<const io::Endpoint>(std::move(endpoint));
    out.target = std::move(target);
    out.timeout = seconds{5};
    out.max_response_bytes = kMostBytes;
    return out;
}

Error failed(std::string_view what, const io::HttpResult& answer) {
    if (!answer) return {ErrorKind::kUnavailable, fmt::format("{}: {}", what, answer.error().message), 0};
    const bool is_theirs = answer->code >= 500 || answer->code == 429;
    return {is_theirs ? ErrorKind::kUnavailable : ErrorKind::kForbidden,
            fmt::format("{}: the answer was HTTP {}", what, answer->code), 0};
}

std::string text_at(const nlohmann::json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// What containers and machines are given. The text itself is never quoted: it is the secret.
Result<Credentials> read_json(std::string_view what, const std::string& body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object())
        return fail(ErrorKind::kUnavailable, fmt::format("{}: the answer is no JSON object", what));
    Credentials out = {text_at(json, "AccessKeyId"), text_at(json, "SecretAccessKey"), text_at(json, "Token"),
                       std::nullopt};
    if (out.access_key.empty() || out.secret_key.empty())
        return fail(ErrorKind::kUnavailable, fmt::format("{}: the answer holds no keys", what));
    if (const std::string text = text_at(json, "Expiration"); !text.empty()) {
        const auto expires = parse_rfc3339(text);
        if (!expires) return fail(ErrorKind::kUnavailable, fmt::format("{}: Expiration is no time", what));
        out.expires = *expires;
    }
    return out;
}

Result<Credentials> read_sts(std::string_view what, const std::string& body) {
    pugi::xml_document document;
    document.load_buffer(body.data(), body.size());
    const pugi::xml_node keys = document.first_child().first_child().child("Credentials");
    Credentials out = {keys.child_value("AccessKeyId"), keys.child_value("SecretAccessKey"),
                       keys.child_value("SessionToken"), std::nullopt};
    const auto expires = parse_rfc3339(keys.child_value("Expiration"));
    if (out.access_key.empty() || out.secret_key.empty() || !expires)
        return fail(ErrorKind::kUnavailable,
                    fmt::format("{}: the answer holds no keys; is AWS_ENDPOINT_URL right?", what));
    out.expires = *expires;
    return out;
}

std::string without_line_end(std::string text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

// A token of the metadata service, by which all else is asked for.
void fetch_metadata_token(io::HttpClient& http, const std::string& base_url,
                          std::function<void(Result<std::string>)> done) {
    io::HttpRequest request = request_to(base_url, "/latest/api/token");
    request.method = "PUT";
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    request.timeout = seconds{2};
    http.send(std::move(request), [done = std::move(done)](const io::HttpResult& answer) {
        if (!answer || answer->code != 200) {
            Error error = failed("the machine's metadata service", answer);
            error.message += "; in a pod, is the hop limit of the machine's metadata options 2 or more?";
            return done(tl::unexpected<Error>(std::move(error)));
        }
        done(answer->body);
    });
}

void ask_metadata(io::HttpClient& http, const std::string& base_url, const std::string& token,
                  std::string target, std::function<void(Result<std::string>)> done) {
    io::HttpRequest request = request_to(base_url, std::move(target));
    request.headers = {{"X-aws-ec2-metadata-token", token}};
    http.send(std::move(request), [done = std::move(done)](const io::HttpResult& answer) {
        if (!answer || answer->code != 200)
            return done(tl::unexpected<Error>(failed("the machine's metadata service", answer)));
        done(answer->body);
    });
}

}  // namespace

void CredentialSource::fetch(const CredentialPlan& plan, CredentialsDone done) {
    if (const auto* keys = std::get_if<Credentials>(&plan.from)) {
        loop_.post([done = std::move(done), keys = *keys] { done(keys); });
        return;
    }
    if (const auto* web = std::get_if<WebIdentity>(&plan.from)) return fetch_from(*web, std::move(done));
    if (const auto* role = std::get_if<AssumedRole>(&plan.from)) return fetch_from(*role, std::move(done));
    if (const auto* near = std::get_if<ContainerEndpoint>(&plan.from))
        return fetch_from(*near, std::move(done));
    fetch_from(std::get<InstanceMetadata>(plan.from), std::move(done));
}

void CredentialSource::fetch_from(const WebIdentity& plan, CredentialsDone done) {
    const auto token = io::read_file(plan.token_file, kMostBytes);
    if (!token) {
        loop_.post([done = std::move(done), error = token.error()] { done(tl::unexpected<Error>(error)); });
        return;
    }
    ask_sts({fmt::format("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}"
                         "&WebIdentityToken={}",
                         percent_encode(plan.role_arn), percent_encode(plan.session_name),
                         percent_encode(without_line_end(*token))),
             std::nullopt, fmt::format("STS AssumeRoleWithWebIdentity for {}", plan.role_arn),
             std::move(done)});
}

void CredentialSource::fetch_from(const AssumedRole& plan, CredentialsDone done) {
    fetch(*plan.source, [this, plan, done = std::move(done)](const Result<Credentials>& source) {
        if (!source) return done(source);
        std::string form = fmt::format("Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName={}",
                                       percent_encode(plan.role_arn), percent_encode(plan.session_name));
        if (!plan.external_id.empty()) form += "&ExternalId=" + percent_encode(plan.external_id);
        ask_sts({std::move(form), *source, fmt::format("STS AssumeRole for {}", plan.role_arn), done});
    });
}

void CredentialSource::ask_sts(StsQuestion question) {
    const ServiceEndpoint endpoint = endpoints_.of(Service::kSts);
    io::HttpRequest request = request_to(endpoint.url, "/");
    request.method = "POST";
    request.timeout = seconds{15};
    request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    request.body = question.form;
    if (question.signer) {
        const std::string host = host_of_url(endpoint.url);
        for (auto& header :
             signature_headers({"POST", host, "/", request.headers, request.body}, *question.signer,
                               {endpoint.signing_region, "sts"}, clock_.now()))
            request.headers.push_back(std::move(header));
    }
    http_.send(std::move(request), [this, question = std::move(question), ahead = clock_.ahead()](
                                       const io::HttpResult& answer) { on_sts(question, ahead, answer); });
}

void CredentialSource::on_sts(StsQuestion question, Duration clock_ahead, const io::HttpResult& answer) {
    if (answer && answer->code == 200) return question.done(read_sts(question.what, answer->body));
    Error error = failed(question.what, answer);
    if (answer) {
        // Only the code: the message may hold what was sent.
        const std::string code = error_of(Protocol::kQueryXml, answer->body).code;
        const bool is_for_its_time =
            question.signer && clock_.corrects(code, answer->server_time, clock_ahead);
        if (is_for_its_time && !std::exchange(question.has_set_clock, true))
            return ask_sts(std::move(question));
        if (!code.empty()) error.message += ", " + cut_with_dots(code, 100);
        if (is_throttling(code)) error.kind = ErrorKind::kUnavailable;
    }
    question.done(tl::unexpected<Error>(std::move(error)));
}

void CredentialSource::fetch_from(const ContainerEndpoint& plan, CredentialsDone done) {
    io::HttpRequest request = request_to(plan.base_url, plan.target);
    std::string token = plan.token;
    if (!plan.token_file.empty()) {
        const auto text = io::read_file(plan.token_file, kMostBytes);
        if (!text) {
            loop_.post(
                [done = std::move(done), error = text.error()] { done(tl::unexpected<Error>(error)); });
            return;
        }
        token = without_line_end(*text);
    }
    if (!token.empty()) request.headers = {{"Authorization", token}};
    const std::string what = "the credentials endpoint at " + plan.base_url;
    http_.send(std::move(request), [what, done = std::move(done)](const io::HttpResult& answer) {
        if (!answer || answer->code != 200) return done(tl::unexpected<Error>(failed(what, answer)));
        done(read_json(what, answer->body));
    });
}

void CredentialSource::fetch_from(const InstanceMetadata& plan, CredentialsDone done) {
    const std::string url = plan.base_url;
    fetch_metadata_token(http_, url, [this, url, done = std::move(done)](const Result<std::string>& token) {
        if (!token) return done(tl::unexpected<Error>(token.error()));
        ask_metadata(http_, url, *token, std::string(kRolePath),
                     [this, url, token = *token, done](const Result<std::string>& roles) {
                         if (!roles) return done(tl::unexpected<Error>(roles.error()));
                         const std::string role = roles->substr(0, roles->find('\n'));
                         ask_metadata(http_, url, token, std::string(kRolePath) + percent_encode(role),
                                      [done](const Result<std::string>& body) {
                                          if (!body) return done(tl::unexpected<Error>(body.error()));
                                          done(read_json("the machine's metadata service", *body));
                                      });
                     });
    });
}

void fetch_region(io::HttpClient& http, const std::string& metadata_url,
                  std::function<void(Result<std::string>)> done) {
    fetch_metadata_token(
        http, metadata_url, [&http, metadata_url, done = std::move(done)](const auto& token) {
            if (!token) return done(tl::unexpected<Error>(token.error()));
            ask_metadata(http, metadata_url, *token, "/latest/meta-data/placement/region", done);
        });
}

}  // namespace joiner::cloud::ec2::aws
