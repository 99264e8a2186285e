// The cluster as the page shows it: JSON texts, whose contract is docs/page.md. Pure functions of what they
// are handed; loop thread, since the model is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "control/node_prices.h"
#include "control/page_book.h"
#include "control/running_command.h"
#include "control/savings.h"
#include "model/cluster.h"
#include "observe/decision_log.h"

namespace joiner::control {

// All of one moment, borrowed.
struct PageFacts {
    const model::Cluster& cluster;
    const observe::DecisionLog& decisions;
    const RunningCommands& commands;
    const NodePrices& prices;  // REQUIRES: it has looked.
    const Savings& savings;
    const PageBook& book;
    WallTime now;
};

// What is left out beyond these is counted.
inline constexpr std::size_t kMostPageNodes = 10'000;
inline constexpr std::size_t kMostWaitingGroups = 500;
inline constexpr std::size_t kMostUnpriced = 100;     // Names.
inline constexpr std::size_t kMostShares = 12;        // Pods of one node that are drawn.
inline constexpr std::size_t kMostPodsOfNode = 1000;  // Of /page/node.json.
// Of the past in every state; all of it is in history.json and money.json.
inline constexpr std::size_t kRecentSamples = 60;
inline constexpr std::size_t kRecentEntries = 50;

// Of all nodes that are there.
MoneySample sample_money(const PageFacts& facts);

// /page/state.json. It begins with the member "at", and nothing else in it changes with time alone.
std::string page_state(const PageFacts& facts);
// /page/node.json: the node's pods and all that was decided about it. `name`: of a node, or of a claim that
// has none yet. nullopt: there is none such.
std::optional<std::string> page_node(const PageFacts& facts, std::string_view name);
// /page/history.json and /page/money.json: all that the book has.
std::string page_history(const PageFacts& facts);
std::string page_money(const PageFacts& facts);

}  // namespace joiner::control
