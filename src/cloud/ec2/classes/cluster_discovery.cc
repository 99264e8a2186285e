#include "cloud/ec2/classes/cluster_discovery.h"

#include <utility>

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kPause = std::chrono::minutes{1};

void fill(std::string& setting, const std::string& found) {
    if (setting.empty()) setting = found;
}

}  // namespace

bool ClusterDiscovery::is_complete() const {
    return !settings_.cluster_endpoint.empty() && !settings_.cluster_ca.empty() &&
           !settings_.service_cidr.empty() && !settings_.kubernetes.empty();
}

void ClusterDiscovery::look(std::function<void()> done) {
    if (is_complete() || loop_.monotonic() < no_question_before_) return done();
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) return;
    eks_.describe_cluster(settings_.cluster_name,
                          [this, is_alive = is_alive_](const aws::Answer<EksCluster>& answer) {
                              if (!*is_alive) return;
                              problem_.reset();
                              if (answer)
                                  take(*answer);
                              else
                                  problem_ = answer.error();
                              no_question_before_ = loop_.monotonic() + kPause;
                              for (const auto& waiting : std::exchange(waiting_, {})) waiting();
                          });
}

void ClusterDiscovery::take(const EksCluster& cluster) {
    fill(settings_.cluster_endpoint, cluster.endpoint);
    fill(settings_.cluster_ca, cluster.certificate_authority);
    fill(settings_.service_cidr,
         cluster.service_ipv4_cidr.empty() ? cluster.service_ipv6_cidr : cluster.service_ipv4_cidr);
    fill(settings_.kubernetes, cluster.version);
    if (!is_complete())
        problem_ = Error{
            ErrorKind::kNotReady,
            "eks DescribeCluster does not say all that nodes must know of the cluster; is it being made?", 0};
}

}  // namespace joiner::cloud::ec2
