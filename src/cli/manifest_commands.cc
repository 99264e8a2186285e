// `joiner crds` and `joiner validate`.
#include <fmt/format.h>

#include <cstdio>

#include "api/codec.h"
#include "cli/commands.h"
#include "cli/world.h"
#include "embedded_crds.h"
#include "rules/budget.h"
#include "rules/node_pool_rules.h"

namespace joiner::cli {
namespace {

// The mistakes in one document, beyond what reading it shows.
std::vector<std::string> problems_of(const api::Document& document) {
    if (document.kind != "NodePool") return {};
    const auto pool = api::decode_node_pool(document.json);
    if (!pool) return {pool.error().message};
    std::vector<std::string> out;
    const std::string problems = rules::validate_node_pool(*pool, rules::RestrictedLabels{});
    if (!problems.empty()) out.push_back(fmt::format("NodePool {}: {}", pool->meta.name, problems));
    if (const auto budgets = rules::check_budgets(*pool); !budgets) {
        out.push_back(fmt::format("NodePool {}: {}", pool->meta.name, budgets.error().message));
    }
    return out;
}

}  // namespace

int run_crds() {
    for (const auto& file : embedded::crds()) {
        if (!file.text.starts_with("---")) std::fputs("---\n", stdout);
        std::fwrite(file.text.data(), 1, file.text.size(), stdout);
    }
    return 0;
}

int run_validate(const std::vector<std::string>& files) {
    const auto documents = read_manifests(files);
    if (!documents) return refuse(documents.error().message);
    std::size_t mistakes = 0;
    for (const api::Document& document : *documents) {
        World world(rules::PreferencePolicy::kRespect);
        std::vector<std::string> problems = problems_of(document);
        if (const Status read = fill_world({document}, WallTime{}, world); !read)
            problems.push_back(read.error().message);
        problems.insert(problems.end(), world.warnings.begin(), world.warnings.end());
        for (const std::string& problem : problems) fmt::print("{}\n", problem);
        mistakes += problems.size();
    }
    if (mistakes > 0) return refuse(fmt::format("{} mistakes in {} documents", mistakes, documents->size()));
    fmt::print("{} documents are fine\n", documents->size());
    return 0;
}

}  // namespace joiner::cli
