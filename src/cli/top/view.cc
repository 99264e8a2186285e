#include "cli/top/view.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace joiner::cli::top {
namespace {

constexpr std::size_t kLongestFilter = 60;

using Handler = void (*)(View&, const Shown&, std::size_t page);

void select(View& view, const Shown& shown, std::size_t index) {
    if (shown.size() == 0) return;
    view.index = std::min(index, shown.size() - 1);
    view.selected = shown.name(view.index);
}

void up_by(View& view, const Shown& shown, std::size_t lines) {
    select(view, shown, view.index - std::min(view.index, lines));
}

template <SortBy kBy>
void sort_by(View& view, const Shown&, std::size_t) {
    view.sort = kBy;
    view.is_reversed = false;
}

void move_sort(View& view, std::size_t steps) {
    const auto* const at = std::find(std::begin(kSortOrder), std::end(kSortOrder), view.sort);
    const std::size_t next =
        (static_cast<std::size_t>(at - std::begin(kSortOrder)) + steps) % std::size(kSortOrder);
    view.sort = kSortOrder[next];
    view.is_reversed = false;
}

void start_anew(View& view) {
    view.selected.clear();
    view.index = 0;
    view.top = 0;
}

void open_selected(View& view, const Shown& shown, std::size_t) {
    if (shown.is_of_pods || view.index >= shown.size()) return;
    const Row& row = shown.rows[view.index];
    if (view.shows_pools) {
        view.shows_pools = false;
        view.filter = row.pool;
        start_anew(view);
        return;
    }
    view.opened = row.name;
    start_anew(view);
}

void go_back(View& view, const Shown&, std::size_t) {
    if (std::exchange(view.shows_help, false)) return;
    if (!view.opened.empty()) {
        view.selected = std::exchange(view.opened, {});
        return;
    }
    view.filter.clear();
}

// Several names of one key: no entry of its own in the help.
struct Binding {
    std::string_view key;
    Handler handle;
};
constexpr Binding kBindings[] = {
    {"Up", [](View& view, const Shown& shown, std::size_t) { up_by(view, shown, 1); }},
    {"k", [](View& view, const Shown& shown, std::size_t) { up_by(view, shown, 1); }},
    {"Down", [](View& view, const Shown& shown, std::size_t) { select(view, shown, view.index + 1); }},
    {"j", [](View& view, const Shown& shown, std::size_t) { select(view, shown, view.index + 1); }},
    {"PageUp", [](View& view, const Shown& shown, std::size_t page) { up_by(view, shown, page); }},
    {"PageDown",
     [](View& view, const Shown& shown, std::size_t page) { select(view, shown, view.index + page); }},
    {"Home", [](View& view, const Shown& shown, std::size_t) { select(view, shown, 0); }},
    {"g", [](View& view, const Shown& shown, std::size_t) { select(view, shown, 0); }},
    {"End", [](View& view, const Shown& shown, std::size_t) { select(view, shown, shown.size()); }},
    {"G", [](View& view, const Shown& shown, std::size_t) { select(view, shown, shown.size()); }},
    {"P", sort_by<SortBy::kCpu>},
    {"M", sort_by<SortBy::kMemory>},
    {"T", sort_by<SortBy::kAge>},
    {"$", sort_by<SortBy::kPrice>},
    {"D", sort_by<SortBy::kIdle>},
    {"N", sort_by<SortBy::kName>},
    {"S", sort_by<SortBy::kStage>},
    {">", [](View& view, const Shown&, std::size_t) { move_sort(view, 1); }},
    {"F6", [](View& view, const Shown&, std::size_t) { move_sort(view, 1); }},
    {"<", [](View& view, const Shown&, std::size_t) { move_sort(view, std::size(kSortOrder) - 1); }},
    {"I", [](View& view, const Shown&, std::size_t) { view.is_reversed = !view.is_reversed; }},
    {"/", [](View& view, const Shown& shown,
             std::size_t) { view.is_typing_filter = !shown.is_of_pods && !view.shows_help; }},
    {"F4", [](View& view, const Shown& shown,
              std::size_t) { view.is_typing_filter = !shown.is_of_pods && !view.shows_help; }},
    {"p",
     [](View& view, const Shown&, std::size_t) {
         view.shows_pools = !view.shows_pools;
         view.opened.clear();
         start_anew(view);
     }},
    {"Enter", open_selected},
    {"Esc", go_back},
    {"Backspace", go_back},
    {"?", [](View& view, const Shown&, std::size_t) { view.shows_help = !view.shows_help; }},
    {"h", [](View& view, const Shown&, std::size_t) { view.shows_help = !view.shows_help; }},
    {"F1", [](View& view, const Shown&, std::size_t) { view.shows_help = !view.shows_help; }},
    {"q", [](View& view, const Shown&, std::size_t) { view.wants_to_quit = true; }},
    {"F10", [](View& view, const Shown&, std::size_t) { view.wants_to_quit = true; }},
};

constexpr KeyHelp kKeyHelp[] = {
    {"Up Down PgUp PgDn", "move; also k j, Home g, End G"},
    {"P  M  T", "sort by CPU, memory, age"},
    {"$  D  N  S", "sort by price, idle dollars, name, state"},
    {"<  >  F6", "sort by the column before, after"},
    {"I", "turn the order around"},
    {"/  F4", "filter by any word: name, pool, type, zone, state, reason"},
    {"p", "pools, and back to nodes"},
    {"Enter", "the node's pods; of a pool, its nodes"},
    {"Esc", "back; takes the filter off"},
    {"?  F1", "this help"},
    {"q  F10", "quit"},
};

void type_filter(View& view, std::string_view key) {
    if (key == "Enter") {
        view.is_typing_filter = false;
    } else if (key == "Esc") {
        view.is_typing_filter = false;
        view.filter.clear();
    } else if (key == "Backspace") {
        if (!view.filter.empty()) view.filter.pop_back();
    } else if (key.size() == 1 && key[0] >= ' ' && key[0] <= '~' && view.filter.size() < kLongestFilter) {
        view.filter += key;
    }
}

}  // namespace

Shown find_shown(const Picture& picture, const View& view, std::vector<PodRow> pods) {
    Shown out;
    if (!view.opened.empty()) {
        out.is_of_pods = true;
        out.pods = std::move(pods);
        return out;
    }
    out.rows = view.shows_pools ? pool_rows(picture.rows) : picture.rows;
    if (!view.filter.empty())
        std::erase_if(out.rows, [&](const Row& row) { return !matches(row, view.filter); });
    sort_rows(out.rows, view.sort, view.is_reversed);
    return out;
}

void settle(View& view, const Shown& shown, std::size_t page) {
    const std::size_t size = shown.size();
    if (size == 0) {
        view.index = 0;
        view.top = 0;
        return;
    }
    std::size_t found = size;
    for (std::size_t i = 0; i < size && found == size && !view.selected.empty(); ++i) {
        if (shown.name(i) == view.selected) found = i;
    }
    view.index = found == size ? std::min(view.index, size - 1) : found;
    // Nobody has moved yet: the first line stays the selected one, whatever comes to stand there.
    if (!view.selected.empty()) view.selected = shown.name(view.index);
    if (view.index < view.top) view.top = view.index;
    if (page > 0 && view.index >= view.top + page) view.top = view.index - page + 1;
    view.top = std::min(view.top, size > page ? size - page : 0);
}

void press(View& view, std::string_view key, const Shown& shown, std::size_t page) {
    if (view.is_typing_filter) return type_filter(view, key);
    for (const Binding& one : kBindings) {
        if (one.key == key) return one.handle(view, shown, page);
    }
}

std::span<const KeyHelp> key_help() {
    return kKeyHelp;
}

}  // namespace joiner::cli::top
