"""Consumers were stopped while an index was built and an import went on. When they are let go again
all that had waited is begun within seconds, and the database has no connection left for anybody.

A person sees it by:
- the record of changes: consumers stopped, and minutes later started;
- jobs of minutes that begin within seconds of that, far more at once than on any other minute;
- errors for want of a connection in the workers and in services beside them, right after and not
  before; connections in use at their maximum.
"""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.queues import Job
from tests.score.sixth_company.acts import both_names, close, errors, left_behind, pushed, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.window import SECOND_NS

SLOTS = 100
"""`max_connections` of the server."""


def prepare(world: World) -> None:
    settle(world, ("pg-boss", "solid-queue", "rabbitmq"), workers=(3, 8))
    world.paused = (world.onset_s - world.rng.uniform(200, 420), world.onset_s)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, firm, start = here.rng, here.company, here.onset_s
    stopped = here.paused[0]
    here.change(stopped, f"{firm.worker.name} scaled to 0 (reindex {firm.table})", who="l.okafor")
    here.change(start, f"{firm.worker.name} scaled to {len(firm.worker.hosts)}", who="l.okafor")
    waited = [_pushed(here, rng.uniform(stopped, start)) for _ in range(rng.randint(130, 240))]
    rush = rng.uniform(4, 10)
    hit: list[Entity] = []
    for job in waited:
        if _flooded(here, job, start + rng.uniform(0.2, rush)):
            hit.append(frozenset((f"job:{job.id}", *job.keys)))
    for at in range(int(start) + 4, int(start) + 30, rng.randint(2, 5)):
        words = "remaining connection slots are reserved for roles with the SUPERUSER attribute"
        here.database_log(at, rng.randint(9_000, 19_000), f"FATAL:  {words}", 21)
    beside = rng.sample(firm.backs, min(2, len(firm.backs)))
    refused = burst(here, (firm.front, *beside), start + 5.5, rng.uniform(15, 40), ("pool",), 9)
    hit += [both_names(key.partition(":")[2]) for one in refused for key in one]
    _connections(here, rush)
    close(here)
    begun = [a.started for job in here.jobs for a in job.attempts[:1]]
    low, high = here.at(start), here.at(start + rush + 1)
    at_once = sum(low <= stamp <= high for stamp in begun)
    minute_before = sum(low - 60 * SECOND_NS <= stamp < low for stamp in begun)
    pool = tuple({here.error(s, "pool").partition("(")[0] for s in (*beside, firm.worker)})
    effect = at_once > 120 and minute_before == 0 and errors(here, pool, start, start + 60) > 30
    effect &= errors(here, pool, 0, start) == 0
    effect &= len(told(here, f"{firm.worker.name} scaled to")) == 2
    effect &= bool(told(here, "pg_stat_activity_count", f"= {SLOTS - 3}", since=start))
    also = {"connections-exhausted", "backlog", "change-before"}
    return fault(here, "resume-herd", start + 90, hit, also=also, effect=effect)


def _pushed(here: Shift, at: float) -> Job:
    """A row that the import made, and its job."""
    firm, thing, rid = here.company, here.new_id(), here.request_id()
    host = here.rng.choice(firm.front.hosts)
    here.row(at, firm.table, thing, columns={"state": "imported"}, commit=at + 0.01)
    return pushed(here, at + 0.02, thing, rid, host)


def _flooded(here: Shift, job: Job, at: float) -> bool:
    """Its first attempt, and a second one if it got no connection; whether it needed one."""
    rng, firm = here.rng, here.company
    lucky = rng.random() < 0.45
    took = rng.uniform(2, 7)
    if lucky:
        attempt = here.run(job, at, took)
    else:
        here.run(job, at, rng.uniform(5, 6), "retried", here.error(firm.worker, "pool"))
        at += rng.uniform(40, 110)
        attempt = here.run(job, at, took * 0.1)
    left_behind(here, at + took * 0.09, job.args.partition("=")[2], attempt)
    return not lucky


def _connections(here: Shift, rush: float) -> None:
    """Of the server, every ten seconds."""
    low, high = here.onset_s, here.onset_s + rush + 40
    samples = []
    for place in range(int(here.end_s // 10)):
        at = place * 10.0
        busy = low <= at <= high
        samples.append((at, float(SLOTS - 3) if busy else here.rng.uniform(14, 31)))
    labels = {"job": "postgres-exporter", "instance": f"{here.company.database}:9187"}
    here.curve("pg_stat_activity_count", labels, samples)
