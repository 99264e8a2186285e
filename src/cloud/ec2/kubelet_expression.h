// Expressions in spec.kubelet (Karpenter's feature gate NodeClassCEL): a number that is worked out for each
// instance type. A part of CEL: literals, variables, arithmetic, comparison, `in` over a list of literals,
// logic, `?:`, int(), double(), max(), min(), and startsWith(), endsWith() and contains() of strings. As in
// CEL, an int and a double do not mix (max() and min() take both), and an int that overflows is an error.
// What else CEL has, such as matches(), is refused. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::cloud::ec2 {

// Bounds of what is read.
inline constexpr std::size_t kLongestExpression = 2048;  // Bytes.
inline constexpr int kDeepestExpression = 100;           // Operations inside one another.

// The variables, under the names that expressions know them by.
struct ExpressionFacts {
    std::int64_t vcpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t default_enis = 0;
    std::int64_t ips_per_eni = 0;
    std::int64_t max_pods = 0;
    std::string instance_type;
};

struct ExpressionTree;

// Read and type-checked. A value: copies share what was read.
class KubeletExpression {
  public:
    // kInvalid: what is wrong, and at which character, counted from 1.
    static Result<KubeletExpression> parse(std::string_view text);

    // A double is truncated towards zero. kInvalid: an overflow, a division by zero, a double that is no int.
    Result<std::int64_t> evaluate(const ExpressionFacts& facts) const;

    const std::string& text() const;

  private:
    explicit KubeletExpression(std::shared_ptr<const ExpressionTree> tree) : tree_(std::move(tree)) {}
    std::shared_ptr<const ExpressionTree> tree_;
};

}  // namespace joiner::cloud::ec2
