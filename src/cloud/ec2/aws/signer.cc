#include "cloud/ec2/aws/signer.h"

#include <fmt/format.h>

#include <algorithm>

#include "cloud/ec2/aws/encoding.h"

namespace joiner::cloud::ec2::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// "20150830T123600Z"
std::string basic_time(WallTime now) {
    std::string out;
    for (const char c : format_rfc3339(now)) {
        if (c != '-' && c != ':') out += c;
    }
    return out;
}

// Without empty segments and dots, then encoded once more than it is sent.
std::string canonical_path(std::string_view path) {
    std::vector<std::string_view> segments;
    bool ends_open = true;  // In a slash, or in a dot that stands for one.
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view segment = path.substr(0, end);
        ends_open = segment.empty() || segment == "." || segment == ".." || end < path.size();
        if (segment == ".." && !segments.empty()) segments.pop_back();
        if (!segment.empty() && segment != "." && segment != "..") segments.push_back(segment);
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    std::string out;
    for (const std::string_view segment : segments) {
        out += '/';
        out += percent_encode(segment);
    }
    if (ends_open || out.empty()) out += '/';
    return out;
}

// Each key and value decoded and encoded anew, then in order.
std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        pairs.emplace_back(percent_encode(percent_decode(pair.substr(0, equals))),
                           percent_encode(percent_decode(pair.substr(std::min(equals + 1, pair.size())))));
    }
    std::sort(pairs.begin(), pairs.end());
    std::string out;
    for (const auto& [key, value] : pairs) {
        if (!out.empty()) out += '&';
        out += key + '=' + value;
    }
    return out;
}

// Outer spaces off, and one for several inside.
std::string trimmed(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
        out += c;
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

}  // namespace

Headers signature_headers(const Signable& request, const Credentials& credentials, const SigningScope& scope,
                          WallTime now) {
    const std::string time = basic_time(now);
    const std::string day = time.substr(0, 8);
    Headers out = {{"x-amz-date", time}};
    if (!credentials.session_token.empty())
        out.emplace_back("x-amz-security-token", credentials.session_token);

    Headers signed_headers = request.headers;
    signed_headers.insert(signed_headers.end(), out.begin(), out.end());
    signed_headers.emplace_back("host", request.host);
    std::stable_sort(signed_headers.begin(), signed_headers.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string names;
    std::string lines;
    for (const auto& [name, value] : signed_headers) {
        if (!names.empty()) names += ';';
        names += name;
        lines += name + ':' + trimmed(value) + '\n';
    }

    const std::size_t question = std::min(request.target.find('?'), request.target.size());
    const std::string canonical = fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}", request.method, canonical_path(request.target.substr(0, question)),
        canonical_query(request.target.substr(std::min(question + 1, request.target.size()))), lines, names,
        hex(sha256(request.body)));
    const std::string scope_text = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
    const std::string to_sign =
        fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope_text, hex(sha256(canonical)));

    Digest key = hmac_sha256("AWS4" + credentials.secret_key, day);
    for (const std::string_view part :
         {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")})
        key = hmac_sha256(view(key), part);
    out.emplace_back("authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                                  kAlgorithm, credentials.access_key, scope_text, names,
                                                  hex(hmac_sha256(view(key), to_sign))));
    return out;
}

std::string host_of_url(std::string_view url) {
    const bool is_tls = url.starts_with("https://");
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?"));
    const std::string_view own_port = is_tls ? ":443" : ":80";
    if (url.ends_with(own_port)) url.remove_suffix(own_port.size());
    return std::string(url);
}

}  // namespace joiner::cloud::ec2::aws
