// What the page shows of the past: money every ten seconds for a day, and the decisions that people care for
// as history. Bounded; what is older is gone, and counted. Nothing of it outlives the process. Pure; loop
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "observe/decision.h"
#include "rules/money.h"

namespace joiner::control {

struct MoneySample {
    WallTime at = kNoTime;
    rules::Money price = {};                 // An hour, of all nodes that have a price.
    std::optional<rules::Money> bound = {};  // nullopt: nothing is known to be sold.
    rules::Money promised = {};              // An hour, see Savings.
    rules::Money realised = {};
};

struct HistoryEntry {
    std::uint64_t number = 0;  // Grows by one; the first is 1.
    WallTime at = kNoTime;
    observe::SubjectKind kind = observe::SubjectKind::kNode;
    std::string name;
    std::string verdict;
    std::string why = {};                               // One sentence, or several joined by "; ".
    std::optional<rules::Money> dollars_per_hour = {};  // What it saves, or of something bought: costs.
};

class PageBook {
  public:
    static constexpr Duration kBetweenSamples = std::chrono::seconds{10};
    static constexpr std::size_t kMostSamples = 8640;  // A day.
    static constexpr std::size_t kMostEntries = 2000;
    static constexpr std::size_t kMostWhy = 1000;  // Bytes.

    void add(const MoneySample& sample);
    // Claims and nodes bought, come up, failed, given up, removed, and nodes that leave; others are no
    // history. REQUIRES: in the order of time.
    void note(const observe::Decision& decision);

    const std::deque<MoneySample>& samples() const { return samples_; }
    const std::deque<HistoryEntry>& history() const { return history_; }
    // How many there were that are not kept any more.
    std::uint64_t samples_cut_off() const { return samples_cut_off_; }
    std::uint64_t history_cut_off() const { return next_ - 1 - history_.size(); }

  private:
    std::deque<MoneySample> samples_;
    std::deque<HistoryEntry> history_;
    std::uint64_t samples_cut_off_ = 0;
    std::uint64_t next_ = 1;
};

}  // namespace joiner::control
