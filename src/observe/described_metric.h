// What each metric is, beside its values: the table in metrics.cc, which tools/check_metrics.py holds to
// docs/metrics.md. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace joiner::observe {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram, kSummary };

struct DescribedMetric {
    std::string_view name;  // As Metrics takes it.
    MetricType type;
    std::string_view labels;  // Their keys in order, with spaces between.
    std::string_view help;
};

// By the name that Metrics takes. nullptr: there is none such. Of the conditions of a kind of object
// ("operator_node_…") it is that of all kinds; the labels that a kind adds, of its NodePool and node class,
// are not in it.
const DescribedMetric* described_metric(std::string_view name);

}  // namespace joiner::observe
