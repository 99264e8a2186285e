// Keeps the memory of stock-outs and of interruptions in the API server, in a ConfigMap of our own, so that a
// restart tries nothing again that was known to be out, and people can read it. The leader alone reads it,
// before it acts, and writes it. Borrows the services, the shortages and the spot prices. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "act/services.h"
#include "control/shortages.h"
#include "control/spot_prices.h"

namespace joiner::control {

class StockMemory {
  public:
    static constexpr std::string_view kName = "joiner-shortages";  // Of the ConfigMap.

    // `ns`: where the ConfigMap is.
    StockMemory(act::Services& services, Shortages& shortages, SpotPrices& spot_prices, std::string ns)
        : services_(services), shortages_(shortages), spot_prices_(spot_prices), ns_(std::move(ns)) {}

    // `done` comes when what is there is known, and after a few seconds in any case: where it cannot be read,
    // we begin without. Once.
    void read(std::function<void()> done);
    bool is_read() const { return is_read_; }
    // Writes what has changed, not more often than every few seconds. Once a second.
    void reconcile();

  private:
    void ask();
    void finish_reading();
    void write();
    void create(const std::string& data);
    void note_written(const Status& written);
    // Grows with each change of either.
    std::uint64_t changes() const { return shortages_.changes() + spot_prices_.changes(); }

    act::Services& services_;
    Shortages& shortages_;
    SpotPrices& spot_prices_;
    std::string ns_;
    std::function<void()> done_;
    WallTime give_up_reading_at_ = kNoTime;
    bool is_read_ = false;
    std::uint64_t written_changes_ = 0;  // What is there has them.
    std::uint64_t writing_changes_ = 0;
    bool is_writing_ = false;
    WallTime write_after_ = kNoTime;
};

}  // namespace joiner::control
