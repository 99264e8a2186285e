"""Killed at any moment and started again, Joiner goes on where it was: nothing lost, nothing twice."""

import time

import manifests
from cluster_state import node_claims, nodes
from processes import wait_until
from suite import expect, test

_LEASE = "/apis/coordination.k8s.io/v1/namespaces/joiner/leases/karpenter-leader-election"
_PODS = 2000
_PODS_PER_NODE = 15  # 16 CPU, 0.1 of them the system's

# With one type in the pool, any plan made in any number of parts needs the same number of nodes.
_ONE_TYPE = manifests.requirement(manifests.TYPE, "c-16x-amd64-linux")
_NODES_NEEDED = -(-_PODS // _PODS_PER_NODE)


def _expect_nothing_lost_or_doubled(world):
    world.expect_in_order()
    expect(len(nodes(world.api)) <= _NODES_NEEDED + 1,
           f"{len(nodes(world.api))} nodes where {_NODES_NEEDED} are needed (seed {world.seed})")


@test()
def ten_kills_during_a_scale_up_lose_and_double_nothing(world):
    joiner = world.start_joiner()
    world.open_pools(manifests.node_pool(requirements=[_ONE_TYPE]))
    world.deploy("load", _PODS)
    for _ in range(10):
        time.sleep(world.random.uniform(0.05, 1.5))
        joiner.kill()
        joiner.start()
    joiner.wait_ready()
    world.run_all("load", _PODS, seconds=300)
    _expect_nothing_lost_or_doubled(world)


@test()
def a_standby_takes_over_when_the_leader_is_killed(world):
    leader = world.start_joiner(leader_election=True)
    wait_until(lambda: world.api.get_or_none(_LEASE), 30, "the first process takes the lease")
    first_holder = world.api.get(_LEASE)["spec"]["holderIdentity"]
    standby = world.start_joiner(leader_election=True)
    world.open_pools(manifests.node_pool(requirements=[_ONE_TYPE]))
    world.deploy("load", _PODS)
    wait_until(lambda: node_claims(world.api), 60, "the leader launches")
    leader.kill()
    expect(standby.is_running, "the standby lives")
    world.run_all("load", _PODS, seconds=300)
    expect(world.api.get(_LEASE)["spec"]["holderIdentity"] not in ("", first_holder), "the lease changed hands")
    _expect_nothing_lost_or_doubled(world)


@test()
def a_leader_told_to_stop_hands_over_at_once(world):
    leader = world.start_joiner(leader_election=True)
    wait_until(lambda: world.api.get_or_none(_LEASE), 30, "the first process takes the lease")
    first_holder = world.api.get(_LEASE)["spec"]["holderIdentity"]
    world.start_joiner(leader_election=True)
    world.open_pools(manifests.node_pool())
    exit_code = leader.terminate()
    expect(exit_code == 0, f"exit code {exit_code} after TERM")
    # A lease that was not given back would have to run out first, after 15 s.
    wait_until(lambda: world.api.get(_LEASE)["spec"].get("holderIdentity") not in (None, "", first_holder), 10,
               "the standby holds the lease")
    world.deploy("load", 20)
    world.run_all("load", 20)
    world.expect_in_order()
