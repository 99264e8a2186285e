// One function a subcommand; main.cc reads the flags and calls one of them. Each returns the process's exit
// code. Code 2, with one sentence on standard error: the input or the flags are wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace joiner::cli {

// Prints "joiner: <message>" and returns 2.
int refuse(const std::string& message);

// Dollars an hour that a preference of weight 100 is worth to the policy Priced.
inline constexpr double kPreferenceWorth = 0.001;

struct SimulateOptions {
    std::vector<std::string> files;
    bool is_recursive = false;  // Folders inside folders, too.
    std::string instance_types;
    std::string output = "table";
    bool disruption = false;
    std::string preference_policy = "Respect";
    double preference_worth = kPreferenceWorth;
    std::string min_values_policy = "Strict";
    std::string scheduler_config;
    std::string commitments;  // A file; empty: none.
    double planning_budget_seconds = 0.5;
};
int run_simulate(const SimulateOptions& options);

struct PlanOptions {
    // A live cluster, or a dump of one where there are files.
    std::string kubeconfig;
    std::string context;
    std::vector<std::string> files;
    bool is_recursive = false;
    std::vector<std::string> with;  // What if: objects added, or put in place of others.
    std::string instance_types;
    std::string output = "table";
    bool verbose = false;
    double planning_budget_seconds = 0.5;
};
int run_plan(const PlanOptions& options);

struct TopOptions {
    // A live cluster, or a dump of one where there are files.
    std::string kubeconfig;
    std::string context;
    std::vector<std::string> files;
    bool is_recursive = false;
    std::string instance_types;
    bool once = false;  // One frame as text. Of a dump there is no other.
    std::string size;   // Of that frame, "80x24"; empty: the terminal's.
};
int run_top(const TopOptions& options);

struct ExplainOptions {
    std::string kind;  // "pod", "node", "nodepool" or "nodeclaim"; plurals and short names too.
    std::string name;  // Of a pod, with or without its namespace.
    std::string ns = "default";
    std::string kubeconfig;
    std::string context;
    std::vector<std::string> files;  // Not empty: no API server is asked.
    bool is_recursive = false;
    std::string instance_types;
    bool is_verbose = false;
    std::string output = "text";
};
// 2, too: what is asked about is not there.
int run_explain(const ExplainOptions& options);

// Without a cluster's name that cloud is left alone.
struct Ec2Options {
    std::string cluster_name;
    std::string cluster_endpoint;
    std::string cluster_ca_bundle;
    bool isolated_vpc = false;
    bool eks_control_plane = false;
    double vm_memory_overhead_percent = 0.075;
    std::string interruption_queue;
    int reserved_enis = 0;
    bool disable_dry_run = false;
    bool enable_zonal_shift = false;
    bool account_commitments = false;
    std::string ami_refresh_interval = "1m";
    std::string subnet_refresh_interval = "1m";
    std::string security_group_refresh_interval = "1m";
    std::string aws_feature_gates;
    bool reserved_capacity = true;  // Of --feature-gates.
};

struct ControllerOptions {
    std::string kubeconfig;
    std::string context;
    std::string instance_types_file;  // Empty: Karpenter's own 144 types; "aws": the built-in catalogue.
    int metrics_port = 8080;
    int health_probe_port = 8081;
    int page_port = 0;  // 0: no page is served.
    bool page_without_token = false;
    double kube_client_qps = 200;
    int kube_client_burst = 300;
    bool disable_leader_election = false;
    std::string leader_election_name = "karpenter-leader-election";
    std::string leader_election_namespace;
    std::string log_level = "info";
    std::string log_output_paths = "stdout";
    std::string log_error_output_paths = "stderr";
    std::string batch_max_duration = "10s";
    std::string batch_idle_duration = "1s";
    bool plan_ahead = true;
    std::string preference_policy = "Respect";
    double preference_worth = kPreferenceWorth;
    std::string min_values_policy = "Strict";
    bool ignore_interruption_costs = false;
    std::optional<std::int32_t> hedge_priority;
    std::string hedge_after = "15s";
    std::string pod_binding = "auto";
    std::string scheduler_config;
    std::string commitments;  // A file; empty: none.
    std::string feature_gates;
    bool legacy_node_repair = false;
    Ec2Options ec2;
};
int run_controller(const ControllerOptions& options);

struct DoctorOptions {
    std::string kubeconfig;
    std::string context;
    Ec2Options ec2;
    std::string output = "text";
};
// 0: nothing is wrong, 1: a check has failed, 2: the flags are wrong.
int run_doctor(const DoctorOptions& options);

struct DemoOptions {
    bool serve = false;    // On real time, with a port for kubectl, until a signal; else it ends by itself.
    int port = 0;          // 0: any free one.
    int metrics_port = 0;  // Of `serve`, likewise.
    std::string feature_gates;  // As the controller's.
    std::string api = "v1";     // Of the pool: "v1" or "v1alpha5", the first API's.
};
int run_demo(const DemoOptions& options);

struct ValidateOptions {
    std::vector<std::string> files;
    bool is_recursive = false;
    std::string aws_feature_gates;  // As the controller's.
};
// 0: nothing wrong, 1: mistakes, 2: something cannot be read.
int run_validate(const ValidateOptions& options);
struct ConvertOptions {
    std::vector<std::string> files;
    bool is_recursive = false;
    std::string output = "yaml";
    bool ignore_defaults = false;
};
// 0: converted, 1: something cannot be, 2: something cannot be read.
int run_convert(const ConvertOptions& options);

struct UninstallOptions {
    std::string kubeconfig;
    std::string context;
    bool drain = false;
    bool orphan = false;
    bool controller_is_stopped = false;           // Where no lease tells.
    Duration timeout = std::chrono::minutes{30};  // To drain.
};
// 0: done, 2: it cannot be done, or not all of it was.
int run_uninstall(const UninstallOptions& options);
int run_crds();

}  // namespace joiner::cli
