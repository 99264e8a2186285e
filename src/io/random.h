// Chance from the operating system, to seed an Rng once at start-up. Any thread.
#pragma once

#include <cstdint>

namespace joiner::io {

std::uint64_t os_seed();

}  // namespace joiner::io
