#include "rules/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace joiner::rules {
namespace {

constexpr std::string_view kCpu = "cpu";
constexpr std::string_view kMemory = "memory";
constexpr std::string_view kEphemeral = "ephemeral-storage";
constexpr std::string_view kPods = "pods";

std::int64_t* base_amount(Resources& resources, std::string_view name) {
    if (name == kCpu) return &resources.cpu_milli;
    if (name == kMemory) return &resources.memory_bytes;
    if (name == kEphemeral) return &resources.ephemeral_bytes;
    if (name == kPods) return &resources.pods;
    return nullptr;
}

// Sums stop at the ends of int64, so that absurd input cannot wrap around to something that fits.
std::int64_t add(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min() + 1;
}

template <typename F>
void combine(Resources& a, const Resources& b, F f) {
    a.cpu_milli = f(a.cpu_milli, b.cpu_milli);
    a.memory_bytes = f(a.memory_bytes, b.memory_bytes);
    a.ephemeral_bytes = f(a.ephemeral_bytes, b.ephemeral_bytes);
    a.pods = f(a.pods, b.pods);
    if (a.extended.empty() && b.extended.empty()) return;
    std::vector<std::pair<std::string, std::int64_t>> merged;
    auto x = a.extended.begin();
    auto y = b.extended.begin();
    while (x != a.extended.end() || y != b.extended.end()) {
        if (y == b.extended.end() || (x != a.extended.end() && x->first < y->first)) {
            merged.emplace_back(x->first, f(x->second, 0));
            ++x;
        } else if (x == a.extended.end() || y->first < x->first) {
            merged.emplace_back(y->first, f(0, y->second));
            ++y;
        } else {
            merged.emplace_back(x->first, f(x->second, y->second));
            ++x;
            ++y;
        }
    }
    std::erase_if(merged, [](const auto& item) { return item.second == 0; });
    a.extended = std::move(merged);
}

Resources convert(const api::ResourceMap& map, bool up) {
    Resources out;
    for (const auto& [name, quantity] : map) {
        const std::int64_t amount = name == kCpu ? (up ? quantity.milli_up() : quantity.milli_down())
                                                 : (up ? quantity.units_up() : quantity.units_down());
        out.set(name, amount);
    }
    return out;
}

bool is_pod_level(std::string_view name) {
    return name == kCpu || name == kMemory || name.starts_with("hugepages-");
}

}  // namespace

std::int64_t Resources::get(std::string_view name) const {
    if (const std::int64_t* base = base_amount(const_cast<Resources&>(*this), name)) return *base;
    const auto it = std::lower_bound(extended.begin(), extended.end(), name,
                                     [](const auto& item, std::string_view n) { return item.first < n; });
    return it != extended.end() && it->first == name ? it->second : 0;
}

void Resources::set(std::string_view name, std::int64_t amount) {
    if (std::int64_t* base = base_amount(*this, name)) {
        *base = amount;
        return;
    }
    const auto it = std::lower_bound(extended.begin(), extended.end(), name,
                                     [](const auto& item, std::string_view n) { return item.first < n; });
    const bool found = it != extended.end() && it->first == name;
    if (amount == 0) {
        if (found) extended.erase(it);
    } else if (found) {
        it->second = amount;
    } else {
        extended.emplace(it, name, amount);
    }
}

Resources& Resources::operator+=(const Resources& other) {
    combine(*this, other, add);
    return *this;
}

Resources& Resources::operator-=(const Resources& other) {
    combine(*this, other, [](std::int64_t a, std::int64_t b) { return add(a, -b); });
    return *this;
}

void Resources::max_with(const Resources& other) {
    combine(*this, other, [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
}

void Resources::min_with(const Resources& other) {
    combine(*this, other, [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
}

void Resources::floor_at_zero() {
    max_with(Resources{});
}

bool Resources::is_zero() const {
    return *this == Resources{};
}

Resources as_request(const api::ResourceMap& map) {
    return convert(map, true);
}
Resources as_capacity(const api::ResourceMap& map) {
    return convert(map, false);
}

api::ResourceMap to_resource_map(const Resources& r) {
    api::ResourceMap out;
    if (r.cpu_milli != 0) out.emplace(kCpu, Quantity::of_milli(r.cpu_milli));
    if (r.memory_bytes != 0)
        out.emplace(kMemory, Quantity::of_units(r.memory_bytes, Quantity::Format::kBinarySI));
    if (r.ephemeral_bytes != 0) {
        out.emplace(kEphemeral, Quantity::of_units(r.ephemeral_bytes, Quantity::Format::kBinarySI));
    }
    if (r.pods != 0) out.emplace(kPods, Quantity::of_units(r.pods));
    for (const auto& [name, amount] : r.extended) out.emplace(name, Quantity::of_units(amount));
    return out;
}

namespace {

template <typename F>
void for_each_shortage(const Resources& request, const Resources& free, F f) {
    const auto test = [&](std::string_view name, std::int64_t asked, std::int64_t there) {
        return asked > 0 && asked > there && f(name, asked, there);
    };
    if (test(kCpu, request.cpu_milli, free.cpu_milli)) return;
    if (test(kMemory, request.memory_bytes, free.memory_bytes)) return;
    if (test(kPods, request.pods, free.pods)) return;
    if (test(kEphemeral, request.ephemeral_bytes, free.ephemeral_bytes)) return;
    for (const auto& [name, amount] : request.extended) {
        if (test(name, amount, free.get(name))) return;
    }
}

}  // namespace

bool fits(const Resources& request, const Resources& free) {
    bool short_of_something = false;
    for_each_shortage(request, free, [&](std::string_view, std::int64_t, std::int64_t) {
        return short_of_something = true;
    });
    return !short_of_something;
}

std::string amount_text(std::string_view name, std::int64_t amount) {
    if (name == kCpu) return Quantity::of_milli(amount).to_string();
    const bool is_bytes = name == kMemory || name == kEphemeral || name.starts_with("hugepages-");
    return Quantity::of_units(amount, is_bytes ? Quantity::Format::kBinarySI : Quantity::Format::kDecimalSI)
        .to_string();
}

std::string shortage(const Resources& request, const Resources& free) {
    std::string out;
    for_each_shortage(request, free, [&](std::string_view name, std::int64_t asked, std::int64_t there) {
        out = fmt::format("{}: {} asked, {} free", name, amount_text(name, asked),
                          amount_text(name, std::max<std::int64_t>(there, 0)));
        return true;
    });
    return out;
}

namespace {

// What a resize may still take: the most of what is wanted, agreed to and running; only of the last two where
// the kubelet has refused it for good.
Resources in_resize(const api::ResourceMap& wanted, const api::HeldRequests* held, bool is_refused) {
    if (held == nullptr) return as_request(wanted);
    Resources out = is_refused ? Resources{} : as_request(wanted);
    out.max_with(as_request(held->allocated));
    out.max_with(as_request(held->actuated));
    return out;
}

bool is_resize_refused(const api::PodStatus& status) {
    const api::Condition* pending = api::find_condition(status.conditions, "PodResizePending");
    return pending != nullptr && pending->reason == "Infeasible";
}

}  // namespace

Resources pod_requests(const api::PodSpec& spec, const api::PodStatus& status) {
    const bool is_refused = is_resize_refused(status);
    const auto request_of = [&](const api::Container& container) {
        const auto held = status.held.find(container.name);
        return in_resize(container.requests, held == status.held.end() ? nullptr : &held->second, is_refused);
    };
    Resources total;
    for (const api::Container& container : spec.containers) total += request_of(container);
    Resources sidecars;
    Resources largest_init;
    for (const api::Container& init : spec.init_containers) {
        const Resources request = init.restart_always ? request_of(init) : as_request(init.requests);
        if (init.restart_always) {
            total += request;
            sidecars += request;
            largest_init.max_with(sidecars);
        } else {
            largest_init.max_with(request + sidecars);
        }
    }
    total.max_with(largest_init);
    const Resources of_pod =
        in_resize(spec.pod_requests, status.held_by_pod ? &*status.held_by_pod : nullptr, is_refused);
    for (const auto& [name, quantity] : spec.pod_requests) {
        if (is_pod_level(name)) total.set(name, of_pod.get(name));
    }
    total += as_request(spec.overhead);
    total.pods = 1;
    return total;
}

}  // namespace joiner::rules
