// Why a pool has nothing to sell, found and not guessed: whose types nobody knows, which key nobody defines,
// which requirement leaves no type and what there is instead. Pure; any thread.
#pragma once

#include <string>

#include "model/snapshot.h"
#include "rules/requirement.h"

namespace joiner::plan {

// Nobody here knows the types, or a label that it asks for; empty where neither is so.
std::string why_nothing_is_sold(const model::PoolView& pool);

// Of its requirements, those on keys that some of its types or their offerings define. The others become
// labels of its nodes.
rules::Requirements requirements_on_types(const model::PoolView& pool);

// REQUIRES: no available offering of its types meets all its requirements.
std::string why_no_type_is_left(const model::PoolView& pool, const model::TypesSource& source);

}  // namespace joiner::plan
