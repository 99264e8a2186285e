// FNV-1 and FNV-1a over bytes, for stable names and hashes that outlive a process (std::hash promises
// neither).
#pragma once

#include <cstdint>
#include <string_view>

namespace joiner {

inline constexpr std::uint64_t kFnvOffset = 14695981039346656037ULL;
inline constexpr std::uint64_t kFnvPrime = 1099511628211ULL;

constexpr std::uint64_t fnv1(std::string_view bytes, std::uint64_t h = kFnvOffset) {
    for (const char c : bytes) h = (h * kFnvPrime) ^ static_cast<unsigned char>(c);
    return h;
}
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t h = kFnvOffset) {
    for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * kFnvPrime;
    return h;
}

}  // namespace joiner
