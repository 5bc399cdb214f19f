"""Workers that stood still for a repair are started all at once and run the database dry.

The queue is stopped by hand while rows are put right; work keeps arriving, a nightly import among
it. When the repair is over every worker starts with its full concurrency. Within seconds the
connections are used up: jobs fail and come back, requests wait for a connection and fail.

A person sees it by: the record of the stop and of the start; hundreds of jobs enqueued in between
and not one started; the starts of the first minute after it, many times the usual rate; the pool
errors that begin seconds later, in the workers and in the front alike, and end with the wave.
"""

from __future__ import annotations

from tests.score.families.acts import fault, left_alone
from tests.score.fifth_company.deeds import failed, saying, spread
from tests.score.fifth_company.harbour import KEEPING, Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Entity, Truth
from tests.score.world import World

SHED = "remaining connection slots are reserved for roles with the SUPERUSER attribute"


def prepare(world: World) -> None:
    settle(world, (*KEEPING, "rabbitmq"), workers=(4, 9))
    world.paused = (world.onset_s - world.rng.uniform(240, 560), world.onset_s)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, firm = night.rng, night.firm
    begin, end = night.paused
    note = rng.choice(("row repair", "bad balances put right", "duplicate rows removed"))
    night.change(begin, f"workers of {firm.queue} scaled to 0 for {note}", firm.worker.name)
    hosts, version = len(firm.worker.hosts), f"{rng.getrandbits(32):08x}"
    night.change(end, f"workers of {firm.queue} scaled to {hosts}", firm.worker.name)
    for place, host in enumerate(firm.worker.hosts):
        night.say(begin + 1 + place * 0.3, firm.worker, "stop", host=host)
        told = {"service": firm.worker.name, "version": version, "n": 25}
        night.say(end + 0.4 + place * 0.2, firm.worker, "boot", told, host=host)
    wave = rng.uniform(40, 110)
    hit = _backlog(night, rng.randint(220, 520), wave)
    for at in spread(night, end + 5, end + wave, rng.randint(12, 40)):
        error = night.error(firm.front, "pool")
        path = f"/{firm.table}"
        hit.append(failed(night, at, firm.front, path, error, took=rng.uniform(5, 10)))
    for at in spread(night, end + 4, end + wave, rng.randint(10, 40)):
        night.database_log(at, rng.randint(9000, 30000), SHED, 21)
    surroundings(night)
    night.close_the_books()
    started = [a.started for job in night.jobs for a in job.attempts]
    after = sum(night.at(end) <= s < night.at(end + 60) for s in started)
    usual = sum(night.at(begin - 240) <= s < night.at(begin) for s in started) / 4
    idle = sum(night.at(begin + 2) <= s < night.at(end) for s in started)
    alone = left_alone(night, begin, end)
    return fault(
        night,
        "resume-herd",
        end + wave + 60,
        hit,
        also=(
            *("backlog", "connections-exhausted", "retry-storm", "change-before"),
            *(("orphaned-record",) if alone else ()),
        ),
        effect=after > 4 * max(usual, 1) and idle == 0 and not saying(night, SHED, until=end),
    )


def _backlog(night: Watch, count: int, wave: float) -> list[Entity]:
    """Work that arrived meanwhile: all of it begins in the first seconds, a part of it fails."""
    rng, firm = night.rng, night.firm
    begin, end = night.paused
    slots = len(firm.worker.hosts) * 25
    hit: list[Entity] = []
    for place, at in enumerate(spread(night, begin + 2, end - 1, count)):
        thing = night.new_id()
        night.row(at, firm.table, thing, columns={"state": "imported"}, commit=at + 0.01)
        job = night.push(at + 0.02, thing, rng.choice(firm.backs[0].hosts))
        started = end + 1 + place / slots * rng.uniform(6, 9) + rng.uniform(0, 1.5)
        found = night.entity(thing, job=job)
        if started - end > 3 and rng.random() < 0.4:
            error = night.error(firm.worker, "pool")
            night.run(job, started, rng.uniform(5, 10), "retried", error)
            hit.append(found.keys | job_keys(job.id))
            started = end + wave + rng.uniform(5, 60)
        if started < night.end_s - 10:
            night.run(job, started, rng.uniform(0.3, 4))
    return hit
