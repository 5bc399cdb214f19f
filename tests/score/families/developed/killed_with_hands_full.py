"""The kernel kills one worker process for its memory while it holds several jobs.

What becomes of them is the queue's affair: RabbitMQ gives them out at once, BullMQ after its lock
ran out, SQS after the visibility timeout; Oban and River hold them for running.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import STALL_NS, Attempt
from tests.score.second_company.acts import fulfilled, hand_over, ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.window import SECOND_NS

GIVEN_OUT_AGAIN_S = {"rabbitmq": 0.4, "bullmq": STALL_NS / SECOND_NS + 11, "sqs": 120.0}
"""Seconds after the kill; a queue that is missing here does nothing within the window."""
PROCESSES = {
    "phoenix": "beam.smp",
    "go-slog": "app",
    "rust": "tokio-runtime-w",
    "nest-pino": "node",
    "laravel": "php",
    "perl": "perl",
    "masstransit": "dotnet",
}


def prepare(world: World) -> None:
    settle(world, workers=(2, 8))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    worker = here.firm.worker
    host, other = here.rng.sample(worker.hosts, 2)
    back = here.onset_s + here.rng.uniform(9, 40)
    hand_over(here, host, other, here.onset_s - 1.5, back)
    things = [_in_hand(here, host) for _ in range(here.rng.randint(2, 9))]
    hand_over(here, host, other, here.onset_s, back)
    name = PROCESSES.get(worker.style_name, "java")
    pid = here.rng.randint(2_000, 60_000)
    killed = (
        f"Memory cgroup out of memory: Killed process {pid} ({name}) total-vm:9124412kB, "
        f"anon-rss:4193020kB, file-rss:0kB, shmem-rss:0kB, UID:1000 oom_score_adj:984"
    )
    here.log(here.onset_s, "kernel", host, killed, 17, source="syslog")
    if here.rng.random() < 0.6:
        words = f"Container {worker.name} in pod {host} was OOMKilled (exit code 137), restarting"
        here.log(here.onset_s + 1.4, "kubelet", host, words, 13, source="syslog")
    told = {"service": worker.name, "version": "41be0c7a", "n": 8}
    here.say(back, worker, "boot", told, host=host)
    here.close_the_books()
    given_out = ("delivered-again",) if here.brand.name in GIVEN_OUT_AGAIN_S else ()
    cut = all(
        thing.job.attempts[0].host == host and thing.job.attempts[0].outcome in ("lost", "running")
        for thing in things
        if thing.job is not None
    )
    said = any("Killed process" in body for body in here.told_text(here.onset_s, here.end_s))
    return fault(
        here,
        "lost-worker",
        here.end_s,
        things,
        also=("orphaned-record", *given_out),
        effect=cut and said,
    )


def _in_hand(here: Night, host: str) -> Thing:
    """A job that `host` had begun and never ended."""
    begun = here.onset_s - here.rng.uniform(0.5, 14.0)
    receipt, job = ordered(here, begun - here.rng.uniform(0.1, 0.9))
    after = GIVEN_OUT_AGAIN_S.get(here.brand.name)
    noticed = None if after is None else here.at(here.onset_s + after)
    worker = here.worker_on(host)
    outcome = "running" if noticed is None else "lost"
    job.attempts.append(Attempt(here.at(begun), noticed, outcome, worker, host))
    values = {"job": job.job_class, "jid": job.id, "id": receipt.thing}
    here.say(begun + 0.002, here.firm.worker, "started", values, host=host)
    if after is not None:
        again = here.onset_s + after + here.rng.uniform(0.1, 1.5)
        fulfilled(here, job, receipt.thing, again, 0.8)
    return here.entity(receipt.thing, receipt.rid, job)
