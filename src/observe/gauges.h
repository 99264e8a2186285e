// The gauges behind Metrics, for tens of thousands of series: each label with its value is kept once, and a
// series is the numbers of its labels. Set on the loop's thread, written on the metrics server's; it does the
// locking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "observe/metrics.h"

namespace joiner::observe {

class Gauges {
  public:
    struct Names {
        std::string full;  // As it is exposed.
        std::string help;
    };
    // Of a gauge that is set for the first time.
    using NamesOf = Names (*)(std::string_view name);

    explicit Gauges(NamesOf names_of) : names_of_(names_of) {}

    void set(std::string_view name, const Labels& labels, double value);
    // Nothing where there is no such series.
    void drop(std::string_view name, const Labels& labels);
    // Appends them as Prometheus reads them, by name. The lock is held for one name at a time.
    void write(std::string& out) const;
    // For how many labels there has been room so far; those of series that are gone are used again.
    std::size_t room_for_labels() const;

  private:
    using Series = std::u32string;  // Numbers of labels, in the order of their keys.
    struct Label {
        const std::string* text = nullptr;  // zone="a"
        std::uint32_t uses = 0;             // In series.
    };
    struct Family {
        Names names;
        std::unordered_map<Series, double> values;
    };

    Family& family(std::string_view name);
    // false: some of the labels are in no series.
    bool find(const Labels& labels, Series& out) const;
    void add(const Labels& labels, Series& out);
    void let_go(const Series& series);
    void write(const Family& family, std::string& out) const;

    const NamesOf names_of_;
    mutable std::mutex mutex_;
    std::map<std::string, Family, std::less<>> families_;
    std::unordered_map<std::string, char32_t> numbers_;  // By the label's text.
    std::vector<Label> labels_;
    std::vector<char32_t> free_;  // Numbers of labels that are in no series.
};

}  // namespace joiner::observe
