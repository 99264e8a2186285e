"""What happens to both controllers, step by step. Each step begins where the one before it ended."""

import time

import cluster_state
from owners import OURS, THEIRS
from processes import wait_until
from suite import expect, expect_none

# Three pods of one core each, and fifteen.
_SMALL, _LARGE = "c-4x-amd64-linux", "c-16x-amd64-linux"
_MACHINES = {OURS: _SMALL, THEIRS: _LARGE}
_PODS_A_NODE = {OURS: 3, THEIRS: 15}
_AWAY_SECONDS = 30
STEPS = []


def step(function):
    STEPS.append(function)
    return function


def names(things):
    return set(cluster_state.names(things))


def pods_for_one_more_node(shared, side):
    return _PODS_A_NODE[side] * len(shared.nodes_of(side)) + 2


@step
def each_buys_for_the_pods_of_its_own_pool(shared):
    for side in (OURS, THEIRS):
        shared.open_pool(side, _MACHINES[side])
    shared.deploy("ours-web", 9, pool=OURS)
    shared.deploy("theirs-web", 20, pool=THEIRS)
    shared.run_all("ours-web", 9)
    shared.run_all("theirs-web", 20)
    shared.wait_at_rest()
    for side, count in ((OURS, 3), (THEIRS, 2)):
        expect(len(shared.nodes_of(side)) == count, f"{len(shared.nodes_of(side))} nodes of {side}, not {count}")
        hosts = {pod["spec"]["nodeName"] for pod in shared.pods_of(f"{side}-web")}
        expect_none(sorted(hosts - names(shared.nodes_of(side))), f"pods of {side} elsewhere")


@step
def pods_that_may_run_anywhere_take_the_room_on_nodes_of_the_other(shared):
    before = names(shared.claims_of(OURS)) | names(shared.claims_of(THEIRS))
    shared.deploy("guest", 5)
    shared.run_all("guest", 5)
    time.sleep(10)
    expect({pod["spec"]["nodeName"] for pod in shared.pods_of("guest")} <= names(shared.nodes_of(THEIRS)),
           "the only free room was on the other's nodes")
    expect(names(shared.claims_of(OURS)) | names(shared.claims_of(THEIRS)) == before, "and nothing was bought")


@step
def each_consolidates_its_own(shared):
    shared.remove("guest")
    for side in (OURS, THEIRS):
        shared.change_pool(side, {"disruption": {"consolidateAfter": "1s"}})
    shared.scale("ours-web", 3)
    shared.scale("theirs-web", 6)
    for side in (OURS, THEIRS):
        wait_until(lambda: len(shared.claims_of(side)) == 1 and len(shared.nodes_of(side)) == 1, 180,
                   f"one node of {side} is left", interval=0.2)
        shared.change_pool(side, {"disruption": {"consolidateAfter": "Never"}})
    shared.run_all("ours-web", 3)
    shared.run_all("theirs-web", 6)
    shared.wait_at_rest()


@step
def each_replaces_its_own_when_they_drift(shared):
    """Pods that may run anywhere move with the nodes that they are on, whose-ever these are."""
    shared.deploy("guest", 3)
    shared.run_all("guest", 3)
    for side in (OURS, THEIRS):
        shared.change_pool(side, {"template": {"metadata": {"labels": {"generation": "two"}}}})

    def are_new(side):
        return shared.nodes_of(side) and all(node["metadata"]["labels"].get("generation") == "two"
                                             for node in shared.nodes_of(side))

    for side in (OURS, THEIRS):
        wait_until(lambda: are_new(side), 180, f"nodes of {side} are of the new template", interval=0.2)
    shared.run_all("ours-web", 3)
    shared.run_all("theirs-web", 6)
    shared.run_all("guest", 3)
    shared.remove("guest")
    shared.wait_at_rest()


@step
def each_replaces_its_own_when_they_expire_and_removes_them_with_their_pool(shared):
    brief = {side: f"{side}-brief" for side in (OURS, THEIRS)}
    for side, pool in brief.items():
        shared.open_pool(pool, _SMALL, expireAfter="45s")
        shared.deploy(pool, 2, pool=pool)
    first = {}
    for pool in brief.values():
        shared.run_all(pool, 2)
        first[pool] = names(shared.claims_of(pool))
        expect(first[pool], f"{pool} has no claim")
    for pool in brief.values():
        wait_until(lambda: not first[pool] & names(shared.claims_of(pool)), 180, f"the first claim of {pool} is gone",
                   interval=0.2)
        shared.run_all(pool, 2)
    for pool in brief.values():
        shared.remove(pool)
        shared.close_pool(pool)
    for pool in brief.values():
        wait_until(lambda: not shared.claims_of(pool) and not shared.nodes_of(pool), 120, f"{pool} is gone")


@step
def each_keeps_its_own_static_pool(shared):
    static = [f"{side}-static" for side in (OURS, THEIRS)]
    for pool in static:
        shared.open_pool(pool, _SMALL, replicas=2)
    for pool in static:
        wait_until(lambda: len(shared.nodes_of(pool)) == 2, 120, f"two nodes of {pool}")
    shared.wait_at_rest()
    for pool in static:
        shared.change_pool(pool, {"replicas": 1})
    for pool in static:
        wait_until(lambda: len(shared.nodes_of(pool)) == 1 and len(shared.claims_of(pool)) == 1, 120,
                   f"one node of {pool}")
    for pool in static:
        shared.close_pool(pool)
    for pool in static:
        wait_until(lambda: not shared.claims_of(pool) and not shared.nodes_of(pool), 120, f"{pool} is gone")


@step
def each_ends_its_own_node_that_is_deleted(shared):
    deleted = {side: min(names(shared.nodes_of(side))) for side in (OURS, THEIRS)}
    for name in deleted.values():
        shared.delete_node(name)
    for name in deleted.values():
        wait_until(lambda: not shared.has_node(name), 120, f"{name} is gone")
    shared.run_all("ours-web", 3)
    shared.run_all("theirs-web", 6)
    shared.wait_at_rest()


@step
def a_taint_that_somebody_puts_on_a_node_of_the_other_is_remarked_by_nobody(shared):
    taint = {"key": "example.com/agent", "effect": "NoSchedule"}
    for node in shared.nodes_of(THEIRS):
        shared.set_taints(node["metadata"]["name"], [taint])
    shared.deploy("guest", 5)
    shared.run_all("guest", 5)
    shared.remove("guest")
    for node in shared.nodes_of(THEIRS):
        shared.set_taints(node["metadata"]["name"], [])
    shared.wait_at_rest()


@step
def pods_that_wait_for_a_claim_of_the_other_are_left_to_the_scheduler(shared):
    shared.delay_registration(THEIRS, 15)
    web = pods_for_one_more_node(shared, THEIRS)
    shared.scale("theirs-web", web)
    wait_until(lambda: not all(claim.get("status", {}).get("nodeName") for claim in shared.claims_of(THEIRS)), 60,
               "the other has a claim without a node")
    shared.deploy("guest", 3)
    shared.run_all("theirs-web", web)
    shared.run_all("guest", 3)
    shared.delay_registration(THEIRS, 0)
    shared.wait_at_rest()
    shared.remove("guest")


def _while_away(shared, away):
    """What the other makes of a node, a claim and pods of one that is away: nothing, until it is back."""
    other = OURS if away == THEIRS else THEIRS
    web = f"{away}-web"
    _run_on_one_more_node(shared, away)
    node = shared.nodes_of(away)[0]
    claim = _claim_of_another_node(shared, away, node)
    node = node["metadata"]["name"]
    shared.stop(away)
    bought, running = names(shared.claims_of(other)), names(shared.pods_of(web))
    shared.delete_node(node)
    shared.delete_claim(claim)
    waiting = pods_for_one_more_node(shared, away)
    shared.scale(web, waiting)
    time.sleep(_AWAY_SECONDS)
    expect(shared.has_node(node) and shared.has_claim(claim), f"a finalizer of {away} was taken off")
    expect_none(sorted(running - names(shared.pods_of(web))), f"pods of {away} were taken away")
    expect(names(shared.claims_of(other)) == bought, f"{other} bought for pods of {away}")
    shared.start(away)
    wait_until(lambda: not shared.has_node(node) and not shared.has_claim(claim), 120, f"{away} goes on")
    shared.run_all(web, waiting)
    shared.wait_at_rest()


def _run_on_one_more_node(shared, side):
    web = pods_for_one_more_node(shared, side)
    shared.scale(f"{side}-web", web)
    shared.run_all(f"{side}-web", web)
    shared.wait_at_rest()


def _claim_of_another_node(shared, side, node):
    return next(claim["metadata"]["name"] for claim in shared.claims_of(side)
                if claim["status"]["providerID"] != node["spec"]["providerID"])


@step
def what_is_theirs_waits_for_them_while_they_are_away(shared):
    _while_away(shared, THEIRS)


@step
def what_is_ours_waits_for_us_while_we_are_away(shared):
    _while_away(shared, OURS)
