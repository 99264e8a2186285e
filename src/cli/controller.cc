// `joiner controller`: the real loop, the real network, the controller, and its two small HTTP servers.
#include "control/controller.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/commitments_file.h"
#include "cli/ec2.h"
#include "cli/kube_config.h"
#include "cli/scheduler_config.h"
#include "cloud/kwok/aws_catalogue.h"
#include "cloud/kwok/types_file.h"
#include "io/curl_http.h"
#include "io/file.h"
#include "io/random.h"
#include "io/real_loop.h"
#include "kube/base64.h"
#include "kube/client.h"
#include "observe/heartbeat.h"
#include "observe/http_server.h"
#include "observe/log.h"
#include "observe/process_metrics.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kMaxTypesFileBytes = 256u << 20;
constexpr Duration kFirstContact = std::chrono::seconds{10};

Result<std::vector<rules::InstanceType>> load_types(const std::string& path) {
    if (path.empty()) return cloud::kwok::builtin_types();
    if (path == "aws") return cloud::kwok::aws_types();
    TRY(const std::string text, io::read_file(path, kMaxTypesFileBytes));
    return cloud::kwok::parse_types(text, "instance types file " + path);
}

Result<control::Options> make_options(const ControllerOptions& in) {
    control::Options out;
    const auto window = [](const char* flag, const std::string& text) -> Result<Duration> {
        const auto duration = parse_duration(text);
        if (!duration) return invalid(fmt::format("--{}: {}", flag, duration.error().message));
        if (duration->count() <= 0) return invalid(fmt::format("--{} must be more than 0", flag));
        return *duration;
    };
    TRY(out.batch_max, window("batch-max-duration", in.batch_max_duration));
    TRY(out.batch_idle, window("batch-idle-duration", in.batch_idle_duration));
    TRY(out.hedge_after, window("hedge-after", in.hedge_after));
    out.hedge_priority = in.hedge_priority;
    TRY(out.default_spread, default_spread(in.scheduler_config, in.preference_policy != "Ignore"));
    TRY(out.commitments, load_commitments(in.commitments));
    const auto gates = control::parse_feature_gates(in.feature_gates);
    if (!gates) return invalid("--feature-gates: " + gates.error().message);
    out.gates = *gates;
    out.legacy_node_repair = in.legacy_node_repair;
    if (in.preference_policy == "Ignore") out.preference_policy = rules::PreferencePolicy::kIgnore;
    if (in.preference_policy == "Priced")
        out.preference_worth = rules::Money::from_dollars(in.preference_worth);
    if (in.min_values_policy == "BestEffort") out.min_values_policy = plan::MinValuesPolicy::kBestEffort;
    out.heeds_interruption_costs = !in.ignore_interruption_costs;
    if (in.pod_binding == "scheduler") out.pod_binding = act::PodBinding::kScheduler;
    if (in.kube_client_qps <= 0 || in.kube_client_burst <= 0)
        return invalid("--kube-client-qps and --kube-client-burst must be more than 0");
    out.plan_ahead = in.plan_ahead;
    out.client_qps = in.kube_client_qps;
    out.client_burst = in.kube_client_burst;
    out.leader_election = !in.disable_leader_election;
    out.leader_election_name = in.leader_election_name;
    out.leader_election_namespace = in.leader_election_namespace;
    return out;
}

std::string make_identity(Rng& rng) {
    char host[256] = "joiner";
    gethostname(host, sizeof(host) - 1);
    return fmt::format("{}_{:016x}", host, rng.next());
}

// One question before anything is built on the answer: is there an API server, and may we talk to it?
Status check_server(io::RealLoop& loop, io::HttpClient& http, const kube::Config& config) {
    kube::Client client(loop, http, config, {});
    Status out = fail(ErrorKind::kUnavailable, "no answer");
    kube::Request request{"GET", "/version", "", ""};
    request.timeout = kFirstContact;
    client.send(std::move(request), [&](Result<std::string> answer) {
        out = answer ? Status{} : Status(tl::unexpected<Error>(answer.error()));
        loop.stop();
    });
    loop.run();
    if (out) return {};
    return fail(out.error().kind, fmt::format("the API server at {} cannot be used: {}",
                                              config.endpoint->base_url, out.error().message));
}

}  // namespace

int run_controller(const ControllerOptions& in) {
    auto types = load_types(in.instance_types_file);
    if (!types) return refuse(types.error().message);
    auto options = make_options(in);
    if (!options) return refuse(options.error().message);
    if (in.page_without_token && in.page_port == 0)
        return refuse("--page-without-token needs --page-port: without it no page is served");
    auto config = load_config(in.kubeconfig, in.context);
    if (!config) return refuse(config.error().message);
    if (in.ec2.account_commitments && in.ec2.cluster_name.empty())
        return refuse("--account-commitments needs --cluster-name: without it no account is asked");
    if (in.ec2.account_commitments && !in.commitments.empty())
        return refuse("--commitments and --account-commitments would count the same twice: give one of them");
    Rng rng(io::os_seed());
    options->identity = make_identity(rng);

    io::RealLoop loop;
    io::CurlHttp http(loop);
    std::vector<control::ProviderMaker> providers = control::provider_list(std::move(*types));
    if (!in.ec2.cluster_name.empty()) {
        Ec2Options of_ec2 = in.ec2;
        // As Karpenter has it: nodes trust the server by what we trust it by.
        if (of_ec2.cluster_ca_bundle.empty())
            of_ec2.cluster_ca_bundle = kube::encode_base64(config->endpoint->ca_pem);
        of_ec2.reserved_capacity = options->gates.reserved_capacity;
        const auto ec2 = ec2_maker(of_ec2, in.legacy_node_repair, loop, http, Rng(rng.next()));
        if (!ec2) return refuse(ec2.error().message);
        providers.push_back(*ec2);
    }
    if (const Status server = check_server(loop, http, *config); !server)
        return refuse(server.error().message);
    observe::set_up_log(in.log_level, in.log_output_paths, in.log_error_output_paths);

    observe::Metrics metrics;
    control::Controller controller(loop, http, std::move(*config), *options, std::move(providers), metrics,
                                   Rng(rng.next()));
    auto metrics_server = observe::HttpServer::start(
        in.metrics_port, {{"/metrics", [&] {
                               return observe::Page{200, "text/plain; version=0.0.4",
                                                    metrics.text() + observe::process_metrics()};
                           }}});
    if (!metrics_server) return refuse("--metrics-port: " + metrics_server.error().message);
    const observe::Heartbeat heart(loop);
    auto health_server = observe::HttpServer::start(
        in.health_probe_port, {{"/healthz", [&] { return heart.page(); }},
                               {"/readyz", [&] {
                                    return controller.is_ready()
                                               ? observe::Page{200, "text/plain", "ok"}
                                               : observe::Page{
                                                     503, "text/plain",
                                                     "the watches are not in step with the API server yet"};
                                }}});
    if (!health_server) return refuse("--health-probe-port: " + health_server.error().message);

    if (in.page_port != 0) {
        const auto page = controller.serve_page({in.page_port, in.page_without_token});
        if (!page) return refuse("--page-port: " + page.error().message);
    }

    int code = 0;
    for (const int signal : {SIGTERM, SIGINT}) {
        loop.on_signal(signal, [&] {
            observe::log_info("controller", "stopping");
            controller.stop([&] { loop.stop(); });
            // A server that does not answer must not keep the process.
            loop.after(std::chrono::seconds{5}, [&] { loop.stop(); });
        });
    }
    controller.start([&] {
        code = 1;
        loop.stop();
    });
    observe::log_info(
        "controller", "started",
        {{"version", JOINER_VERSION}, {"identity", options->identity}, {"podBinding", in.pod_binding}});
    loop.run();
    return code;
}

}  // namespace joiner::cli
