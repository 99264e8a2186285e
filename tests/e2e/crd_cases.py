"""What the custom resource definitions admit: a table of manifests and the API server's expected answer.

Each row starts from a manifest of the kind that is valid and changes what the row is about. Rows with
`was` are updates: the manifest with `was` applied exists already.
"""

import copy
import dataclasses

REMOVED = object()

_BASES = {
    "NodePool": {
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool",
        "spec": {"template": {"spec": {
            "requirements": [],
            "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"}}}}},
    "NodeClaim": {
        "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
        "spec": {"requirements": [],
                 "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"}}},
    "NodeOverlay": {
        "apiVersion": "karpenter.sh/v1alpha1", "kind": "NodeOverlay", "spec": {"requirements": []}},
    "CapacityBuffer": {
        "apiVersion": "autoscaling.x-k8s.io/v1beta1", "kind": "CapacityBuffer",
        "spec": {"podTemplateRef": {"name": "small"}, "replicas": 3}},
    "KWOKNodeClass": {
        "apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass", "spec": {}},
    "Provisioner": {
        "apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "spec": {"providerRef": {"name": "default"}}},
    "AWSNodeTemplate": {
        "apiVersion": "karpenter.k8s.aws/v1alpha1", "kind": "AWSNodeTemplate",
        "spec": {"subnetSelector": {"team": "a"}, "securityGroupSelector": {"team": "a"}}},
}

COLLECTIONS = {
    "NodePool": "/apis/karpenter.sh/v1/nodepools",
    "NodeClaim": "/apis/karpenter.sh/v1/nodeclaims",
    "NodeOverlay": "/apis/karpenter.sh/v1alpha1/nodeoverlays",
    "CapacityBuffer": "/apis/autoscaling.x-k8s.io/v1beta1/namespaces/default/capacitybuffers",
    "KWOKNodeClass": "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses",
    "Provisioner": "/apis/karpenter.sh/v1alpha5/provisioners",
    "AWSNodeTemplate": "/apis/karpenter.k8s.aws/v1alpha1/awsnodetemplates",
}


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    name: str
    accepted: bool
    changes: dict
    was: dict | None = None

    def manifest(self):
        return _changed(self.kind, self.changes)

    def manifest_before(self):
        return None if self.was is None else _changed(self.kind, self.was)


def _changed(kind, changes):
    manifest = copy.deepcopy(_BASES[kind])
    manifest["metadata"] = {"name": "case"}
    for path, value in changes.items():
        *parents, last = path.split("/")
        at = manifest
        for parent in parents:
            at = at.setdefault(parent, {})
        if value is REMOVED:
            at.pop(last, None)
        else:
            at[last] = value
    return manifest


def _need(key="example.com/team", operator="In", values=("a",), **more):
    return {"key": key, "operator": operator, "values": list(values), **more}


_TEMPLATE = "spec/template/spec"
_LABELS = "spec/template/metadata/labels"
_DISRUPTION = "spec/disruption"
_BUDGETS = f"{_DISRUPTION}/budgets"


def _requirement_cases(kind, path):
    """The rules that NodePool, NodeClaim and NodeOverlay share."""
    def case(name, accepted, *requirements):
        return Case(kind, name, accepted, {path: list(requirements)})

    return [
        case("no requirement at all", True),
        case("operator In", True, _need(values=["a", "b"])),
        case("operator NotIn", True, _need(operator="NotIn")),
        case("operator Exists", True, _need(operator="Exists", values=[])),
        case("operator DoesNotExist", True, _need(operator="DoesNotExist", values=[])),
        case("operator Gt", True, _need(operator="Gt", values=["4"])),
        case("operator Lt", True, _need(operator="Lt", values=["4"])),
        case("operator Gte", True, _need(operator="Gte", values=["0"])),
        case("operator Lte", True, _need(operator="Lte", values=["4"])),
        case("an operator that is none", False, _need(operator="Near")),
        case("a requirement without an operator", False, {"key": "example.com/team", "values": ["a"]}),
        case("a requirement without a key", False, {"operator": "Exists"}),
        case("In without values", False, _need(values=[])),
        case("Gt with two values", False, _need(operator="Gt", values=["4", "5"])),
        case("Gt without values", False, _need(operator="Gt", values=[])),
        case("Lt with a value that is no number", False, _need(operator="Lt", values=["four"])),
        case("Gte with a negative number", False, _need(operator="Gte", values=["-4"])),
        case("Lte with a fraction", False, _need(operator="Lte", values=["4.5"])),
        case("the capacity type", True, _need("karpenter.sh/capacity-type", values=["spot"])),
        case("a label of Kubernetes'", True, _need("topology.kubernetes.io/zone", values=["a"])),
        case("the host name", False, _need("kubernetes.io/hostname", values=["a"])),
        case("a label in Karpenter's own domain", False, _need("karpenter.sh/custom")),
        case("a key with a space", False, _need("example.com/a team")),
        case("a key longer than 316", False, _need(f"{'a' * 253}/{'b' * 64}")),
        case("a value longer than 63", False, _need(values=["a" * 64])),
        case("100 requirements", True, *[_need(f"example.com/key-{i}") for i in range(100)]),
        case("101 requirements", False, *[_need(f"example.com/key-{i}") for i in range(101)]),
    ]


def _min_values_cases(kind, path):
    def case(name, accepted, **more):
        return Case(kind, name, accepted, {path: [_need(values=["a", "b"], **more)]})

    return [
        case("minValues as many as values", True, minValues=2),
        case("minValues above the number of values", False, minValues=3),
        case("minValues 0", False, minValues=0),
        case("minValues 51", False, minValues=51),
        Case(kind, "minValues with Exists", True, {path: [_need(operator="Exists", values=[], minValues=50)]}),
    ]


def _taint_cases(kind, path):
    def case(name, accepted, **taint):
        return Case(kind, f"{path.rsplit('/', 1)[-1]}: {name}", accepted, {path: [taint]})

    return [
        case("a taint", True, key="example.com/dedicated", value="team-a", effect="NoSchedule"),
        case("without a value", True, key="example.com/dedicated", effect="NoExecute"),
        case("PreferNoSchedule", True, key="dedicated", effect="PreferNoSchedule"),
        case("with the time it was added", True, key="dedicated", effect="NoExecute", timeAdded="2026-01-01T00:00:00Z"),
        case("without a key", False, effect="NoSchedule"),
        case("an empty key", False, key="", effect="NoSchedule"),
        case("without an effect", False, key="dedicated"),
        case("an effect that is none", False, key="dedicated", effect="NoWay"),
        case("a key with a space", False, key="dedi cated", effect="NoSchedule"),
    ]


def _duration_cases(kind, path, values_and_verdicts):
    return [Case(kind, f"{path.rsplit('/', 1)[-1]} {value}", accepted, {path: value})
            for value, accepted in values_and_verdicts]


_DURATIONS = [("720h", True), ("1h30m", True), ("10s", True), ("1d", False), ("1.5h", False), ("-1h", False),
              ("soon", False)]


def _node_pool_cases():
    def case(name, accepted, changes, was=None):
        return Case("NodePool", name, accepted, changes, was)

    budget = {"nodes": "1"}
    return [
        case("the least there can be", True, {}),
        case("without a spec", False, {"spec": REMOVED}),
        case("without a template", False, {"spec/template": REMOVED}),
        case("without requirements", False, {f"{_TEMPLATE}/requirements": REMOVED}),
        case("without a NodeClass", False, {f"{_TEMPLATE}/nodeClassRef": REMOVED}),
        case("a NodeClass without a group", False, {f"{_TEMPLATE}/nodeClassRef/group": REMOVED}),
        case("a NodeClass with an empty group", False, {f"{_TEMPLATE}/nodeClassRef/group": ""}),
        case("a NodeClass with a version in its group", False, {f"{_TEMPLATE}/nodeClassRef/group": "example.com/v1"}),
        case("a NodeClass with an empty kind", False, {f"{_TEMPLATE}/nodeClassRef/kind": ""}),
        case("a NodeClass with an empty name", False, {f"{_TEMPLATE}/nodeClassRef/name": ""}),
        case("another NodeClass later", True, {f"{_TEMPLATE}/nodeClassRef/name": "other"}, was={}),
        case("another kind of NodeClass later", False, {f"{_TEMPLATE}/nodeClassRef/kind": "Other"}, was={}),
        case("another group of NodeClass later", False, {f"{_TEMPLATE}/nodeClassRef/group": "example.com"}, was={}),

        case("labels", True, {_LABELS: {"example.com/team": "a", "tier": "web"}}),
        case("100 labels", True, {_LABELS: {f"label-{i}": "a" for i in range(100)}}),
        case("101 labels", False, {_LABELS: {f"label-{i}": "a" for i in range(101)}}),
        case("a label value of 63", True, {_LABELS: {"team": "a" * 63}}),
        case("a label value of 64", False, {_LABELS: {"team": "a" * 64}}),
        case("a label value with a space", False, {_LABELS: {"team": "a b"}}),
        case("a label in Karpenter's own domain", False, {_LABELS: {"karpenter.sh/custom": "a"}}),
        case("a label in a domain under Karpenter's", False, {_LABELS: {"example.karpenter.sh/custom": "a"}}),
        case("the capacity type as a label", True, {_LABELS: {"karpenter.sh/capacity-type": "spot"}}),
        case("the NodePool's own label", False, {_LABELS: {"karpenter.sh/nodepool": "case"}}),
        case("the host name as a label", False, {_LABELS: {"kubernetes.io/hostname": "a"}}),
        case("annotations of any kind", True, {"spec/template/metadata/annotations": {"example.com/a": "any thing"}}),

        *_requirement_cases("NodePool", f"{_TEMPLATE}/requirements"),
        *_min_values_cases("NodePool", f"{_TEMPLATE}/requirements"),
        case("a requirement on the NodePool's label", False,
             {f"{_TEMPLATE}/requirements": [_need("karpenter.sh/nodepool")]}),
        *_taint_cases("NodePool", f"{_TEMPLATE}/taints"),
        *_taint_cases("NodePool", f"{_TEMPLATE}/startupTaints"),

        *_duration_cases("NodePool", f"{_TEMPLATE}/expireAfter", [*_DURATIONS, ("Never", True), ("never", False)]),
        *_duration_cases("NodePool", f"{_TEMPLATE}/terminationGracePeriod",
                         [*_DURATIONS, ("0s", True), ("Never", False)]),
        *_duration_cases("NodePool", f"{_DISRUPTION}/consolidateAfter", [*_DURATIONS, ("0s", True), ("Never", True)]),

        *[case(f"consolidationPolicy {policy}", accepted,
               {f"{_DISRUPTION}/consolidationPolicy": policy, f"{_DISRUPTION}/consolidateAfter": "0s"})
          for policy, accepted in (("WhenEmpty", True), ("WhenEmptyOrUnderutilized", True), ("Balanced", True),
                                   ("WhenUnderutilized", False))],
        case("disruption without consolidateAfter", True, {f"{_DISRUPTION}/consolidationPolicy": "WhenEmpty"}),
        case("no budget at all", True, {f"{_DISRUPTION}/consolidateAfter": "0s", _BUDGETS: []}),
        case("50 budgets", True, {f"{_DISRUPTION}/consolidateAfter": "0s", _BUDGETS: [budget] * 50}),
        case("51 budgets", False, {f"{_DISRUPTION}/consolidateAfter": "0s", _BUDGETS: [budget] * 51}),
        *[case(name, accepted, {f"{_DISRUPTION}/consolidateAfter": "0s", _BUDGETS: [entry]})
          for name, accepted, entry in (
              ("a budget of none", True, {"nodes": "0"}),
              ("a budget of 100%", True, {"nodes": "100%"}),
              ("a budget of 101%", False, {"nodes": "101%"}),
              ("a budget below none", False, {"nodes": "-1"}),
              ("a budget in words", False, {"nodes": "ten"}),
              ("a budget for each reason", True, {"nodes": "1", "reasons": ["Empty", "Drifted", "Underutilized", "Unhealthy", "Expired"]}),
              ("a budget for a reason that is none", False, {"nodes": "1", "reasons": ["Forgotten"]}),
              ("a budget by the day", True, {"nodes": "1", "schedule": "@daily", "duration": "8h"}),
              ("a budget by five fields", True, {"nodes": "1", "schedule": "0 9 * * mon-fri", "duration": "1h30m"}),
              ("a budget by four fields", False, {"nodes": "1", "schedule": "0 9 * *", "duration": "8h"}),
              ("a budget by an unknown macro", False, {"nodes": "1", "schedule": "@sometimes", "duration": "8h"}),
              ("a schedule without a duration", False, {"nodes": "1", "schedule": "@daily"}),
              ("a duration without a schedule", False, {"nodes": "1", "duration": "8h"}),
              ("a duration with a trailing 0s", True, {"nodes": "1", "schedule": "@daily", "duration": "8h0s"}),
              ("a duration in seconds", False, {"nodes": "1", "schedule": "@daily", "duration": "30s"}),
          )],

        case("limits", True, {"spec/limits": {"cpu": "1000", "memory": "1Ti", "nodes": 10, "example.com/gpu": 4}}),
        case("a limit that is no quantity", False, {"spec/limits": {"cpu": "lots"}}),
        case("weight 0", False, {"spec/weight": 0}),
        case("weight 1", True, {"spec/weight": 1}),
        case("weight 100", True, {"spec/weight": 100}),
        case("weight 101", False, {"spec/weight": 101}),

        case("replicas", True, {"spec/replicas": 3}),
        case("no replicas", True, {"spec/replicas": 0}),
        case("fewer replicas than none", False, {"spec/replicas": -1}),
        case("replicas and a limit of nodes", True, {"spec/replicas": 3, "spec/limits": {"nodes": "5"}}),
        case("replicas and a limit of CPU", False, {"spec/replicas": 3, "spec/limits": {"cpu": "5"}}),
        case("replicas and a weight", False, {"spec/replicas": 3, "spec/weight": 5}),
        case("other replicas later", True, {"spec/replicas": 5}, was={"spec/replicas": 3}),
        case("replicas added later", False, {"spec/replicas": 5}, was={}),
        case("replicas taken away later", False, {}, was={"spec/replicas": 3}),
    ]


def _node_claim_cases():
    def case(name, accepted, changes, was=None):
        return Case("NodeClaim", name, accepted, changes, was)

    return [
        case("the least there can be", True, {}),
        case("without a spec", False, {"spec": REMOVED}),
        case("without a NodeClass", False, {"spec/nodeClassRef": REMOVED}),
        case("a NodeClass without a group", False, {"spec/nodeClassRef/group": REMOVED}),
        case("a NodeClass without a kind", False, {"spec/nodeClassRef/kind": REMOVED}),
        case("a NodeClass without a name", False, {"spec/nodeClassRef/name": REMOVED}),
        case("resource requests", True, {"spec/resources": {"requests": {"cpu": "1500m", "memory": "1Gi", "pods": 4}}}),
        case("a request that is no quantity", False, {"spec/resources": {"requests": {"cpu": "some"}}}),
        *_requirement_cases("NodeClaim", "spec/requirements"),
        *_min_values_cases("NodeClaim", "spec/requirements"),
        case("a requirement on the NodePool's label", True, {"spec/requirements": [_need("karpenter.sh/nodepool")]}),
        *_taint_cases("NodeClaim", "spec/taints"),
        *_duration_cases("NodeClaim", "spec/expireAfter", [("720h", True), ("Never", True), ("1d", False)]),
        *_duration_cases("NodeClaim", "spec/terminationGracePeriod", [("30m", True), ("Never", False)]),
        case("another spec later", False, {"spec/expireAfter": "1h"}, was={"spec/expireAfter": "2h"}),
        case("another label later", True, {"metadata/labels": {"example.com/team": "b"}}, was={}),
    ]


def _node_overlay_cases():
    def case(name, accepted, changes):
        return Case("NodeOverlay", name, accepted, changes)

    return [
        case("the least there can be", True, {}),
        case("without requirements", False, {"spec/requirements": REMOVED}),
        *_requirement_cases("NodeOverlay", "spec/requirements"),
        case("NotIn without values", False, {"spec/requirements": [_need(operator="NotIn", values=[])]}),
        *[case(f"price {price}", accepted, {"spec/price": price})
          for price, accepted in (("0.05", True), ("3", True), ("-1", False), ("+1", False), ("free", False))],
        *[case(f"priceAdjustment {adjustment}", accepted, {"spec/priceAdjustment": adjustment})
          for adjustment, accepted in (("+0.1", True), ("-0.5", True), ("+10%", True), ("-10%", True), ("+150%", True),
                                       ("-12.5%", True), ("-100%", True), ("10%", False), ("-101%", False),
                                       ("-250%", False), ("cheaper", False))],
        case("price and priceAdjustment", False, {"spec/price": "1", "spec/priceAdjustment": "+1"}),
        case("an extended resource", True, {"spec/capacity": {"example.com/gpu": 4}}),
        *[case(f"capacity of {resource}", False, {"spec/capacity": {resource: 4}})
          for resource in ("cpu", "memory", "ephemeral-storage", "pods")],
        case("weight 0", False, {"spec/weight": 0}),
        case("weight 10000", True, {"spec/weight": 10000}),
        case("weight 10001", False, {"spec/weight": 10001}),
    ]


def _capacity_buffer_cases():
    def case(name, accepted, **spec):
        return Case("CapacityBuffer", name, accepted, {"spec": spec})

    template = {"name": "small"}
    scalable = {"apiGroup": "apps", "kind": "Deployment", "name": "web"}
    return [
        case("a pod template and replicas", True, podTemplateRef=template, replicas=3),
        case("a pod template and limits", True, podTemplateRef=template, limits={"cpu": "10"}),
        case("a pod template alone", False, podTemplateRef=template),
        case("a Deployment and a percentage", True, scalableRef=scalable, percentage=10),
        case("a Deployment alone", True, scalableRef=scalable),
        case("a Deployment and a pod template", False, scalableRef=scalable, podTemplateRef=template, replicas=1),
        case("neither of them", True, replicas=3),
        case("fewer replicas than none", False, podTemplateRef=template, replicas=-1),
        case("a percentage below none", False, scalableRef=scalable, percentage=-1),
        case("a percentage above 100", True, scalableRef=scalable, percentage=150),
        case("a pod template without a name", False, podTemplateRef={"name": ""}, replicas=1),
        case("a reference without a kind", False, scalableRef={"name": "web"}, percentage=10),
        case("a reference with an empty name", False, scalableRef={"kind": "Deployment", "name": ""}, percentage=10),
        case("a strategy of any name", True, podTemplateRef=template, replicas=1, provisioningStrategy="example.com/a"),
    ]


def _kwok_node_class_cases():
    return [
        Case("KWOKNodeClass", "the least there can be", True, {}),
        *_duration_cases("KWOKNodeClass", "spec/nodeRegistrationDelay",
                         [("5s", True), ("1m30s", True), ("soon", False)]),
    ]


def _provisioner_cases():
    def case(name, accepted, changes):
        return Case("Provisioner", name, accepted, {f"spec/{path}": value for path, value in changes.items()})

    provider = {"subnetSelector": {"a": "b"}, "securityGroupSelector": {"a": "b"}, "anything": {"at": ["all"]}}
    taint = {"key": "dedicated", "value": "a", "effect": "NoSchedule"}
    kubelet = "kubeletConfiguration"
    high, low = f"{kubelet}/imageGCHighThresholdPercent", f"{kubelet}/imageGCLowThresholdPercent"
    return [
        case("the least there can be", True, {}),
        case("an inline provider", True, {"providerRef": REMOVED, "provider": provider}),
        case("a provider and a providerRef", False, {"provider": provider}),
        case("neither provider nor providerRef", False, {"providerRef": REMOVED}),
        case("a providerRef without a name", False, {"providerRef": {"kind": "AWSNodeTemplate"}}),
        case("a node class of KWOK's", True, {"providerRef": {
            "apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass", "name": "default"}}),
        case("a TTL and consolidation", False, {"ttlSecondsAfterEmpty": 30, "consolidation": {"enabled": True}}),
        case("a TTL without consolidation", True, {"ttlSecondsAfterEmpty": 0, "consolidation": {"enabled": False}}),
        case("a TTL below 0", False, {"ttlSecondsAfterEmpty": -1}),
        case("an age below 0", False, {"ttlSecondsUntilExpired": -1}),
        case("weight 0", False, {"weight": 0}),
        case("weight 100", True, {"weight": 100}),
        case("weight 101", False, {"weight": 101}),
        case("limits", True, {"limits": {"resources": {"cpu": 1000, "memory": "1000Gi"}}}),
        case("limits that are no quantity", False, {"limits": {"resources": {"cpu": "much"}}}),

        case("100 labels", True, {"labels": {f"label-{i}": "a" for i in range(100)}}),
        case("the architecture as a label", True, {"labels": {"kubernetes.io/arch": "arm64"}}),
        case("labels in free domains", True, {"labels": {
            "kops.k8s.io/a": "b", "node.kubernetes.io/a": "b", "node-restriction.kubernetes.io/a": "b"}}),
        case("a label below a free domain", False, {"labels": {"a.node.kubernetes.io/a": "b"}}),
        case("a label in a domain that ends alike", False, {"labels": {"notkubernetes.io/a": "b"}}),
        case("a label in AWS's domain", False, {"labels": {"karpenter.k8s.aws/a": "b"}}),
        case("the size of the instance as a label", True, {"labels": {"karpenter.k8s.aws/instance-size": "large"}}),
        case("the Provisioner's own label", False, {"labels": {"karpenter.sh/provisioner-name": "case"}}),
        case("the host name as a label", False, {"labels": {"kubernetes.io/hostname": "a"}}),

        *[case(name, accepted, {"requirements": [need]}) for name, accepted, need in (
            ("operator Exists", True, _need(operator="Exists", values=[])),
            ("operator Gt", True, _need(operator="Gt", values=["4"])),
            ("operator Gte", False, _need(operator="Gte", values=["4"])),
            ("In without values", False, _need(values=[])),
            ("Lt with a negative number", False, _need(operator="Lt", values=["-4"])),
            ("Gt with two values", False, _need(operator="Gt", values=["4", "5"])),
            ("an old name", True, _need("beta.kubernetes.io/arch", values=["amd64"])),
            ("the Provisioner's label", False, _need("karpenter.sh/provisioner-name")),
            ("the host name", False, _need("kubernetes.io/hostname")),
            ("a reserved domain", False, _need("kubernetes.io/custom")))],
        case("100 requirements", True, {"requirements": [_need(f"example.com/key-{i}") for i in range(100)]}),

        case("a taint", True, {"taints": [taint]}),
        case("a taint twice", False, {"taints": [taint, {**taint, "value": "b"}]}),
        case("a taint that is a startup taint, too", False, {"taints": [taint], "startupTaints": [taint]}),
        case("a taint of another effect", True, {"taints": [taint], "startupTaints": [{**taint, "effect": "NoExecute"}]}),
        case("a taint without an effect", True, {"taints": [{"key": "dedicated"}]}),
        case("a taint without a key", False, {"taints": [{"effect": "NoSchedule"}]}),
        case("a taint's effect that is none", False, {"taints": [{"key": "dedicated", "effect": "NoWay"}]}),

        case("a kubelet", True, {kubelet: {
            "clusterDNS": ["10.0.0.10"], "containerRuntime": "containerd", "maxPods": 40, "podsPerCore": 8,
            "systemReserved": {"cpu": "250m", "memory": "512Mi"}, "kubeReserved": {"ephemeral-storage": "2Gi"},
            "evictionHard": {"memory.available": "4%"}, "evictionSoft": {"memory.available": "1Gi"},
            "evictionSoftGracePeriod": {"memory.available": "90s"}, "evictionMaxPodGracePeriod": 120,
            "imageGCHighThresholdPercent": 80, "imageGCLowThresholdPercent": 80, "cpuCFSQuota": False}}),
        case("fewer than no pods", False, {f"{kubelet}/maxPods": -1}),
        case("something else reserved", False, {f"{kubelet}/systemReserved": {"nvidia.com/gpu": "1"}}),
        case("a negative reserve", False, {f"{kubelet}/kubeReserved": {"cpu": "-1"}}),
        case("a signal that is none", False, {f"{kubelet}/evictionHard": {"disk.available": "4%"}}),
        case("a share above 100%", False, {f"{kubelet}/evictionHard": {"memory.available": "101%"}}),
        case("a soft threshold without its grace", False, {f"{kubelet}/evictionSoft": {"memory.available": "4%"}}),
        case("a grace without its threshold", False, {f"{kubelet}/evictionSoftGracePeriod": {"memory.available": "4s"}}),
        case("the high threshold below the low", False, {high: 50, low: 60}),
    ]


def _aws_node_template_cases():
    def case(name, accepted, changes):
        return Case("AWSNodeTemplate", name, accepted, {f"spec/{path}": value for path, value in changes.items()})

    def disk(**ebs):
        return {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": ebs}]}

    return [
        case("the least there can be", True, {}),
        case("without subnets", False, {"subnetSelector": REMOVED}),
        case("without security groups", False, {"securityGroupSelector": REMOVED}),
        case("an empty value", False, {"subnetSelector": {"team": ""}}),
        case("ids", True, {"subnetSelector": {"aws-ids": "subnet-1, subnet-2"},
                           "securityGroupSelector": {"aws::ids": "sg-1,sg-2"}}),
        case("ids of something else", False, {"subnetSelector": {"aws-ids": "sg-1"}}),
        case("ids beside tags", False, {"subnetSelector": {"aws-ids": "subnet-1", "team": "a"}}),
        case("a family", True, {"amiFamily": "Bottlerocket"}),
        case("a family that is none", False, {"amiFamily": "AL3"}),
        case("Custom without images", False, {"amiFamily": "Custom"}),
        case("Custom with images", True, {"amiFamily": "Custom", "amiSelector": {
            "aws::name": "golden-*", "aws::owners": "self,111122223333", "patched": "true"}}),
        case("a launch template", True, {"launchTemplate": "corp", "securityGroupSelector": REMOVED}),
        case("a launch template and security groups", False, {"launchTemplate": "corp"}),
        case("a launch template and user data", False,
             {"launchTemplate": "corp", "securityGroupSelector": REMOVED, "userData": "#!/bin/sh"}),
        case("tags", True, {"tags": {"team": "a"}}),
        case("a tag of the cluster's", False, {"tags": {"kubernetes.io/cluster/a": "owned"}}),
        case("a tag of Karpenter's", False, {"tags": {"karpenter.sh/managed-by": "a"}}),
        case("metadata options", True, {"metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 64}}),
        case("too many hops", False, {"metadataOptions": {"httpPutResponseHopLimit": 65}}),
        case("a disk", True, disk(volumeSize="60Gi", volumeType="gp3", encrypted=True)),
        case("a disk from a snapshot", True, disk(snapshotID="snap-0")),
        case("a disk of no size", False, disk(encrypted=True)),
        case("a disk of a type that is none", False, disk(volumeSize="60Gi", volumeType="gp4")),
    ]


CASES = [*_node_pool_cases(), *_node_claim_cases(), *_node_overlay_cases(), *_capacity_buffer_cases(),
         *_kwok_node_class_cases(), *_provisioner_cases(), *_aws_node_template_cases()]
