"""The job is done and the service that it called has refused.

Every job posts an entry to another service and looks at nothing that comes back. From the onset
on, things of a new tariff arrive, which that service does not know: it answers 422 and logs why.
The job is marked as finished, the caller's log says so, no entry exists.

A person sees it by: for the same thing, the job's end without error and the callee's error line in
the same half second; siblings whose call was answered with 201 and left a row; no row for these.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import jobs_call, served, spread
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import starts, write
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Lane

_REFUSALS = (
    (422, "tariff {code} is not in the price list, entry rejected"),
    (500, "no rule for tariff {code}"),
    (409, "period of tariff {code} is closed, entry rejected"),
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    back = night.rng.choice(night.firm.backs)
    jobs_call(night, back)
    status, words = night.rng.choice(_REFUSALS)
    code = f"{night.rng.choice('KLMNQ')}{night.rng.randint(2, 9)}"
    last = min(night.onset_s + night.rng.uniform(200, 700), night.end_s - 40)
    times = spread(night, night.onset_s, last, night.rng.randint(6, 24))
    times[0] = night.onset_s
    debug = night.rng.random() < 0.5
    hit: list[Thing] = []
    for at in times:
        thing = write(night, at, job=False, columns={"state": "pending", "tariff": code})
        job = night.push(at + 0.02, thing.id, night.rng.choice(night.firm.front.hosts))
        begun, took = starts(night, at + 0.02), night.rng.uniform(0.08, 0.6)
        night.run(job, begun, took)
        rid, host = served(
            night,
            begun + took * 0.3,
            back,
            f"/internal/{night.firm.effects}",
            status=status,
            took=took * 0.4,
        )
        fields = {**night.named(thing.id), "request_id": rid}
        error = words.format(code=code)
        night.note(begun + took * 0.6, back, error, fields, host=host, severity=17)
        if debug:
            night.note(
                begun + took * 0.8,
                night.firm.worker,
                f"POST http://{back.name}/internal/{night.firm.effects} {status}",
                night.named(thing.id),
                severity=5,
            )
        thing.keys |= job_keys(job.id)
        hit.append(thing)
    surroundings(night)
    night.close_the_books()
    return fault(
        night,
        "swallowed-error",
        times[-1] + 60,
        hit,
        also=("orphaned-record",),
        effect=_disagree(night, hit, code),
    )


def _disagree(night: Watch, hit: list[Thing], code: str) -> bool:
    """The callee's errors are told, so are the jobs' good ends, and nothing was left behind."""
    done = {job.args.partition("=")[2] for job in night.jobs if job.state() == "finished"}
    left = {
        key
        for event, _ in night.told
        if event.lane is Lane.DATABASE and event.actor == night.firm.effects
        for key in event.keys
    }
    refusals = "\n".join(event.body for event, _ in night.told if f"tariff {code}" in event.body)
    return all(
        thing.id in done and thing.id in refusals and left.isdisjoint(thing.keys) for thing in hit
    )
