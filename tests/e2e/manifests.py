"""The Kubernetes objects of the tests, each with what tests vary as arguments."""

TYPE = "node.kubernetes.io/instance-type"
CAPACITY_TYPE = "karpenter.sh/capacity-type"


def requirement(key, *values, operator="In"):
    return {"key": key, "operator": operator, "values": list(values)}


def node_pool(name="default", *, requirements=(), consolidate_after="Never",
              policy="WhenEmptyOrUnderutilized", budget="100%", **template_spec):
    """On-demand amd64 Linux nodes that are not consolidated, unless said otherwise."""
    return {
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name},
        "spec": {
            "template": {"spec": {
                "requirements": [requirement("kubernetes.io/arch", "amd64"), requirement("kubernetes.io/os", "linux"),
                                 requirement(CAPACITY_TYPE, "on-demand"), *requirements],
                "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"},
                "expireAfter": "Never", **template_spec}},
            "disruption": {"consolidationPolicy": policy, "consolidateAfter": consolidate_after,
                           "budgets": [{"nodes": budget}]},
        }}


def node_class(name="default"):
    return {"apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass", "metadata": {"name": name},
            "spec": {}}


def pod_spec(cpu="1", memory="1Gi", **more):
    return {"terminationGracePeriodSeconds": 0,
            "containers": [{"name": "pause", "image": "pause",
                            "resources": {"requests": {"cpu": cpu, "memory": memory}}}], **more}


def deployment(name, replicas, **pod):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": pod_spec(**pod)}}}


def disruption_budget(name, *, app, max_unavailable):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"maxUnavailable": max_unavailable, "selector": {"matchLabels": {"app": app}}}}


def kwok_node(name, *, cpu, memory, pods):
    """A node made by hand, for a cluster without an autoscaler."""
    size = {"cpu": str(cpu), "memory": memory, "pods": str(pods)}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"},
                         "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                                    "kubernetes.io/arch": "amd64"}},
            "status": {"capacity": size, "allocatable": size}}
