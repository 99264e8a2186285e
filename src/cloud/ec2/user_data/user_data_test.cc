#include "cloud/ec2/user_data/user_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#include <yaml-cpp/yaml.h>

#include "cloud/ec2/user_data/mime.h"

namespace joiner::cloud::ec2 {
namespace {

using ::testing::HasSubstr;

api::Taint taint(const char* key, const char* value, const char* effect) {
    api::Taint out;
    out.key = key;
    out.value = value;
    out.effect = effect;
    return out;
}

Bootstrap bootstrap(const char* kubelet = "{}", AmiFamily family = AmiFamily::kAl2023) {
    Bootstrap out;
    out.cluster_name = "c1";
    out.endpoint = "https://example.com";
    out.ca_bundle = "Y2E=";
    out.service_cidr = "10.100.0.0/16";
    out.cluster_dns = "10.100.0.10";
    out.kubelet = parse_kubelet(kubelet, family).value();
    out.max_pods = 29;
    out.taints = bootstrap_taints({taint("a", "1", "NoSchedule")}, {taint("b", "", "NoExecute")});
    out.labels = {{"karpenter.sh/capacity-type", "spot"}, {"team", "1"}};
    return out;
}

TEST(UserData, of_al2023_is_a_document_that_nodeadm_reads) {
    Bootstrap with = bootstrap(R"({"kubeReserved": {"cpu": "1"}, "podsPerCore": 3, "failSwapOn": true})");
    with.uses_raid0 = true;
    const auto text = make_user_data(AmiFamily::kAl2023, with);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_TRUE(
        text->starts_with("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\n"));
    const auto parts = read_mime(*text);
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 1u);
    EXPECT_EQ(parts->front().headers, "Content-Type: application/node.eks.aws");
    const YAML::Node document = YAML::Load(parts->front().body);
    EXPECT_EQ(document["apiVersion"].as<std::string>(), "node.eks.aws/v1alpha1");
    EXPECT_EQ(document["kind"].as<std::string>(), "NodeConfig");
    EXPECT_TRUE(document["metadata"].IsMap());
    EXPECT_TRUE(document["spec"]["containerd"].IsMap());
    const YAML::Node cluster = document["spec"]["cluster"];
    EXPECT_EQ(cluster["name"].as<std::string>(), "c1");
    EXPECT_EQ(cluster["apiServerEndpoint"].as<std::string>(), "https://example.com");
    EXPECT_EQ(cluster["certificateAuthority"].as<std::string>(), "Y2E=");
    EXPECT_EQ(cluster["cidr"].as<std::string>(), "10.100.0.0/16");
    EXPECT_EQ(document["spec"]["instance"]["localStorage"]["strategy"].as<std::string>(), "RAID0");
    const YAML::Node kubelet = document["spec"]["kubelet"];
    EXPECT_EQ(kubelet["flags"][0].as<std::string>(),
              "--node-labels=\"karpenter.sh/capacity-type=spot,team=1\"");
    EXPECT_EQ(kubelet["config"]["maxPods"].as<int>(), 29);
    EXPECT_EQ(kubelet["config"]["podsPerCore"].as<int>(), 3);
    EXPECT_EQ(kubelet["config"]["failSwapOn"].as<bool>(), true);
    EXPECT_EQ(kubelet["config"]["clusterDNS"][0].as<std::string>(), "10.100.0.10");
    // A quantity that looks like a number stays a string.
    EXPECT_THAT(parts->front().body, HasSubstr("cpu: \"1\""));
    const YAML::Node taints = kubelet["config"]["registerWithTaints"];
    ASSERT_EQ(taints.size(), 3u);
    EXPECT_EQ(taints[0]["value"].as<std::string>(), "1");
    EXPECT_EQ(taints[2]["key"].as<std::string>(), "karpenter.sh/unregistered");
    EXPECT_EQ(taints[2]["effect"].as<std::string>(), "NoExecute");
}

TEST(UserData, of_al2023_takes_what_the_user_adds) {
    struct Case {
        const char* custom;
        std::vector<std::string> types;
    };
    const std::string script = "Content-Type: text/x-shellscript; charset=\"us-ascii\"";
    const std::string config = "Content-Type: application/node.eks.aws";
    const Case cases[] = {
        {"#!/bin/bash\necho hello\n", {script, config}},
        {"kind: NodeConfig\nspec: {}\n", {config, config}},
        {"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B\nContent-Type: "
         "text/x-shellscript\n\n"
         "echo 1\n--B\nContent-Type: text/cloud-config\n\na: 1\n--B--\n",
         {"Content-Type: text/x-shellscript", "Content-Type: text/cloud-config", config}},
        {"", {config}},
    };
    for (const Case& c : cases) {
        Bootstrap with = bootstrap();
        with.custom = c.custom;
        const auto text = make_user_data(AmiFamily::kAl2023, with);
        ASSERT_TRUE(text) << text.error().message;
        std::vector<std::string> types;
        const auto parts = read_mime(*text).value();
        for (const MimePart& part : parts) types.push_back(part.headers);
        EXPECT_EQ(types, c.types) << c.custom;
    }
    Bootstrap broken = bootstrap();
    broken.custom = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"B\"\n\n--B\n\nx\n";
    EXPECT_THAT(make_user_data(AmiFamily::kAl2023, broken).error().message,
                HasSubstr("spec.userData: the MIME text has no end"));
}

TEST(UserData, of_al2023_waits_for_the_clusters_services) {
    Bootstrap unknown = bootstrap();
    unknown.service_cidr.clear();
    EXPECT_EQ(make_user_data(AmiFamily::kAl2023, unknown).error().kind, ErrorKind::kUnavailable);
}

TEST(UserData, of_al2_is_a_script) {
    Bootstrap with = bootstrap(
        R"({"podsPerCore": 3, "kubeReserved": {"cpu": "1", "memory": "1Gi"}, "evictionHard": {"memory.available": "5%"},
            "evictionSoft": {"memory.available": "6%"}, "evictionSoftGracePeriod": {"memory.available": "1m"},
            "evictionMaxPodGracePeriod": 60, "imageGCHighThresholdPercent": 80, "imageGCLowThresholdPercent": 70,
            "cpuCFSQuota": false, "systemReserved": {"cpu": "2"}})",
        AmiFamily::kAl2);
    with.uses_raid0 = true;
    with.custom = "echo first";
    const auto text = make_user_data(AmiFamily::kAl2, with);
    ASSERT_TRUE(text);
    const auto parts = read_mime(*text);
    ASSERT_EQ(parts->size(), 2u);
    EXPECT_EQ((*parts)[0].body, "echo first");
    const std::string& script = (*parts)[1].body;
    EXPECT_TRUE(script.starts_with("#!/bin/bash -xe\n"));
    EXPECT_THAT(
        script,
        HasSubstr(
            "/etc/eks/bootstrap.sh 'c1' --apiserver-endpoint 'https://example.com' \\\n"
            "--b64-cluster-ca 'Y2E=' \\\n--dns-cluster-ip '10.100.0.10' \\\n--use-max-pods false \\\n"));
    EXPECT_THAT(
        script,
        HasSubstr(
            "--kubelet-extra-args '--node-labels=\"karpenter.sh/capacity-type=spot,team=1\" "
            "--register-with-taints=\"a=1:NoSchedule,b=:NoExecute,karpenter.sh/unregistered=:NoExecute\" "
            "--max-pods=29 --pods-per-core=3 --system-reserved=cpu=2 --kube-reserved=cpu=1,memory=1Gi "
            "--eviction-hard=memory.available<5% --eviction-soft=memory.available<6% "
            "--eviction-soft-grace-period=memory.available=1m --eviction-max-pod-grace-period=60 "
            "--image-gc-high-threshold=80 --image-gc-low-threshold=70 --cpu-cfs-quota=false'"));
    EXPECT_THAT(script, HasSubstr("--local-disks raid0"));
    with.cluster_dns = "fd00::a";
    EXPECT_THAT(*make_user_data(AmiFamily::kAl2, with), HasSubstr("--ip-family ipv6"));
}

TEST(UserData, of_bottlerocket_is_the_users_settings_under_ours) {
    Bootstrap with =
        bootstrap(R"({"imageGCHighThresholdPercent": 80, "cpuCFSQuota": true, "kubeReserved": {"cpu": "1"}})",
                  AmiFamily::kBottlerocket);
    with.uses_raid0 = true;
    with.custom =
        "[settings.kubernetes]\ncluster-name = \"other\"\nlog-level = 3\n[settings.kubernetes.node-labels]\n"
        "mine = \"x\"\nteam = \"2\"\n[settings.kubernetes.node-taints]\nold = [\"a:NoSchedule\"]\n"
        "[settings.ntp]\ntime-servers = [\"a\"]\n";
    const auto text = make_user_data(AmiFamily::kBottlerocket, with);
    ASSERT_TRUE(text) << text.error().message;
    const toml::parse_result read = toml::parse(std::string_view(*text));
    ASSERT_TRUE(read);
    const auto& document = read.table();
    const auto ours = document["settings"]["kubernetes"];
    EXPECT_EQ(ours["cluster-name"].value<std::string>(), "c1");
    EXPECT_EQ(ours["log-level"].value<int>(), 3);
    EXPECT_EQ(ours["max-pods"].value<int>(), 29);
    EXPECT_EQ(ours["cluster-dns-ip"].value<std::string>(), "10.100.0.10");
    EXPECT_EQ(ours["image-gc-high-threshold-percent"].value<std::string>(), "80");
    EXPECT_EQ(ours["cpu-cfs-quota-enforced"].value<bool>(), true);
    EXPECT_EQ(ours["kube-reserved"]["cpu"].value<std::string>(), "1");
    EXPECT_EQ(ours["node-labels"]["mine"].value<std::string>(), "x");
    EXPECT_EQ(ours["node-labels"]["team"].value<std::string>(), "1");
    EXPECT_FALSE(ours["node-taints"]["old"]);
    EXPECT_EQ(ours["node-taints"]["b"][0].value<std::string>(), ":NoExecute");
    EXPECT_EQ(document["settings"]["ntp"]["time-servers"][0].value<std::string>(), "a");
    const auto mount = document["settings"]["bootstrap-commands"]["000-mount-instance-storage"];
    EXPECT_EQ(mount["mode"].value<std::string>(), "always");
    EXPECT_EQ(mount["essential"].value<bool>(), true);
    EXPECT_EQ(mount["commands"][1][3].value<std::string>(), "--dirs");
    with.knows_its_folders = true;
    EXPECT_THAT(*make_user_data(AmiFamily::kBottlerocket, with), Not(HasSubstr("--dirs")));
    with.custom = "[settings";
    EXPECT_THAT(make_user_data(AmiFamily::kBottlerocket, with).error().message,
                HasSubstr("spec.userData: is no TOML"));
}

TEST(UserData, of_windows_is_powershell) {
    Bootstrap with = bootstrap("{}", AmiFamily::kWindows2022);
    with.custom = "Write-Host hello";
    const std::string text = make_user_data(AmiFamily::kWindows2022, with).value();
    EXPECT_TRUE(text.starts_with("<powershell>\nWrite-Host hello\n"));
    EXPECT_TRUE(text.ends_with("\n</powershell>\n"));
    EXPECT_THAT(
        text,
        HasSubstr("-EKSClusterName 'c1' -APIServerEndpoint 'https://example.com' -Base64ClusterCA 'Y2E=' "
                  "-KubeletExtraArgs '--node-labels="));
}

TEST(UserData, of_custom_images_is_the_users) {
    Bootstrap with = bootstrap();
    with.custom = "anything";
    EXPECT_EQ(*make_user_data(AmiFamily::kCustom, with), "anything");
    with.custom.reset();
    EXPECT_EQ(*make_user_data(AmiFamily::kCustom, with), "");
}

TEST(UserData, that_ec2_would_not_take_is_refused) {
    Bootstrap with = bootstrap();
    with.custom = "# " + std::string(kMostUserData, 'x');
    const auto text = make_user_data(AmiFamily::kAl2023, with);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(text.error().message, HasSubstr("EC2 takes 16384"));
}

TEST(UserData, says_no_label_that_a_kubelet_may_not_set) {
    const api::StringMap all = {{"kubernetes.io/arch", "amd64"},
                                {"node.kubernetes.io/instance-type", "m5.large"},
                                {"topology.k8s.aws/zone-id", "use1-az1"},
                                {"x.k8s.io/y", "1"},
                                {"node-restriction.kubernetes.io/a", "b"},
                                {"notkubernetes.io/a", "b"},
                                {"team", "x"}};
    EXPECT_EQ(bootstrap_labels(all, "spot", AmiFamily::kAl2023),
              (api::StringMap{{"karpenter.sh/capacity-type", "spot"},
                              {"karpenter.sh/do-not-sync-taints", "true"},
                              {"notkubernetes.io/a", "b"},
                              {"team", "x"},
                              {"topology.k8s.aws/zone-id", "use1-az1"}}));
    EXPECT_FALSE(
        bootstrap_labels({}, "spot", AmiFamily::kCustom).contains("karpenter.sh/do-not-sync-taints"));
}

}  // namespace
}  // namespace joiner::cloud::ec2
