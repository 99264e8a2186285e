// The terminal of `joiner top`, by ncurses: the screen, its size, and keys. All that knows curses is here.
// One at a time; the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/top/frame.h"
#include "io/loop.h"

namespace joiner::cli::top {

// Bars of blocks: the locale has UTF-8, and neither TERM=dumb nor NO_COLOR asks for plain letters.
Style style_of_environment();
// Of the terminal that standard output is; nullopt: it is none.
std::optional<Size> terminal_size();

class Terminal {
  public:
    // Takes the screen. Errors: no terminal, or one that cannot be drawn on.
    static Result<std::unique_ptr<Terminal>> open();
    // Gives the screen back as it was.
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    Size size() const;
    // Only what has changed is sent.
    void show(const Frame& frame);
    // What was typed since, by the names of view.h; does not wait.
    std::vector<std::string> read_keys();
    // Its size is another.
    void resize();

  private:
    explicit Terminal(void* screen) : screen_(screen) {}
    void start_colours();

    void* screen_;  // SCREEN*
    bool has_colours_ = false;
};

// Runs a task on the loop whenever something was typed, and sleeps otherwise. A thread of its own, which ends
// with it.
class KeyWatch {
  public:
    // `typed` reads all keys there are. `closed` runs once, when the terminal has gone.
    KeyWatch(io::Loop& loop, io::Task typed, io::Task closed);
    ~KeyWatch();
    KeyWatch(const KeyWatch&) = delete;
    KeyWatch& operator=(const KeyWatch&) = delete;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::cli::top
