#include <fmt/format.h>

#include <chrono>

#include "cli/commands.h"
#include "cli/top/frame.h"
#include "cli/top/live.h"
#include "cli/top/once.h"
#include "cli/top/terminal.h"

namespace joiner::cli {

int run_top(const TopOptions& options) {
    if (!options.once && options.files.empty()) {
        const Status done = top::run_live(options);
        return done ? 0 : refuse(done.error().message);
    }
    top::Size size = top::terminal_size().value_or(top::Size{});
    if (!options.size.empty()) {
        const auto wanted = top::parse_size(options.size);
        if (!wanted)
            return refuse("--size " + options.size + " is no size; it is columns and rows, as in 80x24");
        size = *wanted;
    }
    const auto frame =
        top::frame_once(options, size, top::style_of_environment(), std::chrono::system_clock::now());
    if (!frame) return refuse(frame.error().message);
    fmt::print("{}", *frame);
    return 0;
}

}  // namespace joiner::cli
