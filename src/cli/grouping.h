// Words for many things of one sort, so that each sort takes one line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace joiner::cli {

// "1 pod", "2 pods".
std::string count_of(std::size_t number, std::string_view noun);

// "a, b, c and 7 more".
std::string some_of(const std::vector<std::string>& things, std::size_t most = 5);

}  // namespace joiner::cli
