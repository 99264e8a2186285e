// What the user of `joiner top` has chosen to see, and what each key does to that. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/state.h"

namespace joiner::cli::top {

struct View {
    SortBy sort = SortBy::kIdle;
    bool is_reversed = false;
    std::string filter;
    bool is_typing_filter = false;
    bool shows_pools = false;
    bool shows_help = false;
    std::string opened;     // A node whose pods are shown; empty: none.
    std::string selected;   // Of what is shown, by name; so it stays where the order changes.
    std::size_t index = 0;  // Of the selected one, or where it was.
    std::size_t top = 0;    // The first that is on the screen.
    bool wants_to_quit = false;
};

// What is on the list now, in its order: rows of nodes or pools, or pods of the node that is open.
struct Shown {
    std::vector<Row> rows;
    std::vector<PodRow> pods;
    bool is_of_pods = false;

    std::size_t size() const { return is_of_pods ? pods.size() : rows.size(); }
    const std::string& name(std::size_t i) const { return is_of_pods ? pods[i].name : rows[i].name; }
};
// `pods` are those of the node that is open.
Shown find_shown(const Picture& picture, const View& view, std::vector<PodRow> pods);

// Puts the selection and the first line where the list is now. `page`: how many lines the list has.
void settle(View& view, const Shown& shown, std::size_t page);

// A key by its name: the character itself, or "Up", "Down", "PageUp", "PageDown", "Home", "End", "Enter",
// "Esc", "Backspace", "F1" and so on. Keys that mean nothing do nothing. The view is to be settled then.
void press(View& view, std::string_view key, const Shown& shown, std::size_t page);

struct KeyHelp {
    std::string_view keys;
    std::string_view does;
};
std::span<const KeyHelp> key_help();

}  // namespace joiner::cli::top
