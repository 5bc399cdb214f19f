"""A service turns entries away with a warning of its own and a status that says that all is well.

The job that sends them logs the id of the call beside its record as it sends it, and takes any
answer for a good one. The queue is green; the entries are not there.

A person sees it by: warnings of that service under ids of calls; the caller's line with the same id
names the record; the record's job is done at the first attempt and nobody logged an error for it;
records whose call has no warning have their entry, those with one have none.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import served, spread
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import starts, write
from tests.score.second_company.elsewhere import job_keys, request_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_WARN, Lane

_REASONS = (
    "carrier not booked, entry not taken over",
    "duplicate of an open entry, ignored",
    "weight missing, entry set aside",
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    back = rng.choice(night.firm.backs)
    for job in list(night.jobs):
        for attempt in job.attempts:
            if attempt.outcome == "finished" and attempt.ended is not None:
                begun = (attempt.started - night.start) / 1e9
                took = (attempt.ended - attempt.started) / 1e9
                named = job.args.partition("=")[2]
                _call(night, back, named, begun, took, attempt.host, "")
    reason = rng.choice(_REASONS)
    last = min(night.onset_s + rng.uniform(250, 800), night.end_s - 40)
    times = [night.onset_s, *spread(night, night.onset_s, last, rng.randint(5, 20))]
    hit: list[Thing] = []
    for at in times:
        thing = write(night, at, job=False, columns={"state": "pending"})
        job = night.push(at + 0.02, thing.id, rng.choice(night.firm.front.hosts))
        begun, took = starts(night, at + 0.02), rng.uniform(0.1, 0.7)
        attempt = night.run(job, begun, took)
        rid = _call(night, back, thing.id, begun, took, attempt.host, reason)
        thing.keys |= job_keys(job.id) | request_keys(rid)
        hit.append(thing)
    surroundings(night)
    night.close_the_books()
    return fault(
        night,
        "swallowed-error",
        times[-1] + 60,
        hit,
        also=("orphaned-record",),
        effect=_nothing_left(night, hit),
    )


def _call(
    night: Watch, back: Service, thing: str, begun: float, took: float, host: str, reason: str
) -> str:
    """The caller's line, and what the other side writes of the call; its id."""
    rid, path = night.request_id(), f"/internal/{night.firm.effects}"
    fields = {**night.named(thing), "request_id": rid}
    night.note(begun + took * 0.2, night.firm.worker, f"send to {path}", fields, host=host)
    status = 200 if reason else 201
    _, there = served(
        night, begun + took * 0.25, back, path, status=status, took=took * 0.5, rid=rid
    )
    if reason:
        told = {"request_id": rid}
        night.note(begun + took * 0.6, back, reason, told, host=there, severity=SEVERITY_WARN)
    return rid


def _nothing_left(night: Watch, hit: list[Thing]) -> bool:
    """All their jobs ended well, and no row refers to any of them."""
    done = {job.args.partition("=")[2] for job in night.jobs if job.state() == "finished"}
    left = {
        key
        for event, _ in night.told
        if event.lane is Lane.DATABASE and event.actor == night.firm.effects
        for key in event.keys
    }
    return all(thing.id in done and left.isdisjoint(thing.keys) for thing in hit)
