// `joiner doctor`: asks the API server and AWS, and prints what was found.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/codec.h"
#include "cli/commands.h"
#include "cli/doctor_report.h"
#include "cli/ec2.h"
#include "cli/kube_config.h"
#include "cloud/ec2/make_provider.h"
#include "embedded_crds.h"
#include "io/curl_http.h"
#include "io/random.h"
#include "kube/client.h"

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr Duration kPatience = std::chrono::seconds{10};
constexpr const char* kClusterCure = "give --kubeconfig, set KUBECONFIG, or run inside the cluster";

class Examination {
  public:
    explicit Examination(const DoctorOptions& options) : options_(options) {}

    std::vector<Check> run() {
        look_at_cluster();
        look_at_account();
        return std::move(checks_);
    }

  private:
    void add(Check check) { checks_.push_back(std::move(check)); }

    Result<std::string> get(kube::Client& client, const std::string& path) {
        Result<std::string> out = fail(ErrorKind::kUnavailable, "no answer");
        kube::Request request{"GET", path, "", ""};
        request.timeout = kPatience;
        client.send(std::move(request), [&](Result<std::string> answer) {
            out = std::move(answer);
            loop_.stop();
        });
        loop_.run();
        return out;
    }

    void look_at_cluster() {
        const auto config = load_config(options_.kubeconfig, options_.context);
        if (!config) return add({"API server", Check::Result::kFailed, config.error().message, kClusterCure});
        kube::Client client(loop_, http_, *config, {});
        const auto version = get(client, "/version");
        if (!version)
            return add({"API server", Check::Result::kFailed, version.error().message, kClusterCure});
        add({"API server", Check::Result::kOk, config->endpoint->base_url + " answers", ""});
        for (const auto& file : embedded::crds()) look_at_crd(client, file.name, file.text);
        const auto leases = get(client, "/apis/coordination.k8s.io/v1/leases?limit=1000");
        add(leases ? check_leases(*leases, loop_.now())
                   : Check{"other controllers", Check::Result::kNotChecked, leases.error().message, ""});
        read_classes(client);
    }

    // "karpenter.sh_nodepools.yaml" is "nodepools.karpenter.sh".
    void look_at_crd(kube::Client& client, std::string_view file, std::string_view text) {
        const std::size_t line = file.find('_');
        const std::string group(file.substr(0, line));
        const std::string plural(file.substr(line + 1, file.find(".yaml") - line - 1));
        const std::string name = plural + "." + group;
        const auto answer = get(client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + name);
        if (answer) return add(check_crd(name, text, *answer));
        const bool is_needed = plural == "nodepools" || plural == "nodeclaims" || plural == "ec2nodeclasses";
        const bool is_missing = answer.error().kind == ErrorKind::kNotFound;
        // Whoever looks may not be allowed to see definitions; the controller need not see them.
        if (!is_missing) return add({"CRD " + name, Check::Result::kNotChecked, answer.error().message, ""});
        if (!is_needed)
            return add(
                {"CRD " + name, Check::Result::kNotChecked, "it is not installed, and need not be", ""});
        add({"CRD " + name, Check::Result::kFailed, "it is not installed",
             "joiner crds | kubectl apply --server-side -f -"});
    }

    void read_classes(kube::Client& client) {
        const auto answer = get(client, "/apis/karpenter.k8s.aws/v1/ec2nodeclasses?limit=100");
        const json list = json::parse(answer.value_or(""), nullptr, false);
        if (list.is_object() && list.contains("items") && list["items"].is_array()) {
            for (const json& item : list["items"]) {
                auto node_class = api::decode_node_class(item.dump());
                if (node_class) classes_.push_back(std::move(*node_class));
            }
        }
        if (classes_.empty())
            add({"EC2NodeClasses", Check::Result::kNotChecked,
                 answer ? "there are none yet; look again once there are" : answer.error().message, ""});
    }

    void look_at_account() {
        Rng rng(io::os_seed());
        auto settings = ec2_settings(options_.ec2, false);
        if (!settings)
            return add({"settings", Check::Result::kFailed, settings.error().message, "mend the flag"});
        const auto region = region_of_machine(loop_, http_);
        if (!region) return add({"region", Check::Result::kFailed, region.error().message, "set AWS_REGION"});
        settings->region = *region;
        cloud::Reports nobody;
        const auto doctor =
            cloud::ec2::make_doctor(loop_, http_, nobody, std::move(*settings), Rng(rng.next()), classes_);
        if (!doctor)
            return add({"settings", Check::Result::kFailed, doctor.error().message,
                        "mend the flag, the variable or the file that is named"});
        (*doctor)->examine([this](std::vector<Check> found) {
            checks_.insert(checks_.end(), found.begin(), found.end());
            loop_.stop();
        });
        loop_.run();
    }

    const DoctorOptions& options_;
    io::RealLoop loop_;
    io::CurlHttp http_{loop_};
    std::vector<api::NodeClass> classes_;
    std::vector<Check> checks_;
};

}  // namespace

int run_doctor(const DoctorOptions& options) {
    if (options.ec2.cluster_name.empty())
        return refuse("which cluster? give --cluster-name or set CLUSTER_NAME");
    const std::vector<Check> checks = Examination(options).run();
    fmt::print("{}", options.output == "json" ? doctor_json(checks) : doctor_text(checks));
    return has_failed(checks) ? 1 : 0;
}

}  // namespace joiner::cli
