#include "control/stock_memory.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "act/object_writer.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

using Json = nlohmann::json;

constexpr const char* kShortages = "shortages";
constexpr const char* kInterruptions = "interruptions";
// A start is not held up for longer.
constexpr Duration kReadWithin = std::chrono::seconds{3};
constexpr Duration kReadAgain = std::chrono::milliseconds{500};
constexpr Duration kBetweenWrites = std::chrono::seconds{5};
// After a write that was refused or that failed.
constexpr Duration kWriteAgain = std::chrono::minutes{1};

std::string text_in(const std::string& body, const char* key) {
    const Json object = Json::parse(body, nullptr, false);
    if (!object.is_object()) return {};
    const auto data = object.find("data");
    if (data == object.end() || !data->is_object()) return {};
    const auto text = data->find(key);
    return text == data->end() || !text->is_string() ? std::string() : text->get<std::string>();
}

}  // namespace

void StockMemory::read(std::function<void()> done) {
    done_ = std::move(done);
    give_up_reading_at_ = services_.loop.now() + kReadWithin;
    services_.loop.after(kReadWithin, [this] {
        if (!is_read_)
            observe::log_info("controller", "the memory of stock-outs cannot be read; beginning without it");
        finish_reading();
    });
    ask();
}

void StockMemory::ask() {
    services_.client.get(kube::kConfigMaps, ns_, kName, [this](Result<std::string> answer) {
        if (answer) {
            shortages_.remember(read_shortages(text_in(*answer, kShortages)));
            spot_prices_.remember(text_in(*answer, kInterruptions));
            return finish_reading();
        }
        const ErrorKind kind = answer.error().kind;
        if (kind == ErrorKind::kNotFound) return finish_reading();
        if (kind == ErrorKind::kForbidden) {
            services_.notices.failed("read ConfigMap " + ns_ + "/" + std::string(kName), answer.error());
            return finish_reading();
        }
        if (services_.loop.now() + kReadAgain < give_up_reading_at_)
            services_.loop.after(kReadAgain, [this] { ask(); });
    });
}

void StockMemory::finish_reading() {
    if (std::exchange(is_read_, true)) return;
    if (const auto done = std::exchange(done_, nullptr)) done();
}

void StockMemory::reconcile() {
    const WallTime now = services_.loop.now();
    if (is_writing_ || now < write_after_ || changes() == written_changes_) return;
    write_after_ = now + kBetweenWrites;
    write();
}

void StockMemory::write() {
    is_writing_ = true;
    writing_changes_ = changes();
    const std::string data = act::dump(
        {{kShortages, written(shortages_.remembered())}, {kInterruptions, spot_prices_.rates().written()}});
    services_.client.patch(kube::kConfigMaps, ns_, kName, "", kube::PatchType::kMerge,
                           "{\"data\":" + data + "}", [this, data](Result<std::string> answer) {
                               if (!answer && answer.error().kind == ErrorKind::kNotFound)
                                   return create(data);
                               note_written(answer ? Status{} : tl::unexpected<Error>(answer.error()));
                           });
}

void StockMemory::create(const std::string& data) {
    const std::string body = act::dump({{"apiVersion", "v1"},
                                        {"kind", "ConfigMap"},
                                        {"metadata", {{"name", kName}, {"namespace", ns_}}},
                                        {"data", Json::parse(data)}});
    services_.client.create(kube::kConfigMaps, ns_, body, [this](Result<std::string> answer) {
        note_written(answer ? Status{} : tl::unexpected<Error>(answer.error()));
    });
}

void StockMemory::note_written(const Status& written) {
    is_writing_ = false;
    if (written) {
        written_changes_ = writing_changes_;
        return;
    }
    // It was made in between: the next patch finds it.
    if (written.error().kind == ErrorKind::kConflict) return;
    services_.notices.failed("write ConfigMap " + ns_ + "/" + std::string(kName), written.error());
    write_after_ = services_.loop.now() + kWriteAgain;
}

}  // namespace joiner::control
