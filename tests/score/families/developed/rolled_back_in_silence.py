"""A record is not valid, `save` says so by returning false, and nobody looks at what it returns.

The transaction is rolled back, the job goes on to its end and counts as performed. No exception,
no warning: the framework notes every transaction in its debug lines, and some of them end the
other way.

A person sees it by: a job that is told as done whose thing has no row in the table that it fills,
where others have one; in the same job's lines ROLLBACK where the others have COMMIT.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import Kind


def prepare(world: World) -> None:
    settle(world, ("solid-queue",))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    share = rng.uniform(0.1, 0.5)
    end = min(PIN_S, night.onset_s + rng.uniform(200, 700))
    hit: list[Thing] = []
    at = night.onset_s - rng.uniform(60, 200)
    while at < end:
        invalid = at >= night.onset_s and (rng.random() < share or not hit)
        thing = _saved(night, at, invalid=invalid)
        if invalid:
            hit.append(thing)
        at += rng.uniform(4, 20)
    surroundings(night)
    night.close_the_books()
    followed = {
        key
        for event, _ in night.told
        if event.kind is Kind.ROW_INSERTED and event.actor == night.firm.effects
        for key in event.keys
    }
    empty = all(f"{night.firm.thing}:{thing.id}" not in followed for thing in hit)
    return fault(
        night,
        "swallowed-error",
        end + 5,
        hit,
        also=("orphaned-record", "bad-data"),
        effect=len(hit) >= 3 and empty and len(saying(night, "ROLLBACK")) == len(hit),
    )


def _saved(night: Watch, at: float, *, invalid: bool) -> Thing:
    """A thing, its job, and the transaction in which the job means to write its row."""
    rng, firm = night.rng, night.firm
    thing, rid = night.new_id(), night.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = night.say(at, firm.front, "begin", told)
    night.row(at + 0.004, firm.table, thing, columns={"state": "pending"}, commit=at + 0.01)
    night.say(at + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    job = night.push(at + 0.012, thing, host)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    night.say(at + 0.014, firm.front, "pushed", values, host=host)
    night.say(at + 0.03, firm.front, "end", {**told, "status": 201, "ms": 30}, host=host)
    begun, took = at + rng.uniform(0.1, 1.5), rng.uniform(0.05, 0.3)
    run = night.run(job, begun, took)
    ms = f"{rng.uniform(0.1, 0.9):.1f}"
    words = f"TRANSACTION ({ms}ms)  {'ROLLBACK' if invalid else 'COMMIT'}"
    night.note(
        begun + took * 0.8, firm.worker, words, {"job_id": job.id}, host=run.host, severity=5
    )
    if not invalid:
        columns = {f"{firm.thing}_id": int(thing) if thing.isdigit() else thing}
        night.row(begun + took * 0.7, firm.effects, night.new_id(), columns=columns, host=run.host)
    found = night.entity(thing, rid, job)
    found.keys |= job_keys(job.id)
    return found
