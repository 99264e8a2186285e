// What `joiner top` shows of a cluster: rows of nodes, of pools and of one node's pods, and the sums over all
// of them. Sorted and filtered as its user has chosen. Pure data and pure functions; the thread that owns the
// cluster. Amounts are milli-cores and bytes, money is dollars an hour.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/top/node_facts.h"
#include "model/cluster.h"
#include "rules/money.h"

namespace joiner::cli::top {

enum class NodeStage {
    kReady,
    kLaunching,    // A claim without a machine.
    kRegistering,  // A machine whose node is not there, or has not joined yet.
    kStarting,     // Joined, and not yet open to all pods.
    kNotReady,
    kCordoned,
    kLeaving,   // Chosen to go; what replaces it comes up first.
    kDraining,  // Deleted, and its pods are on their way out.
    kGone,      // Was there a moment ago.
};
std::string_view stage_word(NodeStage stage);

// What is used, as the metrics API says.
struct Use {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
};
using UseByNode = std::map<std::string, Use, std::less<>>;
// Of a NodeMetrics list, or of one NodeMetrics. Errors: it is neither. What one item has wrong, it is left
// out for.
Result<UseByNode> parse_use(std::string_view json);

struct Load {
    std::int64_t cpu_asked = 0;
    std::int64_t cpu_allocatable = 0;
    std::int64_t memory_asked = 0;
    std::int64_t memory_allocatable = 0;
    std::optional<Use> use;  // nullopt: not known.
    std::int64_t pods = 0;
    std::int64_t nodes = 0;
    rules::Money price;
    rules::Money idle;  // The part of the price that nobody asked for.
    std::int64_t unpriced = 0;
    std::int64_t estimated = 0;  // Prices.

    double cpu_share() const;
    double memory_share() const;
    void add(const Load& other);
};

// A node, or a pool with its nodes' sums.
struct Row {
    std::string name;
    std::string pool;
    std::string type;
    std::string zone;
    std::string capacity_type;
    Load load;
    WallTime created = kNoTime;  // kNoTime: not known.
    NodeStage stage = NodeStage::kReady;
    std::string kept_by;
};

struct PodRow {
    std::string name;  // "ns/name"
    std::int64_t cpu_asked = 0;
    std::int64_t memory_asked = 0;
    WallTime created = kNoTime;
    std::string_view kind;   // "daemon", "mirror", or empty.
    std::string_view state;  // "runs", "starts", "ends" or "ended".
};

struct Picture {
    std::string source;     // Which cluster.
    std::vector<Row> rows;  // Nodes by name, and claims that have none yet.
    Load sum;
    std::int64_t waiting = 0;  // Pods.
    std::string problem;       // One sentence; empty: all is well.
    bool is_loading = false;   // Not all of it has been read once.
    WallTime now = kNoTime;
};

struct PictureSources {
    const model::Cluster& cluster;
    const FactsByName& facts;
    const UseByNode* use = nullptr;  // nullptr: there is no metrics API.
    WallTime now;
};
Picture make_picture(const PictureSources& sources);
// Of one node, by what they ask for, the most first.
std::vector<PodRow> pods_of(const model::Cluster& cluster, std::string_view node);

// Nodes that were there are shown as gone for a while.
class GoneNodes {
  public:
    static constexpr Duration kShownFor = std::chrono::seconds{10};
    // Adds those that are missing since the last picture; the sums are not theirs.
    void add_to(Picture& picture);

  private:
    struct Last {
        Row row;
        std::optional<WallTime> gone_at;
    };
    std::map<std::string, Last, std::less<>> last_;
};

// A pool each, by name; its load is its nodes'.
std::vector<Row> pool_rows(const std::vector<Row>& nodes);

enum class SortBy { kCpu, kMemory, kAge, kPrice, kIdle, kPods, kName, kStage };
inline constexpr SortBy kSortOrder[] = {SortBy::kName,  SortBy::kCpu,  SortBy::kMemory, SortBy::kPods,
                                        SortBy::kPrice, SortBy::kIdle, SortBy::kAge,    SortBy::kStage};
std::string_view sort_word(SortBy by);
// The most first, but names from a to z and stages that need a look first; ties by price, then name.
void sort_rows(std::vector<Row>& rows, SortBy by, bool is_reversed);
// Any of its words holds the text, whatever the case.
bool matches(const Row& row, std::string_view text);

}  // namespace joiner::cli::top
