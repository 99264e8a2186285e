// The encodings that requests to AWS are made of. Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace joiner::cloud::ec2::aws {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
// Lower case.
std::string hex(const Digest& digest);

std::string encode_base64(std::string_view bytes);
// Line ends are skipped. nullopt: not base64.
std::optional<std::string> decode_base64(std::string_view text);

// By RFC 3986: all but letters, digits and -._~ ; a slash too, unless it is to be kept.
enum class Slash { kEncode, kKeep };
std::string percent_encode(std::string_view text, Slash slash = Slash::kEncode);
// A sequence that is none stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace joiner::cloud::ec2::aws
