"""Two jobs work on one thing because the first one's lock ran out under it.

A nightly closing and a message from outside each start a job of their own class for the same
thing. Both take the thing's lock, which is leased for five seconds; a thing with many lines takes
the closing longer than that. The second job gets the lock while the first still writes.

A person sees it by: the lock's lines, acquired by the second holder before the first has released,
and the first's release that finds another owner; starts and ends of two jobs that overlap on one
thing; two rows for the one that should be there.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying, spread
from tests.score.fifth_company.harbour import Watch, job_name, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import write
from tests.score.queues import Job
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World

LEASE_S = 5.0


def prepare(world: World) -> None:
    settle(world, workers=(2, 6))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    _in_good_order(night)
    last = min(night.onset_s + rng.uniform(120, 420), night.end_s - 40)
    times = spread(night, night.onset_s, last, rng.randint(2, 5))
    times[0] = night.onset_s
    hit = [_both_at_once(night, at) for at in times]
    surroundings(night)
    night.close_the_books()
    stolen = saying(night, "not the owner any more", since=night.onset_s)
    return fault(
        night,
        "overlapping-runs",
        times[-1] + 30,
        hit,
        also=("duplicate-create",),
        effect=len(stolen) >= len(hit) and all(_seen_twice(night, thing) for thing in hit),
    )


def _seen_twice(night: Watch, thing: Thing) -> bool:
    """Two holders of one thing's lock, and a row of each beside the one it had."""
    rows = [
        event
        for event, _ in night.told
        if event.actor == night.firm.effects and thing.keys & set(event.keys)
    ]
    return len(saying(night, "lock acquired", thing.id)) >= 2 and len(rows) >= 2


def _closing(night: Watch) -> str:
    """The class of the closing's jobs."""
    return job_name("Close", night.firm.thing, night.firm.worker.style_name)


def _both_at_once(night: Watch, at: float) -> Thing:
    rng = night.rng
    message, closing = night.firm.job_class, _closing(night)
    thing = write(night, at - rng.uniform(100, 250))
    first = night.push(at - 0.05, thing.id, night.firm.worker.hosts[0], closing)
    held = LEASE_S + rng.uniform(2, 9)
    entered = at + LEASE_S + rng.uniform(0.2, 1.5)
    second = night.push(entered - 0.1, thing.id, rng.choice(night.firm.front.hosts), message)
    _holding(night, first, thing.id, at, held, owner=False)
    _holding(night, second, thing.id, entered, rng.uniform(0.4, held - LEASE_S), owner=True)
    for job in (first, second):
        thing.keys |= job_keys(job.id)
    return thing


def _holding(night: Watch, job: Job, thing: str, at: float, took: float, *, owner: bool) -> None:
    """A run under the thing's lock; `owner` says whether the lease was still its own at the end."""
    rng, worker = night.rng, night.firm.worker
    night.run(job, at, took)
    attempt = job.attempts[-1]
    fields = {**night.named(thing), "job_id": job.id}
    lease = f"lock acquired for {LEASE_S:.0f} s"
    night.note(at + 0.01, worker, lease, fields, host=attempt.host)
    lines = rng.randint(3, 40) if owner else rng.randint(900, 2400)
    night.note(at + 0.03, worker, "computing", {"lines": lines, **fields}, host=attempt.host)
    reference = int(thing) if thing.isdigit() else thing
    columns = {f"{night.firm.thing}_id": reference, "state": "booked"}
    night.row(at + took * 0.95, night.firm.effects, night.new_id(), columns=columns)
    if owner:
        night.note(at + took - 0.002, worker, "lock released", fields, host=attempt.host)
    else:
        words = "lock not released: not the owner any more"
        night.note(at + took - 0.002, worker, words, fields, host=attempt.host, severity=13)


def _in_good_order(night: Watch) -> None:
    """Closings and messages that each have the thing to themselves."""
    message, closing = night.firm.job_class, _closing(night)
    for at in spread(night, 120, night.end_s - 30, night.rng.randint(20, 50)):
        thing = night.new_id()
        name = night.rng.choice((message, closing))
        job = night.push(at - 0.05, thing, night.firm.worker.hosts[0], name)
        _holding(night, job, thing, at, night.rng.uniform(0.1, 3.5), owner=True)
