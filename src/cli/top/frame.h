// One screen of `joiner top` as lines of text with what each part of them is, for curses, for a printed frame
// and for tests. Everything from outside is plain ASCII here, whatever it was: no name can steer a terminal.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/state.h"
#include "cli/top/view.h"

namespace joiner::cli::top {

struct Size {
    int columns = 80;
    int rows = 24;
};
inline constexpr Size kLeastSize{60, 12};
bool is_large_enough(Size size);
// "80x24"; nullopt where it is no size.
std::optional<Size> parse_size(std::string_view text);
// One sentence on a terminal that is too small.
std::string too_small(Size size);

enum class Ink { kPlain, kTitle, kGood, kWarn, kBad, kDim };
struct Span {
    std::string text;
    Ink ink = Ink::kPlain;
};
struct Line {
    std::vector<Span> spans;
    bool is_selected = false;
};
// As many lines as the size has rows, none wider than its columns.
using Frame = std::vector<Line>;

// How many lines of the list are on a screen.
std::size_t list_lines(Size size);

struct Style {
    bool has_utf8 = false;
};
// REQUIRES: the view is settled.
Frame draw(const Picture& picture, const Shown& shown, const View& view, Size size, Style style);

// Without what is nothing but ink, and without blanks at the ends of lines.
std::string as_text(const Frame& frame);

}  // namespace joiner::cli::top
