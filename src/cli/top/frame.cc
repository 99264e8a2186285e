#include "cli/top/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "cli/grouping.h"
#include "cli/plan/cluster_plan.h"

namespace joiner::cli::top {
namespace {

constexpr int kHeadLines = 5;  // The sums, two bars, what is to be said, the titles.
constexpr int kFootLines = 2;  // The selected one in full, the keys.
constexpr int kMostColumns = 1'000;
constexpr int kPercentColumns = 5;  // " 100%"
constexpr double kNearlyFull = 0.9;
constexpr double kHalfEmpty = 0.5;

std::string plain(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            out += c;
        } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
            out += '?';  // One for a character of several bytes.
        }
    }
    return out;
}

// A line that knows how much of it is full.
class LineWriter {
  public:
    explicit LineWriter(int columns) : columns_(columns) {}

    int left() const { return columns_ - used_; }

    void add(std::string_view text, Ink ink = Ink::kPlain) { cell(text, static_cast<int>(text.size()), ink); }

    enum class Side { kLeft, kRight };
    // The text in so many columns, cut where it is longer.
    void cell(std::string_view text, int width, Ink ink = Ink::kPlain, Side side = Side::kLeft) {
        width = std::min(width, left());
        if (width <= 0) return;
        std::string out = plain(text);
        const auto room = static_cast<std::size_t>(width);
        if (out.size() > room) {
            out.resize(room);
            out.back() = '~';
        }
        const std::string blanks(room - out.size(), ' ');
        put(side == Side::kLeft ? out + blanks : blanks + out, width, ink);
    }
    void blank(int width = 1) { cell("", width); }

    // Cells that are used, asked for, both, or neither.
    void bar(int width, double asked, std::optional<double> used, Style style) {
        width = std::min(width, left());
        const int asked_cells = cells(asked, width);
        const int used_cells = cells(used.value_or(asked), width);
        const int both = std::min(asked_cells, used_cells);
        const int either = std::max(asked_cells, used_cells);
        const bool is_over = used_cells > asked_cells;
        put(repeated(style.has_utf8 ? "█" : "#", both), both, asked > kNearlyFull ? Ink::kWarn : Ink::kGood);
        if (is_over) {
            put(repeated(style.has_utf8 ? "▓" : "!", either - both), either - both, Ink::kBad);
        } else {
            put(repeated(style.has_utf8 ? "▒" : "=", either - both), either - both, Ink::kGood);
        }
        put(repeated(style.has_utf8 ? "·" : ".", width - either), width - either, Ink::kDim);
    }

    Line take(bool is_selected = false) {
        if (is_selected) blank(left());
        line_.is_selected = is_selected;
        return std::move(line_);
    }

  private:
    static int cells(double share, int width) {
        const auto out = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
        // What is there is seen.
        return share > 0 && out == 0 ? 1 : out;
    }
    static std::string repeated(std::string_view glyph, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += glyph;
        return out;
    }
    void put(std::string text, int width, Ink ink) {
        if (width <= 0) return;
        used_ += width;
        if (!line_.spans.empty() && line_.spans.back().ink == ink) {
            line_.spans.back().text += text;
        } else {
            line_.spans.push_back({std::move(text), ink});
        }
    }

    int columns_;
    int used_ = 0;
    Line line_;
};
using Side = LineWriter::Side;

std::string age_text(WallTime created, WallTime now) {
    if (created == kNoTime) return "-";
    const auto seconds = std::max<std::int64_t>(0, static_cast<std::int64_t>(to_seconds(now - created)));
    if (seconds < 100) return fmt::format("{}s", seconds);
    if (seconds < 100 * 60) return fmt::format("{}m", seconds / 60);
    if (seconds < 72 * 3600) return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

// Digits are never cut off: a number that has no room has none after the point.
std::string money_cell(rules::Money money, std::size_t width) {
    std::string out = money_text(money);
    return out.size() <= width ? out : fmt::format("{:.0f}", money.dollars());
}

std::string price_cell(const Load& load, int width) {
    if (load.price.nanos == 0 && load.unpriced > 0) return "?";
    const auto room = static_cast<std::size_t>(width);
    return load.estimated > 0 ? "~" + money_cell(load.price, room - 1) : money_cell(load.price, room);
}

std::string percent_cell(double share, std::int64_t whole) {
    return whole <= 0 ? "-" : fmt::format("{:.0f}%", share * 100);
}

std::string cores_text(std::int64_t milli) {
    return fmt::format("{:.{}f}", static_cast<double>(milli) / 1000, milli < 100'000 ? 1 : 0);
}
std::string gib_text(std::int64_t bytes) {
    const double gib = static_cast<double>(bytes) / (1 << 30);
    return fmt::format("{:.{}f}", gib, gib < 100 ? 1 : 0);
}

std::optional<double> used_share(const Load& load, bool of_memory) {
    if (!load.use) return std::nullopt;
    const std::int64_t whole = of_memory ? load.memory_allocatable : load.cpu_allocatable;
    const std::int64_t used = of_memory ? load.use->memory_bytes : load.use->cpu_milli;
    return whole <= 0 ? 0 : static_cast<double>(used) / static_cast<double>(whole);
}

Ink ink_of(NodeStage stage) {
    switch (stage) {
        case NodeStage::kReady:
            return Ink::kPlain;
        case NodeStage::kLaunching:
        case NodeStage::kRegistering:
        case NodeStage::kStarting:
            return Ink::kGood;
        case NodeStage::kNotReady:
            return Ink::kBad;
        case NodeStage::kCordoned:
        case NodeStage::kLeaving:
        case NodeStage::kDraining:
            return Ink::kWarn;
        case NodeStage::kGone:
            return Ink::kDim;
    }
    return Ink::kPlain;
}

// The widths of a list's columns on this screen; nought: it has no room.
struct Widths {
    int name = 0;
    int pool = 0;
    int type = 0;
    int capacity_type = 0;
    int zone = 0;
    int bar = 5;
    int nodes = 0;
    int pods = 5;
    int price = 8;
    int idle = 8;
    int age = 4;
    int stage = 0;
    int kept_by = 0;

    static int with_gap(int width) { return width == 0 ? 0 : width + 1; }
    int all_but(int flexible) const {
        int sum = 1 - with_gap(flexible);  // The mark of the selected line.
        for (const int one : {name, pool, type, capacity_type, zone, bar + kPercentColumns,
                              bar + kPercentColumns, nodes, pods, price, idle, age, stage, kept_by})
            sum += with_gap(one);
        return sum - 1;
    }
};

constexpr int kLeastName = 12;
constexpr int kLeastKeptBy = 20;

int longest_name(const Shown& shown) {
    std::size_t out = kLeastName;
    for (std::size_t i = 0; i < shown.size(); ++i) out = std::max(out, shown.name(i).size());
    return static_cast<int>(std::min<std::size_t>(out, 60));
}

Widths find_widths(const Shown& shown, const View& view, Size size) {
    Widths out;
    const int columns = size.columns;
    out.bar = columns >= 190 ? 14 : columns >= 150 ? 10 : columns >= 76 ? 5 : 3;
    if (view.shows_pools) {
        out.nodes = 6;
        out.pods = 6;
        out.price = 10;
        out.idle = 10;
        if (columns < 76) out.idle = 0;
        out.name = columns - out.all_but(0) - 1;
        out.name = std::clamp(longest_name(shown), 1, std::max(1, out.name));
        return out;
    }
    out.stage = 11;
    out.price = 7;
    out.idle = 6;
    out.pods = 4;
    if (columns < 76) out.idle = out.pods = 0;
    if (columns >= 120) out.pool = 14;
    if (columns >= 140) out.type = 14;
    if (columns >= 160) out.capacity_type = 9;
    if (columns >= 175) out.zone = 13;
    const int room = columns - out.all_but(0) - 1;
    if (columns < 100) {
        out.name = std::max(1, room);
        return out;
    }
    out.name = std::min(std::clamp(longest_name(shown), kLeastName, std::max(kLeastName, room / 2)),
                        std::max(1, room - kLeastKeptBy - 1));
    out.kept_by = std::max(0, room - out.name - 1);
    return out;
}

class FrameDrawer {
  public:
    FrameDrawer(const Picture& picture, const Shown& shown, const View& view, Size size, Style style)
        : picture_(picture), shown_(shown), view_(view), size_(size), style_(style) {}

    Frame make() {
        if (!is_large_enough(size_)) {
            LineWriter line(size_.columns);
            line.add(too_small(size_), Ink::kBad);
            out_.push_back(line.take());
            return fill_up();
        }
        sums();
        sum_bar("CPU", picture_.sum.cpu_asked, picture_.sum.cpu_allocatable, false);
        sum_bar("Mem", picture_.sum.memory_asked, picture_.sum.memory_allocatable, true);
        remark();
        if (view_.shows_help) {
            help();
        } else if (shown_.is_of_pods) {
            pods();
        } else {
            nodes();
        }
        while (out_.size() < static_cast<std::size_t>(size_.rows - kFootLines)) out_.emplace_back();
        selected_in_full();
        keys();
        return fill_up();
    }

  private:
    Frame fill_up() {
        out_.resize(static_cast<std::size_t>(std::max(0, size_.rows)));
        return std::move(out_);
    }
    LineWriter line() const { return LineWriter(size_.columns); }

    void sums() {
        const Load& sum = picture_.sum;
        std::string right = fmt::format("{}  {}  {} waiting  {} $/h, {} idle",
                                        count_of(static_cast<std::size_t>(sum.nodes), "node"),
                                        count_of(static_cast<std::size_t>(sum.pods), "pod"), picture_.waiting,
                                        money_text(sum.price), money_text(sum.idle));
        LineWriter out = line();
        const int room = size_.columns - static_cast<int>(right.size()) - 2;
        const std::string left = "joiner top  " + picture_.source;
        out.cell(left, std::min(static_cast<int>(left.size()), room), Ink::kTitle);
        if (out.left() < size_.columns) out.blank(2);
        out.add(right);
        out_.push_back(out.take());
    }

    void sum_bar(std::string_view title, std::int64_t asked, std::int64_t whole, bool is_memory) {
        const Load& sum = picture_.sum;
        LineWriter out = line();
        out.add(title, Ink::kTitle);
        out.add(" [");
        const double share = is_memory ? sum.memory_share() : sum.cpu_share();
        const std::optional<double> used = used_share(sum, is_memory);
        std::string words =
            fmt::format("] {} asked for: {} of {} {}", percent_cell(share, whole),
                        is_memory ? gib_text(asked) : cores_text(asked),
                        is_memory ? gib_text(whole) : cores_text(whole), is_memory ? "GiB" : "cores");
        if (used) words += fmt::format(", {} used", percent_cell(*used, whole));
        out.bar(std::clamp(out.left() - static_cast<int>(words.size()), 0, 60), share, used, style_);
        out.add(words);
        out_.push_back(out.take());
    }

    void remark() {
        LineWriter out = line();
        const Load& sum = picture_.sum;
        if (!picture_.problem.empty()) {
            out.add(picture_.problem, Ink::kBad);
        } else if (picture_.is_loading) {
            out.add("reading the cluster ...", Ink::kWarn);
        } else if (view_.is_typing_filter) {
            out.add(fmt::format("filter: {}_", view_.filter), Ink::kTitle);
        } else if (!view_.filter.empty() && !shown_.is_of_pods) {
            out.add(fmt::format("filter {}: {} shown; Esc takes it off", view_.filter,
                                count_of(shown_.size(), view_.shows_pools ? "pool" : "node")));
        } else if (sum.estimated > 0 || sum.unpriced > 0) {
            std::string words;
            if (sum.estimated > 0) words = fmt::format("~ {} estimated by cores and memory", sum.estimated);
            if (sum.unpriced > 0)
                words += fmt::format("{}? {} without a price", words.empty() ? "" : ";  ", sum.unpriced);
            out.add(words, Ink::kDim);
        }
        out_.push_back(out.take());
    }

    void nodes() {
        const Widths widths = find_widths(shown_, view_, size_);
        titles(widths);
        each_shown([&](std::size_t i) { node_line(shown_.rows[i], widths, i == view_.index); });
    }

    void each_shown(const auto& print) {
        const std::size_t end = std::min(shown_.size(), view_.top + list_lines(size_));
        for (std::size_t i = view_.top; i < end; ++i) print(i);
        if (shown_.size() == 0) {
            LineWriter out = line();
            out.add(picture_.is_loading ? "" : " nothing to show", Ink::kDim);
            out_.push_back(out.take());
        }
    }

    void titles(const Widths& widths) {
        LineWriter out = line();
        out.blank();
        const auto title = [&](std::string_view text, int width, std::optional<SortBy> by,
                               Side side = Side::kLeft) {
            if (width == 0) return;
            const bool is_sorted = by && *by == view_.sort;
            const std::string mark = is_sorted ? (view_.is_reversed ? "^" : "v") : "";
            out.cell(std::string(text) + mark, width, is_sorted ? Ink::kWarn : Ink::kTitle, side);
            out.blank();
        };
        title(view_.shows_pools ? "POOL" : "NAME", widths.name, SortBy::kName);
        title("POOL", widths.pool, std::nullopt);
        title("TYPE", widths.type, std::nullopt);
        title("CAPACITY", widths.capacity_type, std::nullopt);
        title("ZONE", widths.zone, std::nullopt);
        title("CPU", widths.bar + kPercentColumns, SortBy::kCpu);
        title("MEMORY", widths.bar + kPercentColumns, SortBy::kMemory);
        title("NODES", widths.nodes, std::nullopt, Side::kRight);
        title("PODS", widths.pods, SortBy::kPods, Side::kRight);
        title("$/H", widths.price, SortBy::kPrice, Side::kRight);
        title("IDLE$", widths.idle, SortBy::kIdle, Side::kRight);
        title("AGE", widths.age, SortBy::kAge, Side::kRight);
        title("STATE", widths.stage, SortBy::kStage);
        title("KEPT BY", widths.kept_by, std::nullopt);
        out_.push_back(out.take());
    }

    void load_cell(LineWriter& out, const Row& row, int bar, bool is_memory) const {
        const std::int64_t whole = is_memory ? row.load.memory_allocatable : row.load.cpu_allocatable;
        const double share = is_memory ? row.load.memory_share() : row.load.cpu_share();
        out.bar(bar, share, used_share(row.load, is_memory), style_);
        out.cell(percent_cell(share, whole), kPercentColumns, Ink::kPlain, Side::kRight);
        out.blank();
    }

    void node_line(const Row& row, const Widths& widths, bool is_selected) {
        LineWriter out = line();
        const Load& load = row.load;
        const bool is_gone = row.stage == NodeStage::kGone;
        const auto cell = [&](std::string_view text, int width, Ink ink = Ink::kPlain,
                              Side side = Side::kLeft) {
            if (width == 0) return;
            out.cell(text, width, is_gone ? Ink::kDim : ink, side);
            out.blank();
        };
        out.add(is_selected ? ">" : " ", Ink::kTitle);
        cell(row.name, widths.name);
        cell(row.pool, widths.pool);
        cell(row.type, widths.type);
        cell(row.capacity_type, widths.capacity_type);
        cell(row.zone, widths.zone);
        load_cell(out, row, widths.bar, false);
        load_cell(out, row, widths.bar, true);
        cell(std::to_string(load.nodes), widths.nodes, Ink::kPlain, Side::kRight);
        cell(std::to_string(load.pods), widths.pods, Ink::kPlain, Side::kRight);
        cell(is_gone ? "-" : price_cell(load, widths.price), widths.price, Ink::kPlain, Side::kRight);
        const bool is_waste = load.idle.nanos > 0 && load.idle.dollars() > kHalfEmpty * load.price.dollars();
        cell(load.price.nanos == 0 ? "-" : money_cell(load.idle, static_cast<std::size_t>(widths.idle)),
             widths.idle, is_waste ? Ink::kWarn : Ink::kPlain, Side::kRight);
        cell(age_text(row.created, picture_.now), widths.age, Ink::kPlain, Side::kRight);
        cell(stage_word(row.stage), widths.stage, ink_of(row.stage));
        cell(row.kept_by.empty() ? "-" : row.kept_by, widths.kept_by);
        out_.push_back(out.take(is_selected));
    }

    void pods() {
        const int name = std::max(20, size_.columns - 1 - 9 - 11 - 6 - 8 - 8);
        LineWriter title = line();
        title.blank();
        title.cell("POD", name, Ink::kTitle);
        title.cell("CPU", 9, Ink::kTitle, Side::kRight);
        title.cell("MEMORY", 11, Ink::kTitle, Side::kRight);
        title.cell("AGE", 6, Ink::kTitle, Side::kRight);
        title.cell("  STATE", 8, Ink::kTitle);
        title.cell("  KIND", 8, Ink::kTitle);
        out_.push_back(title.take());
        each_shown([&](std::size_t i) {
            const PodRow& pod = shown_.pods[i];
            const bool is_selected = i == view_.index;
            LineWriter out = line();
            out.add(is_selected ? ">" : " ", Ink::kTitle);
            out.cell(pod.name, name);
            out.cell(pod.cpu_asked == 0 ? "-" : fmt::format("{}m", pod.cpu_asked), 9, Ink::kPlain,
                     Side::kRight);
            out.cell(pod.memory_asked == 0 ? "-" : gib_text(pod.memory_asked) + " GiB", 11, Ink::kPlain,
                     Side::kRight);
            out.cell(age_text(pod.created, picture_.now), 6, Ink::kPlain, Side::kRight);
            out.cell(fmt::format("  {}", pod.state), 8);
            out.cell(fmt::format("  {}", pod.kind), 8, Ink::kDim);
            out_.push_back(out.take(is_selected));
        });
    }

    void help() {
        LineWriter title = line();
        title.add(" KEYS", Ink::kTitle);
        out_.push_back(title.take());
        const auto say = [&](std::string_view left, std::string_view right) {
            if (out_.size() >= static_cast<std::size_t>(size_.rows - kFootLines)) return;
            LineWriter out = line();
            out.blank();
            out.cell(left, 19, Ink::kTitle);
            out.add(right);
            out_.push_back(out.take());
        };
        for (const KeyHelp& one : key_help()) say(one.keys, one.does);
        say("", "");
        const bool utf8 = style_.has_utf8;
        for (const auto& [glyph, meaning] :
             {std::pair{utf8 ? "█" : "#", "asked for; where use is known, asked for and used"},
              std::pair{utf8 ? "▒" : "=", "asked for and not used"},
              std::pair{utf8 ? "▓" : "!", "used beyond what is asked for"}}) {
            if (out_.size() >= static_cast<std::size_t>(size_.rows - kFootLines)) return;
            Line one;
            one.spans = {{std::string(" ") + glyph + std::string(18, ' '), Ink::kGood},
                         {plain(meaning).substr(0, static_cast<std::size_t>(std::max(0, size_.columns - 20))),
                          Ink::kPlain}};
            out_.push_back(std::move(one));
        }
    }

    void selected_in_full() {
        LineWriter out = line();
        if (shown_.is_of_pods) {
            out.add(fmt::format("{} on {}; Esc goes back", count_of(shown_.size(), "pod"), view_.opened),
                    Ink::kTitle);
        } else if (!view_.shows_pools && !view_.shows_help && view_.index < shown_.rows.size()) {
            const Row& row = shown_.rows[view_.index];
            std::string words = row.name;
            for (const std::string& part : {row.pool, row.type, row.capacity_type, row.zone}) {
                if (!part.empty()) words += " " + part;
            }
            // Where there is no room for all, the reason comes first.
            if (!row.kept_by.empty()) {
                const std::string reason = "kept by " + row.kept_by;
                const auto fits = [&](const std::string& text) {
                    return text.size() <= static_cast<std::size_t>(size_.columns);
                };
                words += ": " + reason;
                if (!fits(words)) words = row.name + ": " + reason;
                if (!fits(words)) words = reason;
            }
            out.add(words, Ink::kTitle);
        }
        out_.push_back(out.take());
    }

    void keys() {
        LineWriter out = line();
        out.add(fmt::format("? help  / filter  p {}  Enter {}  P M T $ D sort ({})  q quit",
                            view_.shows_pools ? "nodes" : "pools", view_.shows_pools ? "nodes" : "pods",
                            sort_word(view_.sort)),
                Ink::kDim);
        out_.push_back(out.take());
    }

    const Picture& picture_;
    const Shown& shown_;
    const View& view_;
    const Size size_;
    const Style style_;
    Frame out_;
};

}  // namespace

bool is_large_enough(Size size) {
    return size.columns >= kLeastSize.columns && size.rows >= kLeastSize.rows;
}

std::optional<Size> parse_size(std::string_view text) {
    Size out;
    const char* const end = text.data() + text.size();
    const auto columns = std::from_chars(text.data(), end, out.columns);
    if (columns.ec != std::errc() || columns.ptr == end || *columns.ptr != 'x') return std::nullopt;
    const auto rows = std::from_chars(columns.ptr + 1, end, out.rows);
    const bool is_in_bounds =
        out.columns > 0 && out.columns <= kMostColumns && out.rows > 0 && out.rows <= kMostColumns;
    if (rows.ec != std::errc() || rows.ptr != end || !is_in_bounds) return std::nullopt;
    return out;
}

std::string too_small(Size size) {
    return fmt::format("{}x{} is too small: {}x{} at least", size.columns, size.rows, kLeastSize.columns,
                       kLeastSize.rows);
}

std::size_t list_lines(Size size) {
    return static_cast<std::size_t>(std::max(0, size.rows - kHeadLines - kFootLines));
}

Frame draw(const Picture& picture, const Shown& shown, const View& view, Size size, Style style) {
    return FrameDrawer(picture, shown, view, size, style).make();
}

std::string as_text(const Frame& frame) {
    std::string out;
    for (const Line& line : frame) {
        std::string text;
        for (const Span& span : line.spans) text += span.text;
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + "\n";
    }
    return out;
}

}  // namespace joiner::cli::top
