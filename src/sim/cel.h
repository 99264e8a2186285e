// The part of the Common Expression Language that validation rules of custom resources use: literals, has(),
// in, comparisons, arithmetic, the list macros, and a handful of functions. No types are checked ahead; an
// expression that goes wrong at run time is an error, which a rule counts as not kept. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sim/json.h"

namespace joiner::sim::cel {

class Program;
using ProgramPtr = std::shared_ptr<const Program>;

// Errors are kInvalid: a syntax error, or something beyond the subset.
Result<ProgramPtr> compile(std::string_view source);

bool mentions_old_self(const Program& program);
// REQUIRES: `old_self` unless the program does not mention it.
Result<bool> evaluate(const Program& program, const Json& self, const Json* old_self);

}  // namespace joiner::sim::cel
