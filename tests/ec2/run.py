#!/usr/bin/env python3
"""Joiner on a pretend EC2: a real control plane, moto for AWS, and machines that join as kubelets do.

    tests/ec2/run.py --joiner build/joiner [--pods 200] [--first-api] [--faults SEED]
                     [--stock-out SEED] [--hedges] [--web-identity | --pod-identity] [--logs FOLDER]

One story: a class turns Ready, pods wait, machines are bought and join, pods run; the controller is killed in the
middle of launches; a spot machine is taken back; everything is scaled to nothing; pool and class go. At the end
nothing is left that was bought or made, and nothing was bought twice. Then the calls to AWS, counted by kind, with
the most that began within one second. Exit code 77: moto or the control plane cannot be had here.

With faults, a fifth of all calls meets throttling, errors of AWS's, HTML, cut and lost answers, resets and delays,
most offerings are sold out, and instances are listed late. With --stock-out another story is told: nine offerings in
ten are sold out, and a controller that is killed asks for none again that it knew to be out. With --hedges the answer
to a launch does not come, and its pods run all the same. With an identity there are no keys but those given for a token, which changes on the
way; each call's signature is looked at.
"""

import argparse
import sys
import tempfile

from moto_server import with_moto

with_moto()

import crds  # noqa: E402
from cloud import Cloud  # noqa: E402
from cluster import ControlPlane  # noqa: E402
from faults import Faults, LateListing, Purchases, Shortages  # noqa: E402
from first_api import FirstApiStory  # noqa: E402
from hedged import SETTINGS as HEDGES, HedgeStory  # noqa: E402
from identity import PodIdentity, WebIdentity  # noqa: E402
from machines import Machines  # noqa: E402
from outcome import outcome_of  # noqa: E402
from owners import Owners  # noqa: E402
from prices import PriceList  # noqa: E402
from proxy import KeptAnswers, Proxy  # noqa: E402
from stock_out import StockOutStory  # noqa: E402
from story import OnEc2, Story  # noqa: E402

# Kinds that must not come in storms, by what they may be at most: calls within one second, and calls in all for each
# instance that was bought. Attempts count, too.
_NO_STORM = {"ec2:CreateFleet": (40, 8), "ec2:DescribeInstances": (10, 6), "ec2:TerminateInstances": (20, 3),
             "ec2:CreateTags": (10, 2), "ec2:CreateLaunchTemplate": (20, 3)}


def print_calls(proxy, bought):
    """Sentences on storms."""
    counts, peaks = proxy.counts(), proxy.peaks()
    print(f"{'call':42} {'calls':>6} {'a second':>9}  met")
    problems = []
    for key, count in sorted(counts.items()):
        met = sorted({each.met for each in proxy.seen if each.key == key and each.met})
        print(f"{key:42} {count:6} {peaks[key]:9}  {', '.join(met)}")
        most_a_second, most_an_instance = _NO_STORM.get(key, (float("inf"), float("inf")))
        if peaks[key] > most_a_second or count > 20 + most_an_instance * bought:
            problems.append(f"a storm of {key}: {count} for {bought} instances, {peaks[key]} within a second")
    return problems


def steps(story, identity, seed):
    yield story.class_turns_ready
    yield story.pods_run
    yield story.is_killed_in_the_middle
    if seed is not None:
        yield lambda: story.is_killed_at_any_time(seed)
    if identity:
        yield lambda: story.token_is_changed(identity)
    yield story.nothing_has_drifted
    yield story.spot_is_taken_back
    yield lambda: story.nothing_tells_secrets(identity.secrets if identity else ())
    yield story.nothing_is_left


def tell(options, logs, stack):
    cluster = stack.enter_context(ControlPlane(log_dir=logs / "controlplane"))
    cloud = stack.enter_context(Cloud(logs / "moto.log", cluster.kubeconfig))
    cloud.set_up()
    identity = options.identity and options.identity(stack.enter_context(tempfile.TemporaryDirectory()))
    purchases, seed, faults, shortages = Purchases(), options.faults, None, None
    links = [PriceList(), KeptAnswers(), purchases]
    if seed is not None:
        faults, shortages = Faults(seed), Shortages(seed, cloud.zones_of_subnets)
        links[:0] = [shortages, LateListing(seed, purchases)]
    if options.stock_out is not None:
        shortages = Shortages(options.stock_out, cloud.zones_of_subnets, share=0.9, share_of_fleets=0)
        links[:0] = [shortages]
    proxy = stack.enter_context(Proxy(cloud.url, [*filter(None, [faults, identity]), *links]))
    environment = cloud.environment_of_controller()
    environment["AWS_ENDPOINT_URL"] = proxy.url
    if identity:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del environment[key]
        environment |= identity.environment(proxy.url)
    if options.hedges:
        environment |= HEDGES
    crds.install(cluster, crds.printed_by(options.joiner))
    joiner = OnEc2(options.joiner, cluster.kubeconfig, logs / "joiner.log", environment)
    machines = stack.enter_context(Machines(cloud, cluster.api))
    stack.callback(lambda: [print(f"machines: {problem}") for problem in machines.problems[:5]])
    owners = stack.enter_context(Owners(cluster.api))
    joiner.start()
    stack.callback(joiner.stop)
    joiner.wait_ready(60)
    try:
        actors = (cluster, cloud, joiner, purchases, owners, options.pods)
        if options.stock_out is not None:
            told = StockOutStory(shortages, *actors).steps()
        elif options.hedges:
            told = HedgeStory(*actors).steps()
        else:
            told = steps(options.story(*actors), identity, seed)
        for step in told:
            step()
    finally:
        (logs / "calls.txt").write_text("".join(f"{each}\n" for each in proxy.seen))
        problems = print_calls(proxy, len(cloud.ever_bought()))
    if shortages:
        print(f"fleets short of something: {shortages.alone} that got nothing, {shortages.beside} beside instances")
    assert not problems, "; ".join(problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--pods", type=int, default=200)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--faults", type=int, metavar="SEED")
    what.add_argument("--stock-out", type=int, metavar="SEED")
    what.add_argument("--hedges", action="store_true")
    parser.add_argument("--first-api", dest="story", action="store_const", const=FirstApiStory, default=Story,
                        help="with an AWSNodeTemplate and a Provisioner")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--web-identity", dest="identity", action="store_const", const=WebIdentity)
    who.add_argument("--pod-identity", dest="identity", action="store_const", const=PodIdentity)
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    return outcome_of(lambda logs, stack: tell(options, logs, stack), "ec2", options.logs)


if __name__ == "__main__":
    sys.exit(main())
