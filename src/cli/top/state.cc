#include "cli/top/state.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "api/names.h"
#include "base/quantity.h"
#include "cli/plan/machines.h"
#include "rules/conditions.h"

namespace joiner::cli::top {
namespace {

double share(std::int64_t part, std::int64_t whole) {
    return whole <= 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool has_taint(const api::Node& node, std::string_view key) {
    return std::any_of(node.taints.begin(), node.taints.end(),
                       [&](const api::Taint& one) { return one.key == key; });
}

NodeStage stage_of(const api::Node& node, const api::NodeClaim* claim) {
    if (node.meta.deleted || (claim != nullptr && claim->meta.deleted)) return NodeStage::kDraining;
    if (has_taint(node, api::kDisruptedTaint)) return NodeStage::kLeaving;
    if (claim != nullptr && !rules::is_true(claim->conditions, "Registered")) return NodeStage::kRegistering;
    if (claim != nullptr && !rules::is_true(claim->conditions, "Initialized")) return NodeStage::kStarting;
    if (!rules::is_true(node.conditions, "Ready")) return NodeStage::kNotReady;
    return node.unschedulable ? NodeStage::kCordoned : NodeStage::kReady;
}

// A core and a GiB bear of the price what they cost on the market.
double worth(std::int64_t cpu_milli, std::int64_t memory_bytes) {
    return kDollarsPerCore * static_cast<double>(cpu_milli) / 1000 +
           kDollarsPerGiB * static_cast<double>(memory_bytes) / (1 << 30);
}

rules::Money idle_of(const Load& load) {
    const double whole = worth(load.cpu_allocatable, load.memory_allocatable);
    if (whole <= 0) return {};
    const double free = worth(std::max<std::int64_t>(0, load.cpu_allocatable - load.cpu_asked),
                              std::max<std::int64_t>(0, load.memory_allocatable - load.memory_asked));
    return rules::Money::from_dollars(load.price.dollars() * free / whole);
}

void put_facts(const FactsByName& facts, Row& row) {
    const auto its = facts.find(row.name);
    if (its != facts.end() && its->second.price) {
        row.load.price = *its->second.price;
        row.load.estimated = its->second.is_estimate ? 1 : 0;
        row.load.idle = idle_of(row.load);
    } else {
        row.load.unpriced = 1;
    }
    if (its != facts.end()) row.kept_by = its->second.kept_by;
}

// By its name alone: metrics of nodes that are not there harm nobody.
std::optional<std::pair<std::string, Use>> use_of_item(const nlohmann::json& item) {
    const auto text = [](const nlohmann::json& object, const char* key) -> const std::string* {
        const auto it = object.find(key);
        return it == object.end() ? nullptr : it->get_ptr<const std::string*>();
    };
    if (!item.is_object()) return std::nullopt;
    const auto meta = item.find("metadata");
    const auto usage = item.find("usage");
    if (meta == item.end() || usage == item.end() || !meta->is_object() || !usage->is_object())
        return std::nullopt;
    const std::string* name = text(*meta, "name");
    const std::string* cpu = text(*usage, "cpu");
    const std::string* memory = text(*usage, "memory");
    if (name == nullptr || cpu == nullptr || memory == nullptr) return std::nullopt;
    const auto cores = Quantity::parse(*cpu);
    const auto bytes = Quantity::parse(*memory);
    if (!cores || !bytes || cores->is_negative() || bytes->is_negative()) return std::nullopt;
    return std::pair{*name, Use{cores->milli_up(), bytes->units_up()}};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// Stages that somebody may want to look at come first.
int weight_of(NodeStage stage) {
    return stage == NodeStage::kReady ? 100 : -static_cast<int>(stage);
}

// Below nought: `a` comes first.
template <typename T>
int compare(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

int compare_rows(const Row& a, const Row& b, SortBy by) {
    switch (by) {
        case SortBy::kCpu:
            return compare(b.load.cpu_share(), a.load.cpu_share());
        case SortBy::kMemory:
            return compare(b.load.memory_share(), a.load.memory_share());
        case SortBy::kAge:
            return compare(a.created, b.created);
        case SortBy::kPrice:
            return compare(b.load.price, a.load.price);
        case SortBy::kIdle:
            return compare(b.load.idle, a.load.idle);
        case SortBy::kPods:
            return compare(b.load.pods, a.load.pods);
        case SortBy::kName:
            return compare(a.name, b.name);
        case SortBy::kStage:
            return compare(weight_of(a.stage), weight_of(b.stage));
    }
    return 0;
}

std::string_view pod_state(const model::PodState& pod) {
    if (pod.is_terminal) return "ended";
    if (pod.deleted) return "ends";
    return pod.is_ready || pod.is_mirror ? "runs" : "starts";
}

}  // namespace

std::string_view stage_word(NodeStage stage) {
    switch (stage) {
        case NodeStage::kReady:
            return "ready";
        case NodeStage::kLaunching:
            return "launching";
        case NodeStage::kRegistering:
            return "registering";
        case NodeStage::kStarting:
            return "starting";
        case NodeStage::kNotReady:
            return "not ready";
        case NodeStage::kCordoned:
            return "cordoned";
        case NodeStage::kLeaving:
            return "leaving";
        case NodeStage::kDraining:
            return "draining";
        case NodeStage::kGone:
            return "gone";
    }
    return "";
}

Result<UseByNode> parse_use(std::string_view text) {
    const nlohmann::json read = nlohmann::json::parse(text, nullptr, false);
    UseByNode out;
    if (read.is_object()) {
        const auto items = read.find("items");
        if (items == read.end()) {
            if (auto one = use_of_item(read)) {
                out.insert(std::move(*one));
                return out;
            }
        } else if (items->is_array() || items->is_null()) {
            for (const nlohmann::json& item : *items) {
                if (auto one = use_of_item(item)) out.insert(std::move(*one));
            }
            return out;
        }
    }
    return invalid("what the metrics API says of nodes cannot be read");
}

double Load::cpu_share() const {
    return share(cpu_asked, cpu_allocatable);
}
double Load::memory_share() const {
    return share(memory_asked, memory_allocatable);
}

void Load::add(const Load& other) {
    cpu_asked += other.cpu_asked;
    cpu_allocatable += other.cpu_allocatable;
    memory_asked += other.memory_asked;
    memory_allocatable += other.memory_allocatable;
    if (other.use) {
        if (!use) use = Use{};
        use->cpu_milli += other.use->cpu_milli;
        use->memory_bytes += other.use->memory_bytes;
    }
    pods += other.pods;
    nodes += other.nodes;
    price += other.price;
    idle += other.idle;
    unpriced += other.unpriced;
    estimated += other.estimated;
}

Picture make_picture(const PictureSources& sources) {
    const model::Cluster& cluster = sources.cluster;
    Picture out;
    out.now = sources.now;
    out.rows.reserve(cluster.nodes().size());
    const auto place = [](const api::Node& node, Row& row) {
        MachineFacts machine = machine_facts(node);
        row.type = std::move(machine.type);
        row.zone = std::move(machine.zone);
        row.capacity_type = std::move(machine.capacity_type);
    };
    for (const auto& [name, state] : cluster.nodes()) {
        const model::ClaimState* claim = cluster.claim_of(state.node);
        Row& row = out.rows.emplace_back();
        row.name = name;
        row.pool = pool_name(cluster, state.node);
        place(state.node, row);
        row.created = state.node.meta.created;
        row.stage = stage_of(state.node, claim == nullptr ? nullptr : &claim->claim);
        row.load.nodes = 1;
        row.load.cpu_asked = state.used.cpu_milli;
        row.load.cpu_allocatable = state.allocatable.cpu_milli;
        row.load.memory_asked = state.used.memory_bytes;
        row.load.memory_allocatable = state.allocatable.memory_bytes;
        // Each pod that has not ended asks for one of "pods".
        row.load.pods = state.used.pods;
        if (sources.use != nullptr) {
            const auto use = sources.use->find(name);
            if (use != sources.use->end()) row.load.use = use->second;
        }
        put_facts(sources.facts, row);
    }
    for (const auto& [name, state] : cluster.claims()) {
        if (cluster.node_of(state.claim) != nullptr) continue;
        api::Node to_come;
        to_come.meta.labels = state.claim.meta.labels;
        Row& row = out.rows.emplace_back();
        row.name = name;
        row.pool = pool_name(cluster, to_come);
        place(to_come, row);
        row.created = state.claim.meta.created;
        row.stage = state.claim.meta.deleted          ? NodeStage::kDraining
                    : state.claim.provider_id.empty() ? NodeStage::kLaunching
                                                      : NodeStage::kRegistering;
        put_facts(sources.facts, row);
        row.load.idle = {};
    }
    for (const Row& row : out.rows) out.sum.add(row.load);
    out.waiting = static_cast<std::int64_t>(cluster.unbound_pods().size());
    return out;
}

std::vector<PodRow> pods_of(const model::Cluster& cluster, std::string_view node) {
    std::vector<PodRow> out;
    const model::NodeState* state = cluster.find_node(node);
    if (state == nullptr) return out;
    for (const auto& [key, pod] : state->pods) {
        PodRow& row = out.emplace_back();
        row.name = key;
        if (pod->shape != nullptr) {
            row.cpu_asked = pod->shape->requests.cpu_milli;
            row.memory_asked = pod->shape->requests.memory_bytes;
        }
        row.created = pod->created;
        row.kind = pod->is_daemon ? "daemon" : pod->is_mirror ? "mirror" : "";
        row.state = pod_state(*pod);
    }
    std::sort(out.begin(), out.end(), [](const PodRow& a, const PodRow& b) {
        return std::tie(b.cpu_asked, b.memory_asked, a.name) < std::tie(a.cpu_asked, a.memory_asked, b.name);
    });
    return out;
}

void GoneNodes::add_to(Picture& picture) {
    for (auto& [name, last] : last_) {
        if (!last.gone_at) last.gone_at = picture.now;
    }
    for (const Row& row : picture.rows) last_[row.name] = {row, std::nullopt};
    std::erase_if(last_, [&](const auto& one) {
        return one.second.gone_at && picture.now - *one.second.gone_at >= kShownFor;
    });
    for (const auto& [name, last] : last_) {
        if (!last.gone_at) continue;
        Row row = last.row;
        row.stage = NodeStage::kGone;
        row.load = {};
        row.kept_by.clear();
        picture.rows.push_back(std::move(row));
    }
}

std::vector<Row> pool_rows(const std::vector<Row>& nodes) {
    std::map<std::string, Row> pools;
    for (const Row& node : nodes) {
        if (node.stage == NodeStage::kGone) continue;
        Row& pool = pools[node.pool];
        pool.name = node.pool.empty() ? "(none)" : node.pool;
        pool.pool = node.pool;
        if (pool.created == kNoTime || (node.created != kNoTime && node.created < pool.created))
            pool.created = node.created;
        pool.load.add(node.load);
    }
    std::vector<Row> out;
    for (auto& [name, pool] : pools) out.push_back(std::move(pool));
    return out;
}

std::string_view sort_word(SortBy by) {
    switch (by) {
        case SortBy::kCpu:
            return "CPU";
        case SortBy::kMemory:
            return "memory";
        case SortBy::kAge:
            return "age";
        case SortBy::kPrice:
            return "price";
        case SortBy::kIdle:
            return "idle dollars";
        case SortBy::kPods:
            return "pods";
        case SortBy::kName:
            return "name";
        case SortBy::kStage:
            return "state";
    }
    return "";
}

void sort_rows(std::vector<Row>& rows, SortBy by, bool is_reversed) {
    std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
        if (const int order = compare_rows(a, b, by); order != 0) return is_reversed ? order > 0 : order < 0;
        return std::tie(b.load.price, a.name) < std::tie(a.load.price, b.name);
    });
}

bool matches(const Row& row, std::string_view text) {
    const std::string wanted = lower(text);
    for (const std::string_view word :
         {std::string_view(row.name), std::string_view(row.pool), std::string_view(row.type),
          std::string_view(row.zone), std::string_view(row.capacity_type), stage_word(row.stage),
          std::string_view(row.kept_by)}) {
        if (lower(word).find(wanted) != std::string::npos) return true;
    }
    return false;
}

}  // namespace joiner::cli::top
