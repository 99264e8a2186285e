#include "kube/reflector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kube/backoff.h"
#include "kube/status.h"
#include "kube/watch_parser.h"

namespace joiner::kube {
namespace {

constexpr std::size_t kMaxErrorBytes = 64u << 10;
constexpr std::size_t kMaxListBytes = 1u << 30;
// A watch that has stood so long is believed to be well, even on a kind where nothing happens.
constexpr Duration kSettled = std::chrono::seconds{5};
// A watch that lived so long and brought nothing has ended in the ordinary way.
constexpr Duration kLongLife = std::chrono::seconds{30};
// All kinds of all clients come back at the same moment.
constexpr Duration kSoon = std::chrono::milliseconds{500};
constexpr Duration kQuickEnd = std::chrono::seconds{1};
constexpr int kQuickEndsForFree = 3;
// Whoever installs a missing kind should not wait long for us to see it.
constexpr Duration kLongestWaitForKind = std::chrono::seconds{10};
constexpr int kErrorsBeforeList = 3;
constexpr int kBrokenWatchListsBeforeList = 2;
// Listing again within so long of the last time is no accident any more.
constexpr Duration kRareList = std::chrono::seconds{30};
constexpr Duration kLongestListBackoff = std::chrono::minutes{5};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '-' || c == '_' || c == '.' || c == '~';
        if (is_plain) {
            out.push_back(c);
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

// The codes of a server that does not know the streaming list, or has it switched off.
bool means_no_watch_list(int code) {
    return code == 400 || code == 405 || code == 406 || code == 415 || code == 422 || code == 501;
}

}  // namespace

class Reflector::Impl {
  public:
    Impl(io::Loop& loop, Client& client, const Resource& resource, ReflectorOptions options, Rng rng,
         ObjectHandler& handler)
        : loop_(loop),
          client_(client),
          resource_(resource),
          options_(std::move(options)),
          path_(path_of(resource, options_.ns)),
          rng_(rng),
          handler_(handler),
          parser_(options_.max_event_bytes),
          backoff_(options_.min_backoff, options_.max_backoff),
          list_backoff_(options_.min_backoff, kLongestListBackoff) {}
    ~Impl() { stop(); }

    void start() {
        if (is_running_) return;
        is_running_ = true;
        broken_since_ = loop_.now();
        attempt();
    }

    void stop() {
        is_running_ = false;
        close_stream();
        loop_.cancel(std::exchange(retry_timer_, 0));
    }

    void retry_soon() {
        if (retry_timer_ == 0) return;
        loop_.cancel(std::exchange(retry_timer_, 0));
        retry_in(from_seconds(to_seconds(kSoon) * rng_.unit()));
    }

    bool is_synced_ = false;
    std::optional<WallTime> broken_since_;
    std::string problem_;  // Of the connection; cleared when it is well again.
    std::string missing_;  // What the last full state lacks, because it could not be read.
    Counters counters_;

  private:
    // What the open stream is for.
    enum class Phase { kWatchList, kList, kWatch };

    void attempt() {
        CHECK(stream_ == 0);
        if (has_state_) {
            open_watch();
        } else if (use_list_) {
            open_list();
        } else {
            open_watch_list();
        }
    }

    // --- Requests.

    void open_watch_list() {
        ++counters_.watches;
        open(Phase::kWatchList,
             fmt::format(
                 "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                 "&timeoutSeconds={}",
                 watch_seconds()));
    }

    void open_watch() {
        ++counters_.watches;
        open(Phase::kWatch,
             fmt::format("watch=1&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}",
                         escaped(resource_version_), watch_seconds()));
    }

    // Pods come in pages. Other kinds come whole, the first time from the server's cache; later on a cache
    // may be older than what we have seen.
    void open_list() {
        continue_token_.clear();
        if (is_paged()) {
            open(Phase::kList, fmt::format("limit={}", options_.page_size));
        } else {
            open(Phase::kList, counters_.lists == 0 ? "resourceVersion=0" : "");
        }
    }

    void open_next_page() {
        open(Phase::kList, fmt::format("limit={}&continue={}", options_.page_size, escaped(continue_token_)));
    }

    bool is_paged() const { return resource_ == kPods; }

    std::uint64_t watch_seconds() {
        const auto least = std::chrono::duration_cast<std::chrono::seconds>(options_.min_watch).count();
        const auto most = std::chrono::duration_cast<std::chrono::seconds>(options_.max_watch).count();
        return static_cast<std::uint64_t>(least) +
               rng_.below(static_cast<std::uint64_t>(std::max(most - least, 0L)) + 1);
    }

    void open(Phase phase, std::string query) {
        phase_ = phase;
        code_ = 0;
        body_.clear();
        parser_.reset();
        has_progressed_ = false;
        opened_at_ = loop_.monotonic();
        if (!options_.field_selector.empty()) add_parameter(query, "fieldSelector", options_.field_selector);
        if (!options_.label_selector.empty()) add_parameter(query, "labelSelector", options_.label_selector);
        Request request{.method = "GET", .path = path_, .query = std::move(query)};
        request.accept_gzip = phase == Phase::kList;
        stream_ = client_.stream(std::move(request), options_.silence,
                                 {.on_start = [this](int code) { on_start(code); },
                                  .on_data = [this](std::string_view data) { on_data(data); },
                                  .on_end = [this](Status status) { on_end(std::move(status)); }});
    }

    static void add_parameter(std::string& query, std::string_view name, std::string_view value) {
        if (!query.empty()) query += '&';
        query += fmt::format("{}={}", name, escaped(value));
    }

    void close_stream() {
        loop_.cancel(std::exchange(settle_timer_, 0));
        if (stream_ != 0) client_.cancel(std::exchange(stream_, 0));
    }

    // --- Answers.

    void on_start(int code) {
        code_ = code;
        if (code != 200) return;
        if (phase_ == Phase::kWatchList) begin_replace();
        if (phase_ == Phase::kWatch) {
            settle_timer_ = loop_.after(kSettled, [this] {
                settle_timer_ = 0;
                note_health();
            });
        }
    }

    void on_data(std::string_view data) {
        if (code_ != 200) {
            body_.append(data.substr(0, kMaxErrorBytes - std::min(body_.size(), kMaxErrorBytes)));
        } else if (phase_ == Phase::kList) {
            body_.append(data);
            if (body_.size() > kMaxListBytes) {
                close_stream();
                fail_attempt(fmt::format("GET {}: the list is larger than {} bytes", path_, kMaxListBytes));
            }
        } else {
            parser_.feed(data, [this](const Result<WatchEvent>& event) { return on_event(event); });
        }
    }

    void on_end(Status status) {
        stream_ = 0;
        close_stream();
        if (code_ != 0 && code_ != 200) {
            on_refusal();
        } else if (!status) {
            on_break(status.error());
        } else if (phase_ == Phase::kList) {
            on_page();
        } else if (phase_ == Phase::kWatchList) {
            // A server that ignores sendInitialEvents would do this each time.
            use_list_ = true;
            fail_attempt(fmt::format("GET {}: the initial state ended before it was complete", path_));
        } else {
            on_watch_end();
        }
    }

    void on_break(const Error& error) {
        if (phase_ == Phase::kWatchList && code_ == 200 &&
            ++broken_watch_lists_ >= kBrokenWatchListsBeforeList) {
            use_list_ = true;
        }
        fail_attempt(error.message, error.retry_after_seconds);
    }

    void on_watch_end() {
        const Duration life = loop_.monotonic() - opened_at_;
        if (!has_progressed_ && life < kLongLife) {
            return fail_attempt(fmt::format("GET {}: the watch ended at once, with no event", path_));
        }
        quick_ends_ = life < kQuickEnd ? quick_ends_ + 1 : 0;
        retry_in(quick_ends_ > kQuickEndsForFree
                     ? Backoff(options_.min_backoff, options_.min_backoff).next(rng_)
                     : Duration{0});
    }

    void on_refusal() {
        const Error error = error_of_answer("GET", path_, code_, body_, 0);
        body_.clear();
        const bool is_closed = options_.is_dispensable && code_ == 403;
        if (error.kind == ErrorKind::kNotFound || is_closed) {
            has_state_ = false;
            is_synced_ = false;
            note_problem(is_closed ? error.message
                                   : fmt::format("the API server does not know {}; is its "
                                                 "CustomResourceDefinition installed?",
                                                 kind_name()));
            retry_in(std::min(backoff_.next(rng_), kLongestWaitForKind));
            handler_.missing();
        } else if (error.kind == ErrorKind::kGone) {
            list_again(error.message);
        } else if (phase_ == Phase::kWatchList && means_no_watch_list(code_)) {
            use_list_ = true;
            retry_in(Duration{0});
        } else {
            if (phase_ == Phase::kWatch && error.kind == ErrorKind::kInvalid) has_state_ = false;
            fail_attempt(error.message, error.retry_after_seconds);
        }
    }

    std::string kind_name() const {
        return resource_.group.empty()
                   ? fmt::format("{} of {}", resource_.plural, resource_.version)
                   : fmt::format("{} of {}/{}", resource_.plural, resource_.group, resource_.version);
    }

    // --- Events. False: the stream is done with.

    bool on_event(const Result<WatchEvent>& event) {
        if (!event) return on_bad_event(event.error());
        ++counters_.events;
        switch (event->type) {
            case WatchEvent::Type::kError:
                return on_error_event(event->object);
            case WatchEvent::Type::kAdded:
            case WatchEvent::Type::kModified:
                handler_.upsert(event->object);
                break;
            case WatchEvent::Type::kDeleted:
                handler_.remove(event->object);
                break;
            case WatchEvent::Type::kBookmark:
                break;
        }
        if (phase_ == Phase::kWatch) {
            note_progress(*event);
        } else if (event->ends_initial_events) {
            phase_ = Phase::kWatch;
            end_replace(std::string(event->resource_version));
        }
        return is_running_;
    }

    void note_progress(const WatchEvent& event) {
        if (event.type != WatchEvent::Type::kBookmark || event.resource_version != resource_version_) {
            has_progressed_ = true;
            errors_in_a_row_ = 0;
            note_health();
        }
        resource_version_ = event.resource_version;
    }

    // In the middle of a watch it stands for a change we do not know, so the state is fetched again. Within a
    // full state, fetching it again would bring the same: the rest goes on, and problem() tells what is
    // missing.
    bool on_bad_event(const Error& error) {
        ++counters_.bad_events;
        const std::string what = fmt::format("GET {}: an event could not be read: {}", path_, error.message);
        if (phase_ == Phase::kWatchList) {
            missing_ = what;
            return true;
        }
        close_stream();
        list_again(what);
        return false;
    }

    bool on_error_event(std::string_view object) {
        const ServerStatus status = parse_status(object);
        const std::string what =
            fmt::format("GET {}: {}", path_, status.message.empty() ? "an error event" : status.message);
        close_stream();
        if (status.code == 410) {
            list_again(what);
        } else {
            if (++errors_in_a_row_ >= kErrorsBeforeList) has_state_ = false;
            fail_attempt(what, status.retry_after_seconds);
        }
        return false;
    }

    void on_page() {
        const bool is_first = continue_token_.empty();
        if (is_first) begin_replace();
        if (!is_running_) return;
        std::string body = std::exchange(body_, {});
        const auto meta = parse_list(body, [this](std::string_view item) {
            handler_.upsert(item);
            return is_running_;
        });
        if (!is_running_) return;
        if (!meta) return fail_attempt(fmt::format("GET {}: {}", path_, meta.error().message));
        // The watch starts from the first page's version: a later page may have come from a newer state.
        if (is_first) list_version_ = meta->resource_version;
        continue_token_ = meta->continue_token;
        if (!continue_token_.empty()) return open_next_page();
        end_replace(list_version_);
        if (is_running_) retry_in(Duration{0});
    }

    void begin_replace() {
        ++counters_.lists;
        last_list_at_ = loop_.monotonic();
        missing_.clear();
        handler_.begin_replace();
    }

    void end_replace(std::string resource_version) {
        resource_version_ = std::move(resource_version);
        has_state_ = true;
        is_synced_ = true;
        has_progressed_ = true;
        use_list_ = false;
        broken_watch_lists_ = 0;
        errors_in_a_row_ = 0;
        note_health();
        handler_.end_replace();
    }

    // --- What next.

    void note_health() {
        broken_since_.reset();
        problem_.clear();
        backoff_.reset();
    }

    void note_problem(std::string what) {
        problem_ = std::move(what);
        if (!broken_since_) broken_since_ = loop_.now();
    }

    void fail_attempt(std::string what, int retry_after_seconds = 0) {
        note_problem(std::move(what));
        retry_in(std::max<Duration>(backoff_.next(rng_), std::chrono::seconds{retry_after_seconds}));
    }

    void list_again(std::string what) {
        has_state_ = false;
        note_problem(std::move(what));
        const bool is_rare = loop_.monotonic() - last_list_at_ >= kRareList;
        if (is_rare) list_backoff_.reset();
        retry_in(is_rare ? Duration{0} : list_backoff_.next(rng_));
    }

    void retry_in(Duration delay) {
        CHECK(retry_timer_ == 0);
        retry_timer_ = loop_.after(delay, [this] {
            retry_timer_ = 0;
            attempt();
        });
    }

    io::Loop& loop_;
    Client& client_;
    const Resource resource_;
    const ReflectorOptions options_;
    const std::string path_;
    Rng rng_;
    ObjectHandler& handler_;
    WatchParser parser_;
    Backoff backoff_;       // Between attempts that fail.
    Backoff list_backoff_;  // Between full states that are soon found wanting.

    bool is_running_ = false;
    bool has_state_ = false;  // The handler has a whole state, and resource_version_ says which.
    bool use_list_ = false;   // For the next full state.
    std::string resource_version_;

    io::RequestId stream_ = 0;  // 0: none is open.
    Phase phase_ = Phase::kWatch;
    int code_ = 0;
    std::string body_;  // Of a list's page, or of a refusal.
    std::string continue_token_;
    std::string list_version_;
    Duration opened_at_{0};
    bool has_progressed_ = false;
    int quick_ends_ = 0;
    int errors_in_a_row_ = 0;
    int broken_watch_lists_ = 0;
    Duration last_list_at_{0};
    io::TimerId retry_timer_ = 0;
    io::TimerId settle_timer_ = 0;
};

Reflector::Reflector(io::Loop& loop, Client& client, Resource resource, ReflectorOptions options, Rng rng,
                     ObjectHandler& handler)
    : impl_(std::make_unique<Impl>(loop, client, resource, std::move(options), rng, handler)) {}
Reflector::~Reflector() = default;

void Reflector::start() {
    impl_->start();
}
void Reflector::stop() {
    impl_->stop();
}
void Reflector::retry_soon() {
    impl_->retry_soon();
}
bool Reflector::is_synced() const {
    return impl_->is_synced_;
}
std::optional<WallTime> Reflector::broken_since() const {
    return impl_->broken_since_;
}
const std::string& Reflector::problem() const {
    return impl_->problem_.empty() ? impl_->missing_ : impl_->problem_;
}
const Reflector::Counters& Reflector::counters() const {
    return impl_->counters_;
}

}  // namespace joiner::kube
