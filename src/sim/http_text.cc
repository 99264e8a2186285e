#include "sim/http_text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "sim/exchange.h"

namespace joiner::sim {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            result += text[i] == '+' && plus_is_space ? ' ' : text[i];
        }
    }
    return result;
}

Target parse_target(std::string_view text) {
    Target target;
    const std::size_t mark = std::min(text.find('?'), text.size());
    target.path = percent_decode(text.substr(0, mark), false);
    std::string_view path = text.substr(0, mark);
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end > 0) target.segments.push_back(percent_decode(path.substr(0, end), false));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    std::string_view query = text.substr(std::min(mark + 1, text.size()));
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (equals > 0) {
            target.query.emplace(percent_decode(pair.substr(0, equals), true),
                                 percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return target;
}

std::string_view Target::parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string_view{} : std::string_view(found->second);
}

bool Target::flag(std::string_view name) const {
    const std::string_view value = parameter(name);
    return value == "true" || value == "1";
}

std::string base64_encode(std::string_view bytes) {
    std::string text;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char byte : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6) text += kAlphabet[(bits >> (count - 6)) & 63];
    }
    if (count > 0) text += kAlphabet[(bits << (6 - count)) & 63];
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (char c : text) {
        if (c == '=') break;
        if (c == '+') c = '-';
        if (c == '/') c = '_';
        const std::size_t value = kAlphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>((bits >> count) & 255);
        }
    }
    return bytes;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace joiner::sim
