// CHECK(condition) states what a bug-free program never breaks; it stops the process in every build. Stopping
// is cheap, because a restart rebuilds all we know from the API server, and going on wrong is not.
#pragma once

namespace joiner {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace joiner

#define CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::joiner::check_failed(#condition, __FILE__, __LINE__))
