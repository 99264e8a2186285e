#include "control/page_keeper.h"

namespace joiner::control {

PageKeeper::Text PageKeeper::node(std::string_view name) {
    std::optional<std::string> json = page_node(facts(), name);
    return json ? std::make_shared<const PageText>(std::move(*json)) : nullptr;
}

PageKeeper::Text PageKeeper::made(Made& last, std::string (*make)(const PageFacts&)) {
    const Duration now = parts_.loop.monotonic();
    if (last.text == nullptr || now - last.at >= kLasts)
        last = {std::make_shared<const PageText>(make(facts())), now};
    return last.text;
}

PageFacts PageKeeper::facts() {
    parts_.node_prices.look();
    return {parts_.cluster,     parts_.decisions, parts_.disruptor.commands(),
            parts_.node_prices, parts_.savings,   parts_.page_book,
            parts_.loop.now()};
}

void PageKeeper::note_money() {
    if (parts_.watches.is_synced()) parts_.page_book.add(sample_money(facts()));
    parts_.loop.after(PageBook::kBetweenSamples, [this] { note_money(); });
}

}  // namespace joiner::control
