#include "kube/base64.h"

#include <cstdint>

namespace joiner::kube {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const std::size_t digit = kAlphabet.find(c);
        if (digit == std::string_view::npos || padding > 0) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        if (++digits % 4 == 0) {
            for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<char>((bits >> shift) & 0xff));
        }
    }
    const std::size_t rest = digits % 4;
    if (rest == 1 || (rest == 0 ? padding != 0 : padding != 4 - rest)) return std::nullopt;
    if (rest >= 2) bytes.push_back(static_cast<char>((bits >> (rest == 2 ? 4 : 10)) & 0xff));
    if (rest == 3) bytes.push_back(static_cast<char>((bits >> 2) & 0xff));
    return bytes;
}

std::string encode_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            bits = (bits << 8) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text.push_back(i + j > bytes.size() ? '=' : kAlphabet[(bits >> (18 - 6 * j)) & 63]);
        }
    }
    return text;
}

}  // namespace joiner::kube
