// What the page shows, made when somebody asks and at most once a second; and the money, noted every ten
// seconds. Owned by control; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/page_state.h"
#include "control/page_text.h"
#include "control/parts.h"

namespace joiner::control {

class PageKeeper {
  public:
    using Text = std::shared_ptr<const PageText>;
    static constexpr Duration kLasts = std::chrono::seconds{1};

    explicit PageKeeper(Parts& parts) : parts_(parts) {}

    // Money is noted from now on.
    void start() { note_money(); }

    Text state() { return made(state_, page_state); }
    Text history() { return made(history_, page_history); }
    Text money() { return made(money_, page_money); }
    // nullptr: there is no such node or claim.
    Text node(std::string_view name);

  private:
    struct Made {
        Text text;
        Duration at{0};  // Of the loop's monotonic time.
    };

    Text made(Made& last, std::string (*make)(const PageFacts&));
    PageFacts facts();
    void note_money();

    Parts& parts_;
    Made state_;
    Made history_;
    Made money_;
};

}  // namespace joiner::control
