"""A machine is gone between two instants, and with it the jobs that it had in its hands.

A power supply failed, a hypervisor froze for good, a spot instance was taken without its notice:
the machine writes nothing more and its exporter answers nobody. The queue's tables go on showing
its jobs as begun; nobody looks for them within the window. The siblings take up the work.

A person sees it by: several jobs begun on one host within seconds, without an end, in the queue and
in its log; no line of that host after them, while the others write as before and do its share; rows
of the records before and after, and none for these. Minutes later, perhaps, a word of the cluster.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import calm_instant, close, order, run_on, unseen
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_WARN


def prepare(world: World) -> None:
    move_in(world, ("solid-queue", "good-job", "procrastinate"), workers=(3, 6))


def inject(world: World) -> Truth:
    here = watch(world)
    rng, worker = here.rng, here.house.worker
    lost_host, *others = rng.sample(list(worker.hosts), len(worker.hosts))
    gone = here.onset_s = calm_instant(here, here.onset_s, lost_host)
    here.move_work(lost_host, gone, rng.choice(others))
    unseen(here, lost_host, gone)
    things: list[Thing] = []
    for _ in range(rng.randint(2, 6)):
        begun = gone - rng.uniform(0.2, 5)
        thing, job = order(here, begun - rng.uniform(0.1, 0.5))
        run_on(here, job, begun, 0, lost_host, "running")
        things.append(thing)
    _noticed(here, gone, lost_host)
    close(here)
    silent = not any(by == lost_host and e.timestamp > here.at(gone) for e, by in here.told)
    return fault(
        here,
        "lost-worker",
        here.end_s,
        things,
        also=("blind-spot", "orphaned-record"),
        effect=silent,
    )


def _noticed(here: Watch, gone: float, host: str) -> None:
    """What the cluster says of the machine, if it says anything, and long after."""
    if here.rng.random() < 0.5:
        words = f"Node {host} status is now: NodeNotReady, kubelet stopped posting node status"
        here.aside(gone + here.rng.uniform(40, 240), "node-controller", words, SEVERITY_WARN)
