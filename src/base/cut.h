// Texts of other people's length, made to fit.
#pragma once

#include <cstddef>
#include <string>

namespace joiner {

// The text, or as much of it as fits into `most` bytes with the three dots that say there was more; never
// half a character. REQUIRES: most >= 3.
std::string cut_with_dots(std::string text, std::size_t most);

}  // namespace joiner
