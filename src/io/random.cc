#include "io/random.h"

#include <sys/random.h>

#include "base/check.h"

namespace joiner::io {

std::uint64_t os_seed() {
    std::uint64_t seed = 0;
    CHECK(getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
    return seed;
}

}  // namespace joiner::io
