"""The real kube-scheduler as judge of plans for random worlds."""

from judge import Judge
from suite import NO_CLUSTER, expect, test


@test(NO_CLUSTER)
def the_real_scheduler_agrees_with_the_plans_of_random_worlds(world):
    faulty = []
    with Judge(world.joiner, world.crd_manifests, world.directory) as judge:
        for seed in range(world.seed, world.seed + world.random_worlds):
            verdict = judge.judge(seed)
            print(f"    {verdict}", flush=True)
            for found in verdict.missed + verdict.faults:
                print(f"      {found}", flush=True)
            if verdict.faults:
                faulty.append(str(seed))
                print(f"      again, its world and plan kept in FOLDER: tests/e2e/run.py --joiner build/joiner "
                      f"-k real_scheduler_agrees --seed {seed} --worlds 1 --logs FOLDER", flush=True)
    expect(not faulty, f"the scheduler does not agree in the worlds of seed {', '.join(faulty)}")
