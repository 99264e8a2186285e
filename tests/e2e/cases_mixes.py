"""Deployments with rules among pods, drawn at random: placed where they were planned, and no rule broken."""

import collections

import manifests
from cluster_state import nodes, pods
from processes import wait_until
from suite import expect, expect_none, test

_ZONE, _HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
_DEPLOYMENTS = 14


def _spread(app, key, skew):
    return {"topologySpreadConstraints": [{"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
                                           "labelSelector": {"matchLabels": {"app": app}}}]}


def _affinity(app, key, kind):
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}]}}}


def _mix(random):
    """[(app, replicas, pod, check)]: check(placed) names what is wrong with [(zone, host)] of the app's pods."""
    def skew_within(index, limit, domains=None):
        def check(placed):
            counts = collections.Counter(each[index] for each in placed)
            low = 0 if domains is not None and len(counts) < domains else min(counts.values())
            return [] if max(counts.values()) - low <= limit else [f"skew {max(counts.values()) - low}"]
        return check

    def all_differ(index):
        return lambda placed: [] if len({each[index] for each in placed}) == len(placed) else ["two at one place"]

    def all_same(index):
        return lambda placed: [] if len({each[index] for each in placed}) == 1 else ["not together"]

    kinds = [
        lambda app: (random.randint(1, 40), {}, lambda placed: []),
        lambda app: (random.randint(1, 30), _spread(app, _ZONE, 1), skew_within(0, 1)),
        lambda app: (random.randint(2, 12), _spread(app, _HOST, 2), skew_within(1, 2)),
        lambda app: (random.randint(2, 20), _affinity(app, _ZONE, "podAffinity"), all_same(0)),
        lambda app: (random.randint(2, 8), _affinity(app, _HOST, "podAntiAffinity"), all_differ(1)),
        lambda app: (random.randint(2, 3), _affinity(app, _ZONE, "podAntiAffinity"), all_differ(0)),
    ]
    out = []
    for i in range(_DEPLOYMENTS):
        app = f"app-{i}"
        replicas, rules, check = kinds[i % len(kinds)](app)
        size = {"cpu": f"{random.choice((100, 250, 500, 1000, 1500))}m",
                "memory": f"{random.choice((128, 256, 512, 1024, 2048, 4096))}Mi"}
        out.append((app, replicas, {**size, **rules}, check))
    return out


def _run_mix(world, joiner_flag):
    joiner = world.start_joiner(joiner_flag)
    world.open_pools(manifests.node_pool())
    mix = _mix(world.random)
    for app, replicas, pod, _ in mix:
        world.deploy(app, replicas, **pod)
    for app, replicas, _, _ in mix:
        world.run_all(app, replicas)
    world.expect_in_order()
    return joiner, mix


def _broken_rules(world, mix):
    zone_of = {node["metadata"]["name"]: node["metadata"]["labels"][_ZONE] for node in nodes(world.api)}
    placed = collections.defaultdict(list)
    for pod in pods(world.api):
        host = pod["spec"]["nodeName"]
        placed[pod["metadata"]["labels"]["app"]].append((zone_of[host], host))
    return [f"{app}: {problem}" for app, _, _, check in mix for problem in check(placed[app])]


@test()
def a_random_mix_runs_where_it_was_planned_and_the_scheduler_agrees(world):
    joiner, mix = _run_mix(world, "--pod-binding=auto")
    expect_none(_broken_rules(world, mix), f"rules broken (seed {world.seed})")
    wanted = sum(replicas for _, replicas, _, _ in mix)
    bound = joiner.metric("joiner_pods_bound_total", result="bound")
    expect(bound == wanted, f"{bound} of {wanted} pods bound as planned (seed {world.seed})")

    running = sorted(pod["metadata"]["name"] for pod in pods(world.api))
    for name in world.random.sample(running, len(running) // 10):
        world.api.delete(f"/api/v1/namespaces/default/pods/{name}", gracePeriodSeconds=0)

    def all_run_again():
        seen = pods(world.api)
        return len(seen) == wanted and all(pod["status"].get("phase") == "Running" for pod in seen)

    wait_until(all_run_again, 60, "the pods made again run", interval=0.5)
    expect_none(_broken_rules(world, mix), f"rules broken by pods made again (seed {world.seed})")


@test()
def a_random_mix_runs_when_the_scheduler_binds_it(world):
    """It places pods its own way, so some need nodes that no plan had; how many is printed."""
    _, mix = _run_mix(world, "--pod-binding=scheduler")
    expect_none(_broken_rules(world, mix), f"rules broken (seed {world.seed})")
    planned = world.planned_nodes(
        manifests.node_pool(), *(manifests.deployment(app, replicas, **pod) for app, replicas, pod, _ in mix))
    print(f"    {len(nodes(world.api))} nodes where one plan of all pods has {planned} (seed {world.seed})")
