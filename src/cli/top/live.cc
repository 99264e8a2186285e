#include "cli/top/live.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>

#include "cli/kube_config.h"
#include "cli/plan/machines.h"
#include "cli/top/frame.h"
#include "cli/top/node_facts.h"
#include "cli/top/state.h"
#include "cli/top/terminal.h"
#include "cli/top/view.h"
#include "cli/top/watching.h"
#include "io/curl_http.h"
#include "io/random.h"
#include "io/real_loop.h"

namespace joiner::cli::top {
namespace {

constexpr Duration kFrameEvery = std::chrono::seconds{1};
// Facts are found again so seldom that they take a hundredth of a core at most; where nodes lack theirs, a
// twentieth.
constexpr Duration kFactsEvery = std::chrono::seconds{10};
constexpr int kFactsRest = 100;
constexpr int kFirstFactsRest = 20;

kube::ClientOptions read_only() {
    kube::ClientOptions out;
    out.may_write = [] { return false; };
    out.user_agent = "joiner-top";
    return out;
}

class LiveTop {
  public:
    LiveTop(io::RealLoop& loop, kube::Config config, Machines machines, std::string source,
            std::unique_ptr<Terminal> terminal)
        : loop_(loop),
          client_(loop, http_, std::move(config), read_only()),
          watching_(loop, client_, cluster_, Rng(io::os_seed())),
          machines_(std::move(machines)),
          source_(std::move(source)),
          terminal_(std::move(terminal)) {}

    void run() {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) loop_.on_signal(signal, [this] { loop_.stop(); });
        loop_.on_signal(SIGWINCH, [this] {
            terminal_->resize();
            show();
        });
        watching_.start();
        tick();
        const KeyWatch keys(loop_, [this] { press_keys(); }, [this] { loop_.stop(); });
        loop_.run();
    }

  private:
    void tick() {
        look();
        show();
        // Keys and the next frame do not wait for it more than once.
        if (are_facts_due()) loop_.post([this] { renew_facts(); });
        loop_.after(kFrameEvery, [this] { tick(); });
    }

    void look() {
        picture_ =
            make_picture({.cluster = cluster_, .facts = facts_, .use = watching_.use(), .now = loop_.now()});
        picture_.source = source_;
        picture_.problem = watching_.problem();
        picture_.is_loading = !watching_.is_synced();
        if (!picture_.is_loading) gone_.add_to(picture_);
        arrange();
    }

    void arrange() {
        shown_ = find_shown(picture_, view_, pods_of(cluster_, view_.opened));
        settle(view_, shown_, list_lines(terminal_->size()));
    }

    void show() {
        // The page may be another now.
        settle(view_, shown_, list_lines(terminal_->size()));
        terminal_->show(draw(picture_, shown_, view_, terminal_->size(), style_));
    }

    void press_keys() {
        for (const std::string& key : terminal_->read_keys()) {
            press(view_, key, shown_, list_lines(terminal_->size()));
            if (view_.wants_to_quit) return loop_.stop();
            arrange();
        }
        show();
    }

    bool are_facts_due() const {
        if (picture_.is_loading) return false;
        const Duration since = loop_.monotonic() - facts_found_at_;
        if (!has_facts_ || since >= std::max(kFactsEvery, kFactsRest * facts_took_)) return true;
        const bool are_some_missing = std::any_of(
            picture_.rows.begin(), picture_.rows.end(),
            [this](const Row& row) { return row.stage != NodeStage::kGone && !facts_.contains(row.name); });
        return are_some_missing && since >= kFirstFactsRest * facts_took_;
    }

    void renew_facts() {
        const Duration start = loop_.monotonic();
        facts_ = find_facts(cluster_, machines_, {}, loop_.now());
        facts_found_at_ = loop_.monotonic();
        facts_took_ = facts_found_at_ - start;
        if (!std::exchange(has_facts_, true)) {
            look();
            show();
        }
    }

    io::RealLoop& loop_;
    io::CurlHttp http_{loop_};
    model::Cluster cluster_{rules::PreferencePolicy::kRespect};
    kube::Client client_;
    Watching watching_;
    Machines machines_;
    const std::string source_;
    std::unique_ptr<Terminal> terminal_;
    const Style style_ = style_of_environment();
    FactsByName facts_;
    bool has_facts_ = false;
    Duration facts_found_at_{0};  // By the monotonic clock.
    Duration facts_took_{0};
    GoneNodes gone_;
    Picture picture_;
    Shown shown_;
    View view_;
};

}  // namespace

Status run_live(const TopOptions& options) {
    TRY(kube::Config config, load_config(options.kubeconfig, options.context));
    TRY(Machines machines, Machines::load(options.instance_types));
    TRY(auto terminal, Terminal::open());
    std::string source = options.context.empty() ? config.endpoint->base_url : options.context;
    io::RealLoop loop;
    LiveTop top(loop, std::move(config), std::move(machines), std::move(source), std::move(terminal));
    top.run();
    return {};
}

}  // namespace joiner::cli::top
