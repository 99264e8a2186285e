// What the first API's objects are in today's: a Provisioner of karpenter.sh/v1alpha5 as a NodePool, an
// AWSNodeTemplate of karpenter.k8s.aws/v1alpha1 and a Provisioner's inline provider as an EC2NodeClass. One
// code for the controller, simulate and `joiner convert`. JSON in, JSON text out. Pure; any thread.
// Source: Karpenter v0.5 to v0.32, its CRDs, its webhooks and its karpenter-convert.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"

namespace joiner::api {

inline constexpr std::string_view kFirstApiVersion = "karpenter.sh/v1alpha5";
inline constexpr std::string_view kFirstAwsApiVersion = "karpenter.k8s.aws/v1alpha1";

// Whether the requirements that v0.19 and later wrote into a Provisioner are added: Linux, amd64, on-demand,
// and of the instances c, m and r newer than generation 2; each where neither a requirement nor a label
// speaks of it. kCommon: without the last two, which only EC2's types have labels for.
enum class Defaults { kWritten, kCommon, kNone };

struct FirstApiPool {
    // A karpenter.sh/v1 NodePool: metadata as given, spec, no status. Its consolidation says what the
    // Provisioner promised; it has no budgets, and Never where neither a TTL nor consolidation is set.
    std::string node_pool;
    // Why v0.31's webhooks would refuse it, or it cannot be read: a sentence each that begins with the field.
    // Of an inline provider the class tells.
    std::vector<std::string> problems;
    // What today's API cannot say, in sentences of the same form.
    std::vector<std::string> lost;
};

// `node_class`: what its nodeClassRef is to be. Error: the text is not JSON of an object.
Result<FirstApiPool> first_api_pool(std::string_view provisioner_json, const NodeClassReference& node_class,
                                    Defaults defaults);

struct FirstApiClass {
    // An EC2NodeClass's spec. Without instanceProfile it has no role either: the first API knew one of the
    // controller's settings for that.
    std::string spec;
    std::vector<std::string> problems;
    std::vector<std::string> lost;
    // The name of its launch template, which nothing of today stands for: such a class cannot be used. It is
    // among `lost` too.
    std::string launch_template;
};

// `kubelet_json`: the Provisioner's kubeletConfiguration, empty where it has none. What is wrong with that is
// told with the pool.
Result<FirstApiClass> first_api_class_of_template(std::string_view template_json,
                                                  std::string_view kubelet_json);
// Of a Provisioner with an inline provider, its kubeletConfiguration included.
Result<FirstApiClass> first_api_class_of_provider(std::string_view provisioner_json);

// The spec without what the first API passed over and today's classes must not have, so that the class can be
// used. `spec`: of a FirstApiClass.
std::string first_api_served_spec(const std::string& spec);

struct FirstApiReference {
    bool has_inline_provider = false;
    // Of its providerRef. The first API used the name alone and took the rest for an AWSNodeTemplate whatever
    // it said; a reference to a node class by group and kind is ours.
    NodeClassReference provider_ref;
    std::string kubelet;  // JSON of its kubeletConfiguration, or empty.

    bool is_aws_node_template() const;
};
Result<FirstApiReference> first_api_reference(std::string_view provisioner_json);

// The node class that the Provisioner's nodes get: of an inline provider or of kubelet settings one of its
// own, else one for all that refer to the same AWSNodeTemplate. A node class that it refers to itself is
// that.
NodeClassReference first_api_class_name(std::string_view provisioner, const FirstApiReference& reference);

// A kubeletConfiguration as an EC2NodeClass has it: JSON with sorted keys, empty where nothing is left of it.
// Equal texts ask the same of a node.
std::string first_api_kubelet(std::string_view kubelet_json);

}  // namespace joiner::api
