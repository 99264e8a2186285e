#include "cli/top/terminal.h"

#define NCURSES_NOMACROS
#include <curses.h>
#include <fmt/format.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>

#include "base/check.h"

namespace joiner::cli::top {
namespace {

constexpr int kEscapeWaitMilliseconds = 25;  // For the rest of a key that begins with Esc.

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

bool wants_plain_letters() {
    return environment("TERM") == "dumb" || !environment("NO_COLOR").empty();
}

attr_t attribute_of(Ink ink, bool has_colours) {
    switch (ink) {
        case Ink::kPlain:
            return A_NORMAL;
        case Ink::kTitle:
            return A_BOLD;
        case Ink::kGood:
            return has_colours ? COLOR_PAIR(1) : A_NORMAL;
        case Ink::kWarn:
            return has_colours ? COLOR_PAIR(2) : A_BOLD;
        case Ink::kBad:
            return has_colours ? COLOR_PAIR(3) | A_BOLD : A_BOLD;
        case Ink::kDim:
            return A_DIM;
    }
    return A_NORMAL;
}

constexpr std::pair<int, std::string_view> kKeyNames[] = {
    {KEY_UP, "Up"},        {KEY_DOWN, "Down"},
    {KEY_PPAGE, "PageUp"}, {KEY_NPAGE, "PageDown"},
    {KEY_HOME, "Home"},    {KEY_END, "End"},
    {KEY_ENTER, "Enter"},  {'\n', "Enter"},
    {'\r', "Enter"},       {KEY_BACKSPACE, "Backspace"},
    {127, "Backspace"},    {8, "Backspace"},
    {27, "Esc"},
};

// Empty: no key that means anything.
std::string key_name(int code) {
    for (const auto& [its, name] : kKeyNames) {
        if (its == code) return std::string(name);
    }
    if (code >= KEY_F(1) && code <= KEY_F(12)) return fmt::format("F{}", code - KEY_F0);
    return code >= ' ' && code <= '~' ? std::string(1, static_cast<char>(code)) : std::string();
}

}  // namespace

Style style_of_environment() {
    std::setlocale(LC_CTYPE, "");
    return {.has_utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && !wants_plain_letters()};
}

std::optional<Size> terminal_size() {
    winsize its{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &its) != 0 || its.ws_col == 0 || its.ws_row == 0)
        return std::nullopt;
    return Size{its.ws_col, its.ws_row};
}

Result<std::unique_ptr<Terminal>> Terminal::open() {
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return invalid(
            "joiner top needs a terminal, and there is none here; --once prints one frame as text");
    std::setlocale(LC_CTYPE, "");
    SCREEN* screen = newterm(nullptr, stdout, stdin);
    if (screen == nullptr)
        return invalid(fmt::format(
            "nothing is known of terminals of type \"{}\"; set TERM to what yours is, or print one frame as "
            "text with --once",
            environment("TERM")));
    std::unique_ptr<Terminal> out(new Terminal(screen));
    // What moves the cursor.
    if (tigetstr("cup") == nullptr)
        return invalid(
            fmt::format("a terminal of type \"{}\" cannot move its cursor; --once prints one frame as text",
                        environment("TERM")));
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, true);
    nodelay(stdscr, true);
    set_escdelay(kEscapeWaitMilliseconds);
    curs_set(0);
    out->start_colours();
    return out;
}

Terminal::~Terminal() {
    endwin();
    delscreen(static_cast<SCREEN*>(screen_));
}

void Terminal::start_colours() {
    if (wants_plain_letters() || !has_colors() || start_color() == ERR) return;
    const short paper = use_default_colors() == ERR ? COLOR_BLACK : static_cast<short>(-1);
    init_pair(1, COLOR_GREEN, paper);
    init_pair(2, COLOR_YELLOW, paper);
    init_pair(3, COLOR_RED, paper);
    has_colours_ = true;
}

Size Terminal::size() const {
    return {getmaxx(stdscr), getmaxy(stdscr)};
}

void Terminal::show(const Frame& frame) {
    for (std::size_t y = 0; y < frame.size(); ++y) {
        if (wmove(stdscr, static_cast<int>(y), 0) == ERR) break;
        for (const Span& span : frame[y].spans) {
            const attr_t selected = frame[y].is_selected ? A_REVERSE : A_NORMAL;
            wattrset(stdscr, static_cast<int>(attribute_of(span.ink, has_colours_) | selected));
            waddnstr(stdscr, span.text.data(), static_cast<int>(span.text.size()));
        }
        wattrset(stdscr, A_NORMAL);
        // A full line has nothing to clear, and the cursor may stand on the next one already.
        if (getcury(stdscr) == static_cast<int>(y)) wclrtoeol(stdscr);
    }
    wrefresh(stdscr);
}

std::vector<std::string> Terminal::read_keys() {
    constexpr int kRedraw = 12;  // Ctrl-L
    std::vector<std::string> out;
    for (int code = wgetch(stdscr); code != ERR; code = wgetch(stdscr)) {
        if (code == kRedraw) clearok(stdscr, true);
        if (std::string name = key_name(code); !name.empty()) out.push_back(std::move(name));
    }
    return out;
}

void Terminal::resize() {
    if (const std::optional<Size> its = terminal_size()) resizeterm(its->rows, its->columns);
    // Terminals shift what they show, each in its own way.
    clearok(stdscr, true);
}

class KeyWatch::Impl {
  public:
    Impl(io::Loop& loop, io::Task typed, io::Task closed)
        : loop_(loop), typed_(std::move(typed)), closed_(std::move(closed)), end_(eventfd(0, EFD_CLOEXEC)) {
        CHECK(end_ >= 0);
        thread_ = std::thread([this] { watch(); });
    }
    ~Impl() {
        const std::uint64_t one = 1;
        CHECK(write(end_, &one, sizeof one) == sizeof one);
        was_read_.release();
        thread_.join();
        close(end_);
    }

  private:
    void watch() {
        while (true) {
            std::array<pollfd, 2> watched = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{end_, POLLIN, 0}};
            // A signal may interrupt it.
            if (poll(watched.data(), watched.size(), -1) < 0) continue;
            if (watched[1].revents != 0) return;
            if ((watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
                loop_.post([closed = closed_] { closed(); });
                return;
            }
            if (watched[0].revents == 0) continue;
            loop_.post([this] {
                typed_();
                was_read_.release();
            });
            was_read_.acquire();
        }
    }

    io::Loop& loop_;
    const io::Task typed_;
    const io::Task closed_;
    const int end_;
    std::counting_semaphore<> was_read_{0};
    std::thread thread_;
};

KeyWatch::KeyWatch(io::Loop& loop, io::Task typed, io::Task closed)
    : impl_(std::make_unique<Impl>(loop, std::move(typed), std::move(closed))) {}
KeyWatch::~KeyWatch() = default;

}  // namespace joiner::cli::top
