"""A worker's machine goes away in the middle of its jobs and says nothing more.

The cloud takes a spot instance back, the kernel kills the process, or the hypervisor dies. What the
queue makes of the jobs differs: Solid Queue files them as pruned minutes later, Procrastinate
leaves them as they are, RabbitMQ and GoodJob hand them to somebody else.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import Job
from tests.score.third_company.acts import calm_instant, close, order, run_on, unseen
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.queues import PRUNED
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN

HANDS_ON = ("rabbitmq", "good-job")


def prepare(world: World) -> None:
    move_in(
        world,
        ("solid-queue", "good-job", "procrastinate", "rabbitmq"),
        workers=(3, 6),
    )


def inject(world: World) -> Truth:
    here = watch(world)
    rng, worker = here.rng, here.house.worker
    doomed, *others = rng.sample(list(worker.hosts), len(worker.hosts))
    gone = here.onset_s = calm_instant(here, here.onset_s, doomed)
    here.move_work(doomed, gone, rng.choice(others))
    unseen(here, doomed, gone)
    _how(here, gone, doomed)
    things: list[Thing] = []
    for _ in range(rng.randint(2, 5)):
        thing, job = order(here, gone - rng.uniform(4, 70))
        run_on(here, job, job.pushed[0] / 1e9 - here.start / 1e9 + 0.3, 0, doomed, "lost")
        _afterwards(here, job, thing.id, gone, others)
        things.append(thing)
    close(here)
    handed_on = here.brand.name in HANDS_ON
    also = ("delivered-again",) if handed_on else ("orphaned-record",)
    silent = not any(host == doomed and e.timestamp > here.at(gone) for e, host in here.told)
    ended = min(gone + 400, here.end_s)
    return fault(here, "lost-worker", ended, things, also=("blind-spot", *also), effect=silent)


def _how(here: Watch, gone: float, doomed: str) -> None:
    """What somebody else saw of it; of a dead hypervisor nobody sees anything."""
    rng, worker = here.rng, here.house.worker
    kind = rng.choice(("spot", "killed", "nothing"))
    if kind == "spot":
        words = f"spot interruption notice for {doomed}: terminate in 120 s"
        here.aside(gone - 121, "node-watcher", words, SEVERITY_WARN)
        boot = {"service": worker.name, "version": "same", "n": 5}
        fresh = f"{worker.name}-fresh-{rng.getrandbits(16):04x}"
        here.say(gone + rng.uniform(90, 200), worker, "boot", boot, host=fresh)
    elif kind == "killed":
        pid, mb = rng.randint(2000, 30_000), rng.randint(900, 6000)
        words = (
            f"kernel: Memory cgroup out of memory: Killed process {pid} ({worker.name})"
            f" total-vm:{mb * 2048}kB, anon-rss:{mb * 1024}kB host={doomed}"
        )
        here.aside(gone - 0.05, "syslog", words, SEVERITY_ERROR)


def _afterwards(here: Watch, job: Job, thing: str, gone: float, others: list[str]) -> None:
    rng, brand = here.rng, here.brand.name
    if brand in HANDS_ON:
        again, took = gone + rng.uniform(8, 75), rng.uniform(3, 20)
        if again + took < here.end_s:
            job.attempts[-1].ended = here.at(again)
            attempt = run_on(here, job, again, took, rng.choice(others))
            here.effect_row(again + took - 0.1, thing, attempt.host)
    elif brand == "solid-queue":
        found = gone + rng.uniform(302, 365)
        if found < here.end_s - 1:
            job.attempts[-1].ended, job.attempts[-1].error = here.at(found), PRUNED
            words = f"SolidQueue-1.1.5 Fail claimed jobs (1.9ms) job_id={job.id}"
            here.line(found, here.house.worker, words, SEVERITY_WARN, host=others[0])
