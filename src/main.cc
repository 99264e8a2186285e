// Flags and subcommands. What a command does stands in src/cli/.
#include <CLI/CLI.hpp>
#include <exception>
#include <string_view>

#include "cli/commands.h"

// Read by jemalloc, where the program is linked with it. Nearly all memory is one thread's, so one arena will
// do; and what a plan leaves goes back to the system after one second, so that the next peak does not come on
// top.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace {

using namespace joiner::cli;

// What has no meaning here is accepted, so that a Deployment written for Karpenter starts unchanged.
void add_flags_without_effect(CLI::App& command) {
    const auto add = [&command](const char* name) {
        return command.add_option(std::string("--") + name, "accepted for Karpenter's sake")
            ->group("Without effect");
    };
    add("karpenter-service");
    for (const char* name : {"enable-profiling", "disable-controller-warmup",
                             "disable-cluster-state-observability", "ignore-dra-requests"}) {
        add(name)->expected(0, 1)->check(
            CLI::IsMember({"", "true", "false", "1", "0", "t", "f"}, CLI::ignore_case));
    }
    for (const char* name : {"memory-limit", "cpu-requests"}) add(name)->check(CLI::TypeValidator<long>());
}

void add_ec2(CLI::App& command, Ec2Options& o) {
    command
        .add_option("--cluster-name", o.cluster_name,
                    "launch on EC2 for this cluster; AWS's own variables count")
        ->envname("CLUSTER_NAME");
    command
        .add_option("--cluster-endpoint", o.cluster_endpoint,
                    "EC2: where nodes find the API server; else EKS says")
        ->envname("CLUSTER_ENDPOINT");
    command
        .add_option("--cluster-ca-bundle", o.cluster_ca_bundle,
                    "EC2: the API server's CA in base64; else ours, or what EKS says")
        ->envname("CLUSTER_CA_BUNDLE");
    command.add_flag("--isolated-vpc", o.isolated_vpc, "EC2: prices and IAM cannot be reached")
        ->envname("ISOLATED_VPC");
    command
        .add_flag("--eks-control-plane", o.eks_control_plane,
                  "EC2: ask EKS for Kubernetes' version, and not the API server")
        ->envname("EKS_CONTROL_PLANE");
    command
        .add_option("--vm-memory-overhead-percent", o.vm_memory_overhead_percent,
                    "EC2: share of the memory that the hypervisor keeps")
        ->envname("VM_MEMORY_OVERHEAD_PERCENT")
        ->capture_default_str();
    command
        .add_option("--interruption-queue", o.interruption_queue,
                    "EC2: name of the SQS queue; none is read without")
        ->envname("INTERRUPTION_QUEUE");
    command.add_option("--reserved-enis", o.reserved_enis, "EC2: network interfaces that pods do not get")
        ->envname("RESERVED_ENIS")
        ->capture_default_str();
    command
        .add_option("--ami-refresh-interval", o.ami_refresh_interval,
                    "EC2: how long images that were found are believed in")
        ->envname("AMI_REFRESH_INTERVAL")
        ->capture_default_str();
    command
        .add_option("--subnet-refresh-interval", o.subnet_refresh_interval,
                    "EC2: how long subnets that were found are believed in")
        ->envname("SUBNET_REFRESH_INTERVAL")
        ->capture_default_str();
    command
        .add_option("--security-group-refresh-interval", o.security_group_refresh_interval,
                    "EC2: how long security groups that were found are believed in")
        ->envname("SECURITY_GROUP_REFRESH_INTERVAL")
        ->capture_default_str();
    command.add_flag("--disable-dry-run", o.disable_dry_run, "EC2: believe a class without trying it")
        ->envname("DISABLE_DRY_RUN");
    command
        .add_flag("--enable-zonal-shift", o.enable_zonal_shift,
                  "EC2: buy nothing in zones that traffic is shifted away from")
        ->envname("ENABLE_ZONAL_SHIFT");
    command
        .add_flag("--account-commitments", o.account_commitments,
                  "EC2: the account's reserved instances and Savings Plans are paid for already")
        ->envname("ACCOUNT_COMMITMENTS");
    command
        .add_option(
            "--aws-feature-gates", o.aws_feature_gates,
            "EC2: RebootForRepair=true reboots nodes whose GPU a reset mends, NodeClassCEL=true takes "
            "expressions in spec.kubelet; others have no effect")
        ->envname("AWS_FEATURE_GATES");
}

void add_controller(CLI::App& app, int& code) {
    auto* command =
        app.add_subcommand("controller", "the controller; in-cluster configuration, or --kubeconfig");
    auto o = std::make_shared<ControllerOptions>();
    command->add_option("--kubeconfig", o->kubeconfig, "kubeconfig file");
    command->add_option("--context", o->context, "context of the kubeconfig");
    command
        ->add_option("--instance-types-file-path", o->instance_types_file,
                     "instance types of the KWOK provider; \"aws\" for the built-in AWS catalogue")
        ->envname("INSTANCE_TYPES_FILE_PATH");
    command->add_option("--metrics-port", o->metrics_port)
        ->envname("METRICS_PORT")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    command->add_option("--health-probe-port", o->health_probe_port)
        ->envname("HEALTH_PROBE_PORT")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    command
        ->add_option("--page-port", o->page_port,
                     "a page of the cluster, its cost and each decision, for whoever may `get` the URL /page "
                     "(docs/page.md); 0, the default: none")
        ->envname("PAGE_PORT")
        ->check(CLI::Range(0, 65535));
    command
        ->add_flag("--page-without-token", o->page_without_token,
                   "nobody is asked for a token, and the page's port is open on 127.0.0.1 only")
        ->envname("PAGE_WITHOUT_TOKEN");
    command->add_option("--kube-client-qps", o->kube_client_qps, "bindings and the lease are not held back")
        ->envname("KUBE_CLIENT_QPS")
        ->capture_default_str();
    command->add_option("--kube-client-burst", o->kube_client_burst)
        ->envname("KUBE_CLIENT_BURST")
        ->capture_default_str();
    command->add_flag("--disable-leader-election", o->disable_leader_election)
        ->envname("DISABLE_LEADER_ELECTION");
    command->add_option("--leader-election-name", o->leader_election_name)
        ->envname("LEADER_ELECTION_NAME")
        ->capture_default_str();
    command->add_option("--leader-election-namespace", o->leader_election_namespace)
        ->envname("LEADER_ELECTION_NAMESPACE");
    command->add_option("--log-level", o->log_level)
        ->envname("LOG_LEVEL")
        ->check(CLI::IsMember({"", "debug", "info", "error"}))
        ->capture_default_str();
    command->add_option("--log-output-paths", o->log_output_paths)
        ->envname("LOG_OUTPUT_PATHS")
        ->capture_default_str();
    command->add_option("--log-error-output-paths", o->log_error_output_paths)
        ->envname("LOG_ERROR_OUTPUT_PATHS")
        ->capture_default_str();
    command->add_option("--batch-max-duration", o->batch_max_duration, "upper limit of the batching window")
        ->envname("BATCH_MAX_DURATION")
        ->capture_default_str();
    command
        ->add_option("--batch-idle-duration", o->batch_idle_duration,
                     "upper limit of the quiet gap that ends a batch")
        ->envname("BATCH_IDLE_DURATION")
        ->capture_default_str();
    command
        ->add_flag(
            "--plan-ahead,!--no-plan-ahead", o->plan_ahead,
            "plan for the pods that ReplicaSets are still making, not only for those that are there; on "
            "unless it is switched off")
        ->envname("PLAN_AHEAD")
        ->capture_default_str();
    command->add_option("--preference-policy", o->preference_policy)
        ->envname("PREFERENCE_POLICY")
        ->check(CLI::IsMember({"Respect", "Ignore", "Priced"}))
        ->capture_default_str();
    command
        ->add_option("--preference-worth", o->preference_worth,
                     "to Priced: dollars an hour for a preference of weight 100")
        ->envname("PREFERENCE_WORTH")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    command->add_option("--min-values-policy", o->min_values_policy)
        ->envname("MIN_VALUES_POLICY")
        ->check(CLI::IsMember({"Strict", "BestEffort"}))
        ->capture_default_str();
    command
        ->add_flag("--ignore-interruption-costs", o->ignore_interruption_costs,
                   "compare spot offerings by price alone, whatever interruptions are learned to cost")
        ->envname("IGNORE_INTERRUPTION_COSTS");
    command
        ->add_option("--hedge-priority", o->hedge_priority,
                     "pods of this priority and above: a launch that is not answered in time is asked for a "
                     "second time, and the slower one is removed; without it, never")
        ->envname("HEDGE_PRIORITY");
    command->add_option("--hedge-after", o->hedge_after, "that time")
        ->envname("HEDGE_AFTER")
        ->capture_default_str();
    command
        ->add_option("--pod-binding", o->pod_binding,
                     "auto: bind planned pods in the closed window; scheduler: leave all to it")
        ->envname("POD_BINDING")
        ->check(CLI::IsMember({"auto", "scheduler"}))
        ->capture_default_str();
    command
        ->add_option("--scheduler-config", o->scheduler_config,
                     "kube-scheduler's default spread constraints, as YAML or JSON")
        ->envname("SCHEDULER_CONFIG");
    command
        ->add_option("--commitments", o->commitments,
                     "file of reserved instances and Savings Plans: what they cover is paid for already")
        ->envname("COMMITMENTS_FILE");
    command->add_option("--feature-gates", o->feature_gates, "name=true or name=false, separated by commas")
        ->envname("FEATURE_GATES");
    command
        ->add_flag("--legacy-node-repair", o->legacy_node_repair,
                   "with the gate NodeRepair: sick nodes go by force, past budgets, nothing launched before")
        ->envname("LEGACY_NODE_REPAIR");
    add_ec2(*command, o->ec2);
    add_flags_without_effect(*command);
    command->callback([o, &code] { code = run_controller(*o); });
}

void add_doctor(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "doctor", "look whether a cluster and its AWS account have all that EC2 needs; changes nothing");
    auto o = std::make_shared<DoctorOptions>();
    command->add_option("--kubeconfig", o->kubeconfig, "kubeconfig file");
    command->add_option("--context", o->context, "context of the kubeconfig");
    command->add_option("-o,--output", o->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    add_ec2(*command, o->ec2);
    command->footer(
        "A line a check, with the cure where one fails. Exit code 0: nothing is wrong. 1: a check has "
        "failed. 2: "
        "the flags are wrong.");
    command->callback([o, &code] { code = run_doctor(*o); });
}

// -f may be left out: "joiner simulate app.yaml".
void add_files(CLI::App& command, std::vector<std::string>& files, bool& is_recursive) {
    command.add_option("-f,--filename,files", files, "manifests: a file, a folder, or - for standard input")
        ->required();
    command.add_flag("-R,--recursive", is_recursive, "read the folders inside a folder, too");
}

void add_top(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "top", "the nodes in a terminal, live: requests, use, price, idle dollars, what keeps each");
    auto options = std::make_shared<TopOptions>();
    command->add_option("--kubeconfig", options->kubeconfig, "kubeconfig file");
    command->add_option("--context", options->context, "context of the kubeconfig");
    command->add_option("-f,--filename,files", options->files,
                        "a dump of a cluster (kubectl get ... -o yaml): a file, a folder, or - for standard "
                        "input; one frame of it is printed");
    command->add_flag("-R,--recursive", options->is_recursive, "read the folders inside a folder, too");
    auto* once = command->add_flag("--once", options->once, "print one frame as text, and end");
    command->add_option("--size", options->size,
                        "of the frame that --once or -f prints, as in 200x60; else the terminal's, or 80x24");
    command->add_option(
        "--instance-types", options->instance_types,
        "instance types, in the form of Karpenter's KWOK provider; without it, the built-in catalogues");
    command->footer("Changes nothing. In it, ? names the keys; docs/top.md says what each column means.");
    command->callback([options, once, &code] {
        if (!options->size.empty() && once->empty() && options->files.empty()) {
            code = refuse("--size is for --once and -f; a terminal has its own size");
        } else {
            code = run_top(*options);
        }
    });
}

void add_help(CLI::App& app, int& code) {
    auto* command = app.add_subcommand("help", "help for a command");
    auto name = std::make_shared<std::string>();
    command->add_option("command", *name, "the command");
    command->callback([name, &app, &code] {
        const auto found =
            app.get_subcommands([&](const CLI::App* candidate) { return candidate->get_name() == *name; });
        const CLI::App* about = name->empty() ? &app : found.empty() ? nullptr : found.front();
        if (about == nullptr) {
            code = refuse("there is no command " + *name + "; see joiner --help");
        } else {
            std::fputs(about->help().c_str(), stdout);
        }
    });
}

void add_simulate(CLI::App& app, int& code) {
    auto* command =
        app.add_subcommand("simulate", "plan for a cluster written as manifests; no cluster needed");
    auto options = std::make_shared<SimulateOptions>();
    add_files(*command, options->files, options->is_recursive);
    command->add_option(
        "--instance-types", options->instance_types,
        "instance types, in the form of Karpenter's KWOK provider; without it, the built-in AWS catalogue");
    command->add_option("-o,--output", options->output, "table, json or html")
        ->check(CLI::IsMember({"table", "json", "html"}));
    command->add_flag("--disruption", options->disruption, "plan what could be removed, too");
    command->add_option("--preference-policy", options->preference_policy, "Respect, Ignore or Priced")
        ->check(CLI::IsMember({"Respect", "Ignore", "Priced"}));
    command
        ->add_option("--preference-worth", options->preference_worth,
                     "to Priced: dollars an hour for a preference of weight 100")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    command->add_option("--min-values-policy", options->min_values_policy, "Strict or BestEffort")
        ->check(CLI::IsMember({"Strict", "BestEffort"}));
    command->add_option("--scheduler-config", options->scheduler_config,
                        "kube-scheduler's default spread constraints, as YAML or JSON");
    command->add_option("--commitments", options->commitments,
                        "file of reserved instances and Savings Plans: what they cover is paid for already");
    command
        ->add_option("--planning-budget", options->planning_budget_seconds,
                     "seconds after which no lower price is looked for")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    command->callback([options, &code] { code = run_simulate(*options); });
}

void add_plan(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "plan",
        "what a cluster costs, what its pods would cost, and what stands in the way; changes nothing");
    auto options = std::make_shared<PlanOptions>();
    command->add_option("-f,--filename,files", options->files,
                        "a dump of a cluster (kubectl get ... -o yaml): a file, a folder, or - for standard "
                        "input; without it the live cluster of the kubeconfig");
    command->add_flag("-R,--recursive", options->is_recursive, "read the folders inside a folder, too");
    command->add_option("--kubeconfig", options->kubeconfig, "kubeconfig file");
    command->add_option("--context", options->context, "context of the kubeconfig");
    command->add_option("--with", options->with,
                        "what if: objects in this file are added, or stand in place of those of their name");
    command->add_option(
        "--instance-types", options->instance_types,
        "instance types, in the form of Karpenter's KWOK provider; without it, the built-in catalogues");
    command->add_option("-o,--output", options->output, "table, json or html")
        ->check(CLI::IsMember({"table", "json", "html"}));
    command->add_flag("-v,--verbose", options->verbose, "of the table, every node and every move");
    command
        ->add_option("--planning-budget", options->planning_budget_seconds,
                     "seconds after which no lower price is looked for, for pods that wait")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    command->footer(
        "Works on clusters of Karpenter, Cluster Autoscaler, managed groups or nothing. It reads and never\n"
        "writes; docs/plan.md has the ClusterRole that it needs, and what each word means.");
    command->callback([options, &code] { code = run_plan(*options); });
}

// kubectl finds its plugins by this name.
bool is_kubectl_plugin(std::string_view path) {
    return path.substr(path.find_last_of('/') + 1).starts_with("kubectl-");
}

void add_explain(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "explain", "why a pod waits, why a node stays, how a NodePool stands, and what to do");
    auto options = std::make_shared<ExplainOptions>();
    command->add_option("kind", options->kind, "pod, node, nodepool or nodeclaim")->required();
    command->add_option("name", options->name, "its name; of a pod, NAMESPACE/NAME")->required();
    command->add_option("-n,--namespace", options->ns, "of a pod that is named without one")
        ->capture_default_str();
    command->add_option("-f,--filename", options->files,
                        "a dump (kubectl get ... -o yaml) instead of a cluster: a file, a folder, or -");
    command->add_flag("-R,--recursive", options->is_recursive, "read the folders inside a folder, too");
    command->add_option("--kubeconfig", options->kubeconfig, "kubeconfig file");
    command->add_option("--context", options->context, "context of the kubeconfig");
    command->add_option(
        "--instance-types", options->instance_types,
        "instance types, in the form of Karpenter's KWOK provider; without it, the built-in AWS catalogue");
    command->add_flag("-v,--verbose", options->is_verbose, "all of it, not one screen");
    command->add_option("-o,--output", options->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    command->footer(
        "Reads, and changes nothing. Exit code 0: explained. 2: it is not there (the nearest names are "
        "said), "
        "or something cannot be read. Installed as kubectl-joiner: kubectl joiner explain ...");
    command->callback([options, &code] { code = run_explain(*options); });
}

void add_validate(CLI::App& app, int& code) {
    auto* command = app.add_subcommand("validate", "say what an API server would refuse in manifests");
    auto options = std::make_shared<ValidateOptions>();
    add_files(*command, options->files, options->is_recursive);
    command
        ->add_option("--aws-feature-gates", options->aws_feature_gates,
                     "as the controller's: NodeClassCEL=true takes expressions in spec.kubelet")
        ->envname("AWS_FEATURE_GATES");
    command->footer(
        "Exit code 0: nothing wrong. 1: mistakes, listed by file and line. 2: something cannot be read.");
    command->callback([options, &code] { code = run_validate(*options); });
}

void add_convert(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "convert",
        "write Provisioners, AWSNodeTemplates, Auto Scaling groups and the Cluster Autoscaler's "
        "flags as NodePools and EC2NodeClasses");
    auto options = std::make_shared<ConvertOptions>();
    add_files(*command, options->files, options->is_recursive);
    command->add_option("-o,--output", options->output, "yaml or json")
        ->check(CLI::IsMember({"yaml", "json"}))
        ->capture_default_str();
    command->add_flag(
        "--ignore-defaults", options->ignore_defaults,
        "leave out the requirements that Karpenter wrote into a Provisioner that had none such");
    command->footer(
        "What has another meaning now, or none, is named on standard error. Exit code 0: converted. 1: "
        "something "
        "cannot be converted, and nothing is written. 2: something cannot be read.");
    command->callback([options, &code] { code = run_convert(*options); });
}

void add_uninstall(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "uninstall", "take the nodes away, or leave them to themselves, before the controller goes");
    auto options = std::make_shared<UninstallOptions>();
    command->add_option("--kubeconfig", options->kubeconfig, "kubeconfig file");
    command->add_option("--context", options->context, "context of the kubeconfig");
    command->add_flag("--drain", options->drain,
                      "delete the NodePools and wait until the controller has drained and ended every node");
    command->add_flag("--orphan", options->orphan,
                      "leave machines, nodes and pods as they are, and delete the NodeClaims; the controller "
                      "must be stopped");
    command->add_flag("--controller-is-stopped", options->controller_is_stopped,
                      "to --orphan: it is, though no lease tells");
    auto minutes = std::make_shared<double>(30);
    command->add_option("--timeout", *minutes, "minutes to wait for the drain")
        ->check(CLI::Range(0.0, 10'000.0))
        ->capture_default_str();
    command->footer("docs/install.md has the order in which things are removed.");
    command->callback([options, minutes, &code] {
        options->timeout = std::chrono::milliseconds{static_cast<std::int64_t>(*minutes * 60'000)};
        code = run_uninstall(*options);
    });
}

void add_demo(CLI::App& app, int& code) {
    auto* command = app.add_subcommand(
        "demo", "an embedded cluster, a sample workload, the real controller; needs nothing else");
    auto options = std::make_shared<DemoOptions>();
    auto* serve = command->add_flag("--serve", options->serve,
                                    "on real time, and stay up so that kubectl --server works against it");
    command->add_option("--port", options->port, "for --serve; 0 is any free one")
        ->check(CLI::Range(0, 65535))
        ->needs(serve)
        ->capture_default_str();
    command->add_option("--metrics-port", options->metrics_port, "for --serve, likewise")
        ->check(CLI::Range(0, 65535))
        ->needs(serve)
        ->capture_default_str();
    command->add_option(
        "--feature-gates", options->feature_gates,
        "as the controller's: StaticCapacity=true for static pools, NodeRepair=true for repair");
    command->add_option("--api", options->api, "of the pool: a NodePool, or the first API's Provisioner")
        ->check(CLI::IsMember({"v1", "v1alpha5"}))
        ->capture_default_str();
    command->callback([options, &code] { code = run_demo(*options); });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Joiner gives a Kubernetes cluster the nodes its pods need, at the lowest price, and takes them away "
        "again.",
        is_kubectl_plugin(argv[0]) ? "kubectl joiner" : "joiner"};
    app.require_subcommand(1);
    int code = 0;
    add_controller(app, code);
    add_doctor(app, code);
    add_plan(app, code);
    add_top(app, code);
    add_simulate(app, code);
    add_explain(app, code);
    add_validate(app, code);
    add_convert(app, code);
    add_demo(app, code);
    add_uninstall(app, code);
    app.add_subcommand("crds", "print the custom resource definitions")->callback([&code] {
        code = run_crds();
    });
    app.add_subcommand("version", "print the version")->callback([] { std::puts("joiner " JOINER_VERSION); });
    add_help(app, code);
    app.set_version_flag("--version", "joiner " JOINER_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForAllHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForVersion& e) {
        return app.exit(e);
    } catch (const CLI::ParseError& e) {
        const auto is_named = [&](const CLI::App* command) {
            return argc > 1 && command->get_name() == argv[1];
        };
        if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty())
            return refuse(std::string("there is no command ") + argv[1] + "; see joiner --help");
        return refuse(std::string(e.what()) + "; see joiner --help");
    } catch (const std::exception& e) {
        return refuse(e.what());
    }
    return code;
}
