"""The API server goes away in the middle of a scale-up and comes back."""

import time

import manifests
from cluster_state import node_claims
from processes import wait_until
from suite import expect, test

_PODS = 1000


def _scale_up_with(world, outage):
    joiner = world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("load", _PODS)
    wait_until(lambda: node_claims(world.api), 60, "the scale-up is under way")
    outage()
    world.run_all("load", _PODS, seconds=300)
    # After an outage nodes stay closed until the scheduler has surely caught up.
    world.expect_in_order(taint_seconds=90)
    expect(joiner.is_running, "Joiner lived through it")


@test()
def a_scale_up_survives_an_api_server_that_hangs_for_twenty_seconds(world):
    def outage():
        world.cluster.pause_api_server()
        time.sleep(20)
        world.cluster.continue_api_server()

    _scale_up_with(world, outage)


@test()
def a_scale_up_survives_a_restart_of_the_api_server(world):
    _scale_up_with(world, world.cluster.restart_api_server)
