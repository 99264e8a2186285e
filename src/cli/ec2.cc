#include "cli/ec2.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cloud/ec2/feature_gates.h"
#include "cloud/ec2/make_provider.h"
#include "kube/client.h"

namespace joiner::cli {
namespace {

Result<Duration> interval(const char* flag, const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration) return invalid(fmt::format("--{}: {}", flag, duration.error().message));
    return *duration;
}

cloud::ec2::AskVersion version_of(kube::Client& client) {
    return [&client](const std::function<void(Result<std::string>)>& done) {
        client.send({"GET", "/version", "", ""}, [done](const Result<std::string>& answer) {
            if (!answer) return done(answer);
            done(cloud::ec2::read_server_version(*answer));
        });
    };
}

}  // namespace

Result<std::string> region_of_machine(io::RealLoop& loop, io::HttpClient& http) {
    std::optional<Result<std::string>> out;
    bool is_waiting = false;
    cloud::ec2::find_region(http, [&](Result<std::string> region) {
        out = std::move(region);
        // A loop that is stopped before it runs would not run for whoever comes next.
        if (is_waiting) loop.stop();
    });
    is_waiting = !out;
    if (is_waiting) loop.run();
    return out.value_or(fail(ErrorKind::kUnavailable, "no answer"));
}

Result<cloud::ec2::Settings> ec2_settings(const Ec2Options& in, bool legacy_node_repair) {
    cloud::ec2::Settings out;
    out.cluster_name = in.cluster_name;
    out.cluster_endpoint = in.cluster_endpoint;
    out.cluster_ca = in.cluster_ca_bundle;
    out.isolated_vpc = in.isolated_vpc;
    out.eks_control_plane = in.eks_control_plane;
    out.vm_memory_overhead = in.vm_memory_overhead_percent;
    out.interruption_queue = in.interruption_queue;
    out.reserved_enis = in.reserved_enis;
    out.disable_dry_run = in.disable_dry_run;
    out.enable_zonal_shift = in.enable_zonal_shift;
    out.account_commitments = in.account_commitments;
    out.legacy_node_repair = legacy_node_repair;
    out.reserved_capacity = in.reserved_capacity;
    TRY(out.ami_refresh, interval("ami-refresh-interval", in.ami_refresh_interval));
    TRY(out.subnet_refresh, interval("subnet-refresh-interval", in.subnet_refresh_interval));
    TRY(out.security_group_refresh,
        interval("security-group-refresh-interval", in.security_group_refresh_interval));
    const auto gates = cloud::ec2::parse_aws_feature_gates(in.aws_feature_gates);
    if (!gates) return invalid("--aws-feature-gates: " + gates.error().message);
    out.reboot_for_repair = gates->reboot_for_repair;
    out.node_class_cel = gates->node_class_cel;
    return out;
}

Result<control::ProviderMaker> ec2_maker(const Ec2Options& options, bool legacy_node_repair,
                                         io::RealLoop& loop, io::HttpClient& http, Rng rng) {
    TRY(cloud::ec2::Settings settings, ec2_settings(options, legacy_node_repair));
    TRY(settings.region, region_of_machine(loop, http));
    TRY(const cloud::ec2::MakeProvider make, cloud::ec2::provider_maker(http, std::move(settings), rng));
    return control::ProviderMaker([make](const control::ProviderGround& ground) {
        return make(ground.loop, ground.reports, version_of(ground.client));
    });
}

}  // namespace joiner::cli
