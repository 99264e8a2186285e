// How many seeds a test goes through. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace joiner {

// All of them in the optimised program `seed_tests`; a fifth under sanitizers, where a seed takes five times
// as long, and a mistake of memory shows with almost any of them.
template <typename Number = std::uint64_t>
constexpr Number seeds(Number all) {
#ifdef JOINER_ALL_SEEDS
    return all;
#else
    return std::max<Number>(1, all / 5);
#endif
}

}  // namespace joiner
