#include "rules/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace joiner::rules {
namespace {

// Digits with at most one point, as the CRD has it: no exponents, and neither inf nor nan.
std::optional<double> number(std::string_view text) {
    if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

constexpr double kMostDollars = 1e6;  // An hour.
constexpr double kMostPercent = 1e5;

// Pool, type and offering; or pool and type for capacities.
using OfferingKey = std::tuple<std::size_t, std::size_t, std::size_t>;
using CapacityKey = std::tuple<std::size_t, std::size_t, std::string>;

class Overlays {
  public:
    explicit Overlays(std::vector<OverlaidPool>& pools) : pools_(pools), changed_(pools.size()) {}

    std::vector<OverlayProblem> apply(const std::vector<api::NodeOverlay>& overlays) {
        std::vector<OverlayProblem> out;
        for (const api::NodeOverlay& overlay : overlays) {
            std::string problem = validate_overlay(overlay);
            const bool is_valid = problem.empty();
            if (is_valid) problem = apply_one(overlay);
            if (!problem.empty()) out.push_back({overlay.meta.name, std::move(problem), is_valid});
        }
        for (std::size_t p = 0; p < pools_.size(); ++p) {
            if (changed_[p])
                pools_[p].types = std::make_shared<const std::vector<InstanceType>>(std::move(*changed_[p]));
        }
        return out;
    }

  private:
    // Looked at in full before anything is set, so that a conflict leaves no trace.
    std::string apply_one(const api::NodeOverlay& overlay) {
        const auto wanted = make_requirements(overlay.requirements);
        std::vector<OfferingKey> offerings;
        std::vector<CapacityKey> capacities;
        for (std::size_t p = 0; p < pools_.size(); ++p) {
            if (pools_[p].types == nullptr) continue;
            for (std::size_t t = 0; t < pools_[p].types->size(); ++t)
                select(p, t, overlay, *wanted, offerings, capacities);
        }
        const bool sets_price = overlay.price || overlay.price_adjustment;
        for (const OfferingKey& key : offerings) {
            if (const auto it = priced_by_.find(key);
                sets_price && it != priced_by_.end() && it->second->weight == overlay.weight)
                return fmt::format("it sets the same price as overlay {}", it->second->meta.name);
        }
        for (const CapacityKey& key : capacities) {
            if (const auto it = sized_by_.find(key);
                it != sized_by_.end() && it->second->weight == overlay.weight)
                return fmt::format("it sets the same capacity as overlay {}", it->second->meta.name);
        }
        for (const OfferingKey& key : offerings) {
            if (!sets_price || !priced_by_.try_emplace(key, &overlay).second) continue;
            const auto& [p, t, o] = key;
            InstanceType& type = types_of(p)[t];
            Money& price = type.offerings[o].price;
            price = adjusted_price(overlay, price).value_or(price);
            type.has_overlaid_price = true;
        }
        const Resources more = as_capacity(overlay.capacity);
        for (const CapacityKey& key : capacities) {
            if (!sized_by_.try_emplace(key, &overlay).second) continue;
            const auto& [p, t, name] = key;
            InstanceType& type = types_of(p)[t];
            type.capacity.set(name, more.get(name));
            type.has_overlaid_capacity = true;
        }
        return {};
    }

    void select(std::size_t p, std::size_t t, const api::NodeOverlay& overlay, const Requirements& wanted,
                std::vector<OfferingKey>& offerings, std::vector<CapacityKey>& capacities) const {
        const InstanceType& type = (*pools_[p].types)[t];
        Requirements node = pools_[p].labels;
        node.add_all(type.requirements);
        if (!compatible(node, wanted, nullptr)) return;
        bool any = false;
        for (std::size_t o = 0; o < type.offerings.size(); ++o) {
            if (!intersects(type.offerings[o].requirements, wanted)) continue;
            offerings.emplace_back(p, t, o);
            any = true;
        }
        for (const auto& [name, amount] : overlay.capacity) {
            if (any) capacities.emplace_back(p, t, name);
        }
    }

    std::vector<InstanceType>& types_of(std::size_t p) {
        if (!changed_[p]) changed_[p] = *pools_[p].types;
        return *changed_[p];
    }

    std::vector<OverlaidPool>& pools_;
    std::vector<std::optional<std::vector<InstanceType>>> changed_;
    std::map<OfferingKey, const api::NodeOverlay*> priced_by_;
    std::map<CapacityKey, const api::NodeOverlay*> sized_by_;
};

}  // namespace

std::string validate_overlay(const api::NodeOverlay& overlay) {
    if (const auto requirements = make_requirements(overlay.requirements); !requirements)
        return requirements.error().message;
    if (overlay.price && overlay.price_adjustment) return "price and priceAdjustment exclude each other";
    if (const auto price = adjusted_price(overlay, {}); !price) return price.error().message;
    for (const auto& [name, amount] : overlay.capacity) {
        if (name == "cpu" || name == "memory" || name == "ephemeral-storage" || name == "pods")
            return fmt::format("capacity may not set {}", name);
    }
    return {};
}

Result<Money> adjusted_price(const api::NodeOverlay& overlay, Money price) {
    if (overlay.price) {
        const auto value = number(*overlay.price);
        if (!value || *value > kMostDollars) {
            return invalid(
                fmt::format("price \"{}\" is not a number of dollars per hour between 0 and {:.0f}",
                            overlay.price->substr(0, 80), kMostDollars));
        }
        return Money::from_dollars(*value);
    }
    if (!overlay.price_adjustment) return price;
    std::string_view text = *overlay.price_adjustment;
    const bool is_signed = text.starts_with('+') || text.starts_with('-');
    const bool is_less = text.starts_with('-');
    const bool is_percent = text.ends_with('%');
    if (is_signed) text.remove_prefix(1);
    if (is_percent && !text.empty()) text.remove_suffix(1);
    const auto value = number(text);
    if (!value || !is_signed) {
        return invalid(fmt::format("priceAdjustment \"{}\" is neither +x, -x, +x% nor -x%",
                                   overlay.price_adjustment->substr(0, 80)));
    }
    const double most = !is_percent ? kMostDollars : is_less ? 100 : kMostPercent;
    if (*value > most) {
        return invalid(fmt::format("priceAdjustment \"{}\" changes a price by more than {:.0f}{}",
                                   overlay.price_adjustment->substr(0, 80), most,
                                   is_percent ? " %" : " dollars per hour"));
    }
    const double change = is_less ? -*value : *value;
    const double dollars = is_percent ? price.dollars() * (1 + change / 100) : price.dollars() + change;
    return Money::from_dollars(std::max(0.0, dollars));
}

std::vector<OverlayProblem> apply_overlays(std::vector<api::NodeOverlay> overlays,
                                           std::vector<OverlaidPool>& pools) {
    std::sort(overlays.begin(), overlays.end(), [](const auto& a, const auto& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.meta.name > b.meta.name;
    });
    return Overlays(pools).apply(overlays);
}

}  // namespace joiner::rules
