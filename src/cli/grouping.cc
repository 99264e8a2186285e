#include "cli/grouping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joiner::cli {

std::string count_of(std::size_t number, std::string_view noun) {
    return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string some_of(const std::vector<std::string>& things, std::size_t most) {
    // One more takes no more room than the words that leave it out.
    if (things.size() <= most + 1) return fmt::format("{}", fmt::join(things, ", "));
    return fmt::format("{} and {} more",
                       fmt::join(things.begin(), things.begin() + static_cast<long>(most), ", "),
                       things.size() - most);
}

}  // namespace joiner::cli
