#include "plan/provision/exact.h"

#include "plan/provision/few_pods.h"

namespace joiner::plan {

std::optional<Draft> cheapest_draft(const Market& market, std::uint64_t effort) {
    if (market.bins() > 0 || market.has_caps() || market.has_crowds() || market.some_open() ||
        market.has_limits())
        return std::nullopt;
    FewPodsQuestion question;
    question.columns = market.columns(false);
    for (LotIndex lot = 0; lot < market.lots().size(); ++lot) {
        question.counts.push_back(market.lots()[lot].count);
        question.requests.insert(question.requests.end(), market.request(lot),
                                 market.request(lot) + market.dimensions());
    }
    for (OfferIndex j = 0; market.kinds() > 1 && j < market.offers().size(); ++j) {
        for (const Lot& lot : market.lots()) question.admits.push_back(market.admits(j, lot.kind));
    }
    const auto found = cheapest_for_few(question, effort);
    if (!found) return std::nullopt;
    Draft out;
    out.price = found->cost;
    out.is_complete = true;
    for (const FewPodsAnswer::Machine& machine : found->machines) {
        DraftNode& node = out.nodes.emplace_back();
        node.offer = static_cast<OfferIndex>(machine.column);
        for (LotIndex lot = 0; lot < machine.counts.size(); ++lot) {
            if (machine.counts[lot] > 0) node.take.push_back({lot, machine.counts[lot]});
        }
    }
    return out;
}

}  // namespace joiner::plan
