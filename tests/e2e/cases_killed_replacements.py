"""Killed at any moment of a replacement, Joiner loses no pod, keeps no mark and leaves no machine behind."""

import collections
import time

import manifests
from cluster_state import NODE_POOLS, condition, is_true, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test, wait_until_none

_PODS = 12
_PODS_PER_NODE = 3
_MAY_BE_MISSED = _PODS_PER_NODE
_SECONDS_A_MOMENT = 60


def _taint_keys(node):
    return {taint["key"] for taint in node["spec"].get("taints", [])}


def _is_going(thing):
    return bool(thing["metadata"].get("deletionTimestamp"))


def _node_of(claim):
    return claim.get("status", {}).get("nodeName")


def _by_name(things):
    return {thing["metadata"]["name"]: thing for thing in things}


class _Watched:
    """What has become of the cluster since one kill, as far as a replacement can be told by it."""

    def __init__(self, world):
        self._world = world
        self.fewest_ready = _PODS
        self._look()
        self._known = set(self.claims)
        self._was_marked = self._marked()
        self._was_going = {name for name, claim in self.claims.items() if _is_going(claim)}
        self._most_pods = collections.Counter()
        self.going = {}  # Claims that were not going before, and their nodes.

    def look(self):
        self._look()
        self._was_marked &= self._marked()
        for name, claim in self.claims.items():
            if _is_going(claim) and name not in self._was_going:
                self.going.setdefault(name, _node_of(claim))
        for node, count in self.pods_on.items():
            self._most_pods[node] = max(self._most_pods[node], count)

    def _look(self):
        there = pods(self._world.api)
        self.pods_on = collections.Counter(pod["spec"].get("nodeName") for pod in there)
        ready = sum(is_true(pod, "Ready") and not _is_going(pod) for pod in there)
        self.fewest_ready = min(self.fewest_ready, ready)
        self.nodes = _by_name(nodes(self._world.api))
        self.claims = _by_name(node_claims(self._world.api))

    def is_current(self, generation):
        """Nothing is left to be replaced."""
        return all(claim["metadata"]["labels"].get("generation", "0") == generation for claim in self.claims.values())

    def _marked(self):
        tainted = {name for name, node in self.nodes.items() if "karpenter.sh/disrupted" in _taint_keys(node)}
        return {name for name, claim in self.claims.items()
                if not _is_going(claim) and (condition(claim, "DisruptionReason") or _node_of(claim) in tainted)}

    def has_mark(self):
        return bool(self._marked() - self._was_marked)

    def has_replacement(self, kind=None):
        return any(kind is None or is_true(claim, kind)
                   for name, claim in self.claims.items() if name not in self._known)

    def has_closed(self):
        return any("joiner.sh/binding" in _taint_keys(node)
                   and node["metadata"]["labels"].get("karpenter.sh/initialized") == "true"
                   for node in self.nodes.values())

    def has_fewer_pods(self):
        return any(self.pods_on[node] < self._most_pods[node] for node in self.going.values())

    def has_no_pods(self):
        return any(self.pods_on[node] == 0 < self._most_pods[node] for node in self.going.values())

    def has_lost_node(self):
        return any(node not in self.nodes for node in self.going.values())


_MOMENTS = {
    "a node is marked": _Watched.has_mark,
    "its replacement is asked for": _Watched.has_replacement,
    "the replacement is launched": lambda seen: seen.has_replacement("Launched"),
    "it is registered": lambda seen: seen.has_replacement("Registered"),
    "it is initialised": lambda seen: seen.has_replacement("Initialized"),
    "it is closed until its pods come": _Watched.has_closed,
    "the old claim is deleted": lambda seen: bool(seen.going),
    "the first pods have left": _Watched.has_fewer_pods,
    "all pods have left": _Watched.has_no_pods,
    "the old machine is gone": _Watched.has_lost_node,
}


@test()
def twenty_kills_during_replacements_lose_no_pod_and_leave_no_mark(world):
    joiner = world.start_joiner()
    world.open_pools(manifests.node_pool(
        requirements=[manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")], budget="1", consolidate_after="0s"))
    world.deploy("web", _PODS)
    world.run_all("web", _PODS)
    world.expect_in_order()
    world.api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                   manifests.disruption_budget("web", app="web", max_unavailable=_MAY_BE_MISSED))
    # Each moment once to the point, and once a while later.
    plan = [(moment, 0) for moment in _MOMENTS]
    plan += [(moment, world.random.uniform(0, 0.7)) for moment in world.random.sample(list(_MOMENTS), len(_MOMENTS))]
    fewest_ready = _PODS
    generation = 0

    def change_template():
        nonlocal generation
        generation += 1
        world.api.patch(f"{NODE_POOLS}/default",
                        {"spec": {"template": {"metadata": {"labels": {"generation": str(generation)}}}}})

    for moment, late_by in plan:
        seen = _Watched(world)

        def has_come():
            if seen.is_current(str(generation)):
                change_template()
            seen.look()
            return _MOMENTS[moment](seen)

        wait_until(has_come, _SECONDS_A_MOMENT, f"{moment} (seed {world.seed})", interval=0.01)
        until = time.monotonic() + late_by
        while time.monotonic() < until:
            seen.look()
        joiner.kill()
        fewest_ready = min(fewest_ready, seen.fewest_ready)
        joiner.start()

    last = _Watched(world)

    # Machines that a kill made one too many were room for other pods, which rest where they were moved for longer than
    # this takes (docs/disruption.md); a machine without pods would be nobody's.
    def all_are_current():
        last.look()
        return (last.is_current(str(generation)) and len(last.claims) <= _PODS // _PODS_PER_NODE + 1
                and all(last.pods_on[_node_of(claim)] > 0 for claim in last.claims.values()))

    wait_until(all_are_current, 120, f"every node is replaced, and none stands empty (seed {world.seed})", interval=0.1)
    world.run_all("web", _PODS)
    world.expect_in_order()
    wait_until_none(lambda: [f"{claim['metadata']['name']}: {condition(claim, 'DisruptionReason')}"
                             for claim in node_claims(world.api) if condition(claim, "DisruptionReason")],
                    20, "marks left")
    fewest_ready = min(fewest_ready, last.fewest_ready)
    expect(fewest_ready >= _PODS - _MAY_BE_MISSED,
           f"only {fewest_ready} of {_PODS} pods were ready, and their budget lets {_MAY_BE_MISSED} go")
