#include "plan/provision/exact.h"

#include "plan/provision/few_pods.h"

namespace joiner::plan {

std::optional<Draft> cheapest_draft(const Market& market, const std::vector<DraftNode>& stowed,
                                    std::uint64_t effort, const std::function<bool()>& is_late) {
    if (market.has_caps() || market.has_crowds() || market.some_open() || market.has_limits())
        return std::nullopt;
    const std::vector<std::uint32_t> left = count_left(market, stowed);
    FewPodsQuestion question;
    question.columns = market.columns(false);
    std::vector<LotIndex> lots;
    for (LotIndex lot = 0; lot < left.size(); ++lot) {
        if (left[lot] == 0) continue;
        lots.push_back(lot);
        question.counts.push_back(left[lot]);
        question.requests.insert(question.requests.end(), market.request(lot),
                                 market.request(lot) + market.dimensions());
    }
    for (OfferIndex j = 0; market.kinds() > 1 && j < market.offers().size(); ++j) {
        for (const LotIndex lot : lots) question.admits.push_back(market.admits(j, market.lots()[lot].kind));
    }
    const auto found = cheapest_for_few(question, effort, is_late);
    if (!found) return std::nullopt;
    Draft out;
    out.nodes = stowed;
    out.price = found->cost;
    out.is_complete = true;
    for (const FewPodsAnswer::Machine& machine : found->machines) {
        DraftNode& node = out.nodes.emplace_back();
        node.offer = static_cast<OfferIndex>(machine.column);
        for (std::size_t i = 0; i < lots.size(); ++i) {
            if (machine.counts[i] > 0) node.take.push_back({lots[i], machine.counts[i]});
        }
    }
    return out;
}

}  // namespace joiner::plan
