#include "base/cut.h"

#include <gtest/gtest.h>

namespace joiner {
namespace {

TEST(CutWithDots, keeps_what_fits_and_never_half_a_character) {
    const struct {
        std::string text;
        std::size_t most;
        std::string expected;
    } cases[] = {{"", 3, ""},
                 {"abcdef", 6, "abcdef"},
                 {"abcdefg", 6, "abc..."},
                 {"ab\u00e9defg", 6, "ab..."},
                 {"abcd", 3, "..."}};
    for (const auto& c : cases) EXPECT_EQ(cut_with_dots(c.text, c.most), c.expected) << c.text;
}

}  // namespace
}  // namespace joiner
