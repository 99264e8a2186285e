// A page that asks for nothing besides itself, to send to whoever pays. Its words are escaped where it is
// made; the table of nodes is filled by its script, with text only, from data that stand in the page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/grouping.h"
#include "cli/plan/cluster_plan.h"

namespace joiner::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPageHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>What this cluster could cost</title><style>
:root{color-scheme:light dark;--ink:#1b2430;--soft:#566274;--line:#d9dee6;--page:#fff;--card:#f5f7fa;--now:#7a869a;--after:#1f7a5c;--mark:#b3261e;--warn:#fff4d6}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#a3adbb;--line:#343d4a;--page:#12171e;--card:#1b222c;--now:#8a96a8;--after:#4cc29a;--mark:#ff8a80;--warn:#3a3214}}
*{box-sizing:border-box}body{margin:0 auto;max-width:68rem;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page)}
h1{font-size:1.7rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0}.soft{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;margin:1.2rem 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem}.card b{display:block;font-size:1.6rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th:first-child,td:first-child{min-width:9rem}td{max-width:34rem}
th{font-weight:600;color:var(--soft)}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{position:relative;height:.8rem;background:var(--card);border-radius:.2rem;margin:.15rem 0;min-width:10rem}.bar i{display:block;height:100%;border-radius:.2rem}
.bar .a{background:var(--now)}.bar .b{background:var(--after)}.bar u{position:absolute;top:-.1rem;bottom:-.1rem;width:2px;background:var(--mark)}
.warn{background:var(--warn);border-radius:.5rem;padding:.4rem 1rem}.key i,.key u{display:inline-block;width:.8rem;height:.8rem;vertical-align:-.1rem;margin:0 .3rem 0 .9rem}.key .a{background:var(--now)}.key .b{background:var(--after)}.key u{background:var(--mark);width:2px}
input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.3rem;padding:.4rem .6rem}input{min-width:16rem}
ul{margin:.3rem 0;padding-left:1.2rem}summary{cursor:pointer}@media print{input,select,.no-print{display:none}}
</style></head><body>
)";

constexpr std::string_view kNodeSearch = R"(<h2 id="nodes-title">Every node</h2>
<p class="no-print"><label>Search <input id="search" type="search" placeholder="node, pool, pod, reason"></label>
<label>Show <select id="which"><option value="">all</option><option value="goes">nodes that go</option><option value="stays">nodes that stay</option><option value="new">nodes that are bought</option></select></label></p>
<p class="soft" id="count" role="status"></p>
<div class="scroll"><table aria-labelledby="nodes-title"><thead><tr><th>Node<th>Pool<th>It<th class="n">$ an hour<th class="n">Saves or costs<th>Why, and where its pods go</tr></thead><tbody id="rows"></tbody></table></div>
<noscript><p>The table of nodes needs the script of this page.</p></noscript>
)";

constexpr std::string_view kScript = R"(<script>
"use strict";
(() => {
  const nodes = JSON.parse(document.getElementById("data").textContent);
  const text = nodes.map(n => [n.node, n.pool, n.fate, ...n.why, ...n.pods.map(p => p.join(" "))].join(" ").toLowerCase());
  const search = document.getElementById("search"), which = document.getElementById("which");
  const body = document.getElementById("rows"), count = document.getElementById("count"), most = 200;
  const cell = (row, value, name) => { const td = row.insertCell(); td.textContent = value; if (name) td.className = name; return td; };
  const money = value => value === 0 ? "" : value.toFixed(4);
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = nodes.map((n, i) => i).filter(i => (!which.value || nodes[i].fate === which.value) && words.every(w => text[i].includes(w)));
    body.replaceChildren();
    for (const i of found.slice(0, most)) {
      const n = nodes[i], row = body.insertRow();
      cell(row, n.node); cell(row, n.pool); cell(row, n.fate);
      cell(row, money(n.price), "n"); cell(row, money(n.money), "n");
      const why = cell(row, "");
      for (const reason of n.why) { const line = document.createElement("div"); line.textContent = reason; why.append(line); }
      if (n.pods.length) {
        const details = document.createElement("details"), summary = document.createElement("summary"), list = document.createElement("ul");
        summary.textContent = n.pods.length + (n.pods.length === 1 ? " pod" : " pods");
        details.append(summary, list); why.append(details);
        details.addEventListener("toggle", () => {
          if (list.childElementCount) return;
          for (const [pod, to] of n.pods) { const item = document.createElement("li"); item.textContent = to ? pod + " to " + to : pod; list.append(item); }
        });
      }
    }
    count.textContent = found.length + " of " + nodes.length + " nodes" + (found.length > most ? ", the first " + most + " shown; search for others" : "");
  };
  search.addEventListener("input", show); which.addEventListener("change", show); show();
})();
</script>
)";

constexpr std::size_t kMostPools = 30;
constexpr std::size_t kMostKeeperRows = 25;
constexpr double kHoursOfMonth = 730;

std::string html_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string monthly(rules::Money money) {
    return fmt::format("{:.0f}", money.dollars() * kHoursOfMonth);
}

double rounded(rules::Money money) {
    return std::round(money.dollars() * 1e6) / 1e6;
}

class PlanPage {
  public:
    explicit PlanPage(const ClusterPlan& plan) : plan_(plan) {}

    std::string make() {
        out_ = kPageHead;
        head();
        pools();
        kept();
        bought();
        remarks();
        out_ += kNodeSearch;
        data();
        out_ += kScript;
        out_ += fmt::format(
            "<p class=\"soft\">Made by joiner {} plan, which reads and changes nothing. Prices are list "
            "prices, in "
            "dollars. A month has {:.0f} hours.</p>\n</body></html>",
            JOINER_VERSION, kHoursOfMonth);
        return std::move(out_);
    }

  private:
    void card(const std::string& figure, const std::string& words) {
        out_ += fmt::format("<div class=\"card\"><b>{}</b>{}</div>\n", html_text(figure), html_text(words));
    }

    void head() {
        const rules::Money saved = plan_.now.price - plan_.after.price;
        out_ +=
            fmt::format("<h1>What this cluster could cost</h1>\n<p class=\"soft\">As of {}</p>\n<p>{}.</p>\n",
                        format_rfc3339(plan_.made_at), html_text(money_sentence(plan_)));
        out_ += "<div class=\"cards\">\n";
        card(monthly(plan_.now.price) + " $",
             fmt::format("a month now, on {}", count_of(plan_.now.nodes, "node")));
        card(monthly(plan_.after.price) + " $",
             fmt::format("a month for the same pods, on {}", count_of(plan_.after.nodes, "node")));
        card(monthly(saved) + " $",
             fmt::format("a month saved, {}", saved_share(plan_.now.price, plan_.after.price)));
        card(monthly(plan_.lower_bound) + " $", "a month: no nodes for these pods cost less");
        out_ += fmt::format("</div>\n<p><b>Next:</b> {}.</p>\n", html_text(next_step(plan_)));
    }

    void pools() {
        rules::Money most;
        for (const PoolMoney& pool : plan_.pools) most = std::max({most, pool.now.price, pool.after.price});
        const auto width = [&](rules::Money money) {
            return most.nanos <= 0 ? 0.0 : std::clamp(100 * money.dollars() / most.dollars(), 0.0, 100.0);
        };
        out_ +=
            "<h2>By pool</h2>\n<p class=\"key soft\"><i class=\"a\"></i>now<i class=\"b\"></i>after<u></u>at "
            "least, "
            "for the pool's pods alone</p>\n<div class=\"scroll\"><table><tr><th>Pool<th><th "
            "class=\"n\">Nodes"
            "<th class=\"n\">after<th class=\"n\">$ an hour<th class=\"n\">after<th class=\"n\">Saves</tr>\n";
        for (std::size_t i = 0; i < std::min(plan_.pools.size(), kMostPools); ++i) {
            const PoolMoney& pool = plan_.pools[i];
            out_ += fmt::format(
                "<tr><td>{}{}<td><div class=\"bar\"><i class=\"a\" style=\"width:{:.1f}%\"></i></div><div "
                "class=\"bar\"><i class=\"b\" style=\"width:{:.1f}%\"></i><u "
                "style=\"left:{:.1f}%\"></u></div>"
                "<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td "
                "class=\"n\">{}</tr>\n",
                html_text(pool.name), pool.is_stand_in ? " <span class=\"soft\">(group of nodes)</span>" : "",
                width(pool.now.price), width(pool.after.price), width(pool.lower_bound), pool.now.nodes,
                pool.after.nodes, money_text(pool.now.price), money_text(pool.after.price),
                saved_share(pool.now.price, pool.after.price));
        }
        out_ += "</table></div>\n";
        if (plan_.pools.size() > kMostPools)
            out_ += fmt::format("<p class=\"soft\">and {} more</p>\n", plan_.pools.size() - kMostPools);
    }

    void kept() {
        const auto sums = plan::sum_keepers(plan_.kept);
        if (sums.empty()) return;
        out_ += fmt::format(
            "<h2>What keeps the other nodes</h2>\n<p>Without what people have set, {} $ an hour more would "
            "be saved "
            "({} $ a month).</p>\n<div class=\"scroll\"><table><tr><th>Rule<th>What it says<th "
            "class=\"n\">Nodes<th "
            "class=\"n\">Costs an hour<th class=\"n\">a month</tr>\n",
            money_text(plan_.lifting_saves), monthly(plan_.lifting_saves));
        for (std::size_t i = 0; i < std::min(sums.size(), kMostKeeperRows); ++i)
            out_ += fmt::format(
                "<tr><td>{}<td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}</tr>\n", sums[i].rule,
                html_text(sums[i].message), sums[i].nodes, money_text(sums[i].cost), monthly(sums[i].cost));
        out_ += "</table></div>\n";
        if (sums.size() > kMostKeeperRows)
            out_ += fmt::format("<p class=\"soft\">and {} more</p>\n", sums.size() - kMostKeeperRows);
    }

    void bought() {
        const std::vector<NodeRow> rows = launch_rows(plan_);
        if (rows.empty()) return;
        out_ +=
            "<h2>What is bought</h2>\n<div class=\"scroll\"><table><tr><th>Pool<th>Machine<th "
            "class=\"n\">Nodes<th "
            "class=\"n\">Pods<th class=\"n\">$ an hour</tr>\n";
        for (const NodeRow& row : rows)
            out_ += fmt::format(
                "<tr><td>{}<td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}</tr>\n",
                html_text(row.pool), html_text(row.what), row.nodes, row.pods, money_text(row.money));
        out_ += "</table></div>\n";
    }

    void remarks() {
        if (plan_.warnings.empty() && plan_.not_read.empty() && plan_.unschedulable.empty()) return;
        out_ += "<h2>What to know</h2>\n<div class=\"warn\"><ul>\n";
        const auto item = [&](const std::string& text) { out_ += "<li>" + html_text(text) + "</li>\n"; };
        for (const NotRead& one : plan_.not_read) item(in_words(one));
        for (const std::string& warning : plan_.warnings) item(warning);
        if (!plan_.unschedulable.empty())
            item(fmt::format("{} would wait still: {}: {}", count_of(plan_.unschedulable.size(), "pod"),
                             plan_.unschedulable.begin()->first, plan_.unschedulable.begin()->second));
        out_ += "</ul></div>\n";
    }

    void data() {
        std::map<std::string_view, Json> pods_of;
        for (const PlannedMove& one : plan_.moves) {
            Json& pods = pods_of.try_emplace(one.from, Json::array()).first->second;
            pods.push_back({one.pod, one.to});
        }
        Json nodes = Json::array();
        const auto add = [&](const std::string& name, const std::string& pool, const char* fate,
                             rules::Money price, rules::Money money, Json why, Json pods) {
            nodes.push_back({{"node", name},
                             {"pool", pool},
                             {"fate", fate},
                             {"price", rounded(price)},
                             {"money", rounded(money)},
                             {"why", std::move(why)},
                             {"pods", std::move(pods)}});
        };
        for (const PlannedRemoval& one : plan_.removals) {
            const auto pods = pods_of.find(one.node);
            add(one.node, one.pool, "goes", one.price, one.saving, Json::array({one.reason}),
                pods == pods_of.end() ? Json::array() : pods->second);
        }
        for (const plan::KeptNode& one : plan_.kept) {
            Json why = Json::array();
            for (const plan::Keeper& keeper : one.reasons)
                why.push_back(fmt::format("{}: {}", plan::kept_rule(keeper.reason.rule),
                                          plan::in_words(keeper.reason)));
            add(one.node, one.pool, "stays", one.price, one.cost(), std::move(why), Json::array());
        }
        for (const PlannedLaunch& one : plan_.launches) {
            Json pods = Json::array();
            for (const std::string& pod : one.pods) pods.push_back({pod, ""});
            add(one.name, one.pool, "new", one.cost, {},
                Json::array({fmt::format("{} {} {}", one.type, one.capacity_type, one.zone)}),
                std::move(pods));
        }
        std::string text = nodes.dump(-1, ' ', false, Json::error_handler_t::replace);
        // No end of the script in it, whatever a label says.
        for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; at += 6)
            text.replace(at, 1, "\\u003c");
        out_ += "<script id=\"data\" type=\"application/json\">" + text + "</script>\n";
    }

    const ClusterPlan& plan_;
    std::string out_;
};

}  // namespace

std::string plan_html(const ClusterPlan& plan) {
    return PlanPage(plan).make();
}

}  // namespace joiner::cli
