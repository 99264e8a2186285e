// Looks, before anything is bought, whether an account has all that EC2NodeClasses and the controller ask of
// it. Each check is a line; one that fails says what to do. Changes nothing: what would is tried by a dry
// run. Borrows the loop and the HTTP client. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/event_bridge.h"
#include "cloud/ec2/calls/iam.h"
#include "cloud/ec2/calls/savings_plans.h"
#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/calls/sts.h"
#include "cloud/ec2/calls/zonal_shift.h"
#include "cloud/ec2/doctor/permissions.h"
#include "cloud/ec2/ec2_provider.h"
#include "cloud/ec2/settings.h"

namespace joiner::cloud::ec2 {

struct Check {
    enum class Result { kOk, kFailed, kNotChecked };
    std::string name;
    Result result = Result::kOk;
    std::string message;  // What was found.
    std::string cure;     // Of one that failed.
};

class Doctor {
  public:
    // `classes`: those of the cluster.
    Doctor(Ec2Ground ground, Settings settings, std::vector<api::NodeClass> classes);
    ~Doctor() { *is_alive_ = false; }
    Doctor(const Doctor&) = delete;
    Doctor& operator=(const Doctor&) = delete;

    // Once, in the order in which they are to be read.
    void examine(std::function<void(std::vector<Check>)> done);

  private:
    using Next = std::function<void()>;
    using Step = std::function<void(Next)>;

    void run_next();
    void good(std::string name, std::string message);
    void failed(std::string name, std::string message, std::string cure);
    void not_checked(std::string name, std::string why);
    void note(std::string name, const TrialAnswer& answer, const std::string& cure);
    void plan();
    void look_at_credentials(Next next);
    void look_at_ec2(Next next);
    void find_what_is_ours(Next next);
    void look_at_dry_run(const Permission& permission, Next next);
    void look_at_cluster(Next next);
    void look_at_prices(Next next);
    void look_at_profiles(Next next);
    void look_at_queue(Next next);
    void find_queue_arn(const std::string& url, Next next);
    void look_at_rules(Next next);
    void describe_rules(std::vector<std::string> names, std::vector<EventRule> found, Next next);
    void note_rules(const std::vector<EventRule>& rules);
    void look_at_zonal_shift(Next next);
    void look_at_commitments(Next next);
    void look_at_savings_plans(std::size_t reserved, Next next);
    void look_at_subnets(const api::NodeClass& node_class, Next next);
    void look_at_security_groups(const api::NodeClass& node_class, Next next);
    void look_at_images(const api::NodeClass& node_class, Next next);

    io::Loop& loop_;
    Settings settings_;
    const std::string region_;
    const std::vector<api::NodeClass> classes_;
    aws::Client client_;
    Ec2 ec2_;
    Iam iam_;
    Sts sts_;
    Ssm ssm_;
    Eks eks_;
    Pricing pricing_;
    Sqs sqs_;
    ArcZonalShift arc_;
    EventBridge event_bridge_;
    SavingsPlans savings_plans_;
    bool heeds_dry_runs_ = false;  // Of a question, so far.
    TrialGround ours_;
    std::string cluster_arn_;
    std::string queue_arn_;  // Empty: it is not known.
    std::deque<Step> steps_;
    std::vector<Check> checks_;
    std::function<void(std::vector<Check>)> done_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
