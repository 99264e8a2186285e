// The hash that Karpenter keeps of a spec: Go's hashstructure (format 2, lists as sets, zero values skipped)
// over 64-bit FNV-1. Names are those of the Go structs and fields. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace joiner {

// Little-endian, in as many bytes as the Go type has.
template <typename Integer = std::uint64_t>
std::uint64_t hash_integer(Integer value, std::uint64_t h = kFnvOffset) {
    std::array<char, sizeof(Integer)> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    return fnv1({bytes.data(), bytes.size()}, h);
}

inline std::uint64_t hash_ordered(std::uint64_t a, std::uint64_t b) {
    return hash_integer(b, hash_integer(a));
}

// One struct: each field given is mixed in, in order of declaration; the caller leaves fields of zero value
// out.
class StructHash {
  public:
    explicit StructHash(std::string_view type_name) : h_(fnv1(type_name)) {}
    void field(std::string_view name, std::uint64_t value) {
        h_ = hash_integer(h_ ^ hash_ordered(fnv1(name), value));
    }
    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) field(name, fnv1(value));
    }
    std::uint64_t value() const { return h_; }

  private:
    std::uint64_t h_;
};

template <typename StringMap>
std::uint64_t hash_string_map(const StringMap& map) {
    std::uint64_t h = 0;
    for (const auto& [key, value] : map) h ^= hash_ordered(fnv1(key), fnv1(value));
    return hash_integer(h);
}

}  // namespace joiner
