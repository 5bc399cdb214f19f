"""Jobs read from a replica that has stopped replaying and see things as they were.

A thing is released on the primary and a job is sent after the commit. The job reads from the
reader; there a long query holds up the replay, so it still finds a draft, decides that there is
nothing to do and ends well. When the query is over, everything is as it should be, except for the
things that were released meanwhile.

A person sees it by: the row's update on the primary, before the job's line that loads an older
revision from the reader; the reader's lag, which rises second by second, or its own lines about
the conflict; the same kind of job before and after, which reads the new revision at once.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.healthy import write
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind

READER = "pg-reader-1.vik.local"


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    resumed = min(night.onset_s + rng.uniform(50, 240), night.end_s - 30)
    at, pace = 70.0, rng.uniform(7, 15)
    hit: list[Thing] = []
    while at < night.end_s - 5:
        thing = _released(night, at, stale=night.onset_s <= at < resumed - 1.5)
        if night.onset_s <= at < resumed - 1.5:
            hit.append(thing)
        at += rng.expovariate(1 / pace)
    if len(hit) < 3:
        hit += [_released(night, night.onset_s + 3 * n, stale=True) for n in range(1, 4)]
    shown = rng.choice(("lag", "log", "both"))
    if shown != "log":
        _lag(night, resumed)
    if shown != "lag":
        _conflict(night, resumed)
    surroundings(night)
    night.close_the_books()
    return fault(
        night,
        "stale-read",
        resumed + 30,
        hit,
        also=("orphaned-record",),
        effect=_read_old(night, hit),
    )


def _released(night: Watch, at: float, *, stale: bool) -> Thing:
    """A draft that is released, and the job that is to act on it."""
    rng, firm = night.rng, night.firm
    thing = write(
        night, at - rng.uniform(20, 60), job=False, columns={"state": "released", "revision": 2}
    )
    rid, path = night.request_id(), f"/{firm.table}/{thing.id}/release"
    told = {"method": "POST", "path": path, "rid": rid}
    host = night.say(at, firm.front, "begin", told)
    released = {"state": "released", "revision": 2}
    night.row(
        at + 0.006, firm.table, thing.id, kind=Kind.ROW_UPDATED, columns=released, commit=at + 0.014
    )
    fields = {**night.named(thing.id), **released, "request_id": rid}
    night.note(at + 0.016, firm.front, "committed", fields, host=host)
    job = night.push(at + 0.02, thing.id, host)
    values = {"job": job.job_class, "jid": job.id, "id": thing.id, "rid": rid}
    night.say(at + 0.022, firm.front, "pushed", values, host=host)
    night.say(at + 0.03, firm.front, "end", {**told, "status": 200, "ms": 30}, host=host)
    begun, took = at + 0.02 + rng.uniform(0.1, 0.9), rng.uniform(0.03, 0.3)
    attempt = night.run(job, begun, took)
    seen = {"state": "draft", "revision": 1} if stale else released
    read = {**night.named(thing.id), "job_id": job.id, **seen}
    night.note(begun + 0.008, firm.worker, f"loaded from {READER}", read, host=attempt.host)
    if stale:
        words = "not released, nothing to do"
        night.note(begun + took * 0.8, firm.worker, words, night.named(thing.id), host=attempt.host)
    else:
        reference = int(thing.id) if thing.id.isdigit() else thing.id
        columns = {f"{firm.thing}_id": reference}
        night.row(
            begun + took * 0.8, firm.effects, night.new_id(), columns=columns, host=attempt.host
        )
    thing.keys |= job_keys(job.id) | {f"request:{rid}", f"trace:{rid}"}
    return thing


def _lag(night: Watch, resumed: float) -> None:
    """Replay delay as the reader's exporter tells it."""
    labels = {"job": "postgres-exporter", "instance": READER}
    every = [5.0 * n for n in range(int(night.end_s // 5))]
    samples = [
        (s, s - night.onset_s if night.onset_s < s < resumed else abs(night.rng.gauss(0.03, 0.01)))
        for s in every
    ]
    night.curve("pg_replication_lag_seconds", labels, samples)


def _conflict(night: Watch, resumed: float) -> None:
    """What the reader's own log says with `log_recovery_conflict_waits`."""
    conflict = "recovery conflict on snapshot"
    waited = (resumed - night.onset_s) * 1000
    for at, words in (
        (night.onset_s + 1, f"recovery still waiting after 1000.214 ms: {conflict}"),
        (resumed, f"recovery finished waiting after {waited:.3f} ms: {conflict}"),
    ):
        pid = night.rng.randint(30, 90)
        night.log(at, "postgresql", READER, f"[{pid}] @ {words}", source="reader-log")


def _read_old(night: Watch, hit: list[Thing]) -> bool:
    """Each update lies before the line that loaded the draft."""
    updated: dict[str, int] = {}
    loaded: dict[str, int] = {}
    ids = {thing.id for thing in hit}
    for event, _ in night.told:
        if event.kind is Kind.ROW_UPDATED:
            updated[event.ref.partition("#")[0].rpartition("/")[2]] = event.timestamp
        elif READER in event.body and "draft" in event.body:
            for thing in ids.intersection(WORD.findall(event.body)):
                loaded[thing] = event.timestamp
    return all(thing in loaded and updated[thing] < loaded[thing] for thing in ids)
