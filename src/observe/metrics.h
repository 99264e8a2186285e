// Prometheus metrics under Karpenter's names (prefix karpenter_), and our own few under joiner_. Values are
// set on the loop's thread and read by the metrics server's; it does the locking.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace joiner::observe {

using Labels = std::map<std::string, std::string>;

class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // Names without prefix get "karpenter_"; those that begin with "joiner_", "aws_" or "operator_" stay.
    void count(std::string_view name, const Labels& labels, double by = 1);
    void set(std::string_view name, const Labels& labels, double value);
    // Drops the series, of an object that is no more.
    void drop(std::string_view name, const Labels& labels);
    // Into a histogram with Karpenter's 45 duration buckets, or its eight for reboots.
    void observe(std::string_view name, const Labels& labels, double seconds);

    // The exposition text. Any thread.
    std::string text() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::observe
