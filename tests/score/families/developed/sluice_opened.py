"""Workers were stopped for a schema change while an import went on. All of them come back at once:
the pool of connections runs dry, jobs and requests fail, and what failed is tried again at once."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import done, failed_request, named
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    night = relocate(world, QUEUES, workers=(2, 7))
    night.paused = (night.onset_s - night.rng.uniform(240, 620), night.onset_s)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    begin, onset = night.paused
    firm = night.house
    stop, go = rng.choice(
        (
            (f"{firm.worker.name} scaled to 0 for migration", f"{firm.worker.name} scaled to 24"),
            (f"consumers of {firm.queue} stopped", f"consumers of {firm.queue} started again"),
            (f"systemctl stop {firm.worker.name}", f"systemctl start {firm.worker.name}"),
        )
    )
    night.change(begin, stop, firm.worker.name, who="dba on call")
    night.change(onset, go, firm.worker.name, who="dba on call")
    calm = onset + rng.uniform(70, 160)
    failed = _herd(night, begin, onset, calm)
    saying = night.server_says("too_many")
    hit: list[Entity] = []
    for _ in range(rng.randint(20, 60)):
        at = rng.uniform(onset + 3, calm - 5)
        pool = rng.random() < 0.7
        error = night.error(firm.front, "pool" if pool else "sql", message=saying)
        rid = failed_request(night, at, firm.front, error, waited=rng.uniform(0.05, 4))
        hit.append(request_names(rid))
        if not pool:
            night.server_line(at, rng.randint(4000, 30_000), "too_many")
    night.samples()
    again = ("delivered-again",) if night.brand.name in COUNTING else ()
    return fault(
        night,
        "resume-herd",
        calm + 60,
        [*failed, *hit],
        also=("connections-exhausted", "backlog", "retry-storm", "change-before", *again),
        effect=len(failed) >= 30,
    )


def _herd(night: Shift, begin: float, onset: float, calm: float) -> list[Entity]:
    """Jobs of an import, all waiting for the same instant; returns those that failed."""
    rng, firm = night.rng, night.house
    failed = []
    for _ in range(rng.randint(120, 320)):
        thing, at = night.new_id(), rng.uniform(begin + 1, onset - 2)
        host = rng.choice(firm.front.hosts)
        night.row(at, firm.table, thing, columns={"state": "imported"}, commit=at + 0.01)
        job = night.push(at + 0.02, thing, host)
        start = onset + min(rng.expovariate(0.2), 25)
        if rng.random() < 0.45:
            done(night, job, thing, start, rng.uniform(0.5, 9))
            continue
        wait, error = rng.uniform(8, 30), night.error(firm.worker, "pool")
        night.run(job, start, wait, "retried", error)
        start += wait + rng.uniform(1, 9)
        if rng.random() < 0.3 and start + 20 < calm:
            night.run(job, start, 20, "retried", error)
            start += 21 + rng.uniform(1, 9)
        if start + 6 < night.end_s:
            done(night, job, thing, start, rng.uniform(0.5, 6))
        failed.append(named(night, thing, jobs=(job,)))
    return failed
