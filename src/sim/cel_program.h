// The tree of a compiled expression. Private to cel_*.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/cel.h"

namespace joiner::sim::cel {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
    enum class Kind {
        kLiteral,      // literal
        kName,         // text
        kList,         // parts
        kMember,       // parts[0].text
        kIndex,        // parts[0][parts[1]]
        kHas,          // has(parts[0]), a kMember
        kCall,         // text(parts…)
        kMethod,       // parts[0].text(parts[1]…)
        kMacro,        // parts[0].text(variable, parts[1])
        kUnary,        // text parts[0]
        kBinary,       // parts[0] text parts[1]
        kConditional,  // parts[0] ? parts[1] : parts[2]
    };
    Kind kind = Kind::kLiteral;
    std::string text;
    std::string variable;
    Json literal;
    std::vector<ExpressionPtr> parts;
};

class Program {
  public:
    ExpressionPtr root;
    bool mentions_old_self = false;
};

}  // namespace joiner::sim::cel
