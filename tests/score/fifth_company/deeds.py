"""What several kept-aside families need: requests from end to end, calls between services, jobs
that leave nothing behind, and a look at what was told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tests.score.company import Service
from tests.score.fifth_company.harbour import Watch
from tests.score.queues import Attempt, Job
from tests.score.second_company.elsewhere import request_keys
from tests.score.truth import Entity
from tests.score.world import Thing
from timeline.event import Event, Kind, Lane

FINISHED = "finished"
WORD = re.compile(r"[\w-]+")
"""What an id is made of, whatever stands around it in a line."""


def served(
    night: Watch,
    seconds: float,
    by: Service,
    path: str,
    *,
    method: str = "POST",
    status: int = 200,
    took: float = 0.03,
    rid: str = "",
    host: str = "",
) -> tuple[str, str]:
    """One request's first and last line; returns its id and the host that served it."""
    told = {"method": method, "path": path, "rid": rid or night.request_id()}
    host = night.say(seconds, by, "begin", told, host=host)
    ms = int(took * 1000)
    night.say(seconds + took, by, "end", {**told, "status": status, "ms": ms}, host=host)
    return told["rid"], host


def failed(
    night: Watch,
    seconds: float,
    by: Service,
    path: str,
    error: str,
    *,
    method: str = "POST",
    took: float = 0.03,
    status: int = 500,
    host: str = "",
) -> Entity:
    """A request that ends in `error`; returns what names it."""
    rid, host = served(night, seconds, by, path, method=method, status=status, took=took, host=host)
    told = {"method": method, "path": path, "rid": rid, "error": error}
    night.say(seconds + took - 0.001, by, "request_failed", told, host=host, severity=17)
    return request_keys(rid)


def jobs_call(night: Watch, back: Service) -> int:
    """Every finished job of the night has called `back`, as its lines say; how many did."""
    count = 0
    for job in list(night.jobs):
        for attempt in job.attempts:
            if attempt.outcome != FINISHED or attempt.ended is None:
                continue
            begun = (attempt.started - night.start) / 1e9
            took = (attempt.ended - attempt.started) / 1e9
            thing = job.args.partition("=")[2]
            handled(night, begun + took * 0.3, back, thing, took * 0.4)
            count += 1
    return count


def handled(night: Watch, seconds: float, back: Service, thing: str, took: float) -> None:
    """A call that `back` answered well: its request, and its own word about the thing."""
    rid, host = served(
        night, seconds, back, f"/internal/{night.firm.effects}", status=201, took=took
    )
    fields = {**night.named(thing), "request_id": rid}
    night.note(seconds + took * 0.8, back, "entry created", fields, host=host)


def unspoken_run(
    night: Watch, job: Job, seconds: float, took: float, outcome: str = FINISHED, error: str = ""
) -> str:
    """A run known to the queue alone, with no line of the workers; returns its host."""
    host = night.rng.choice(night.firm.worker.hosts)
    ended = None if outcome in ("lost", "running") else night.at(seconds + took)
    worker = night.worker_on(host)
    job.attempts.append(Attempt(night.at(seconds), ended, outcome, worker, host, error))
    return host


def stamps(
    night: Watch,
    fits: Callable[[Event], bool],
    *,
    lane: Lane | None = None,
    kind: Kind | None = None,
) -> list[float]:
    """Seconds of all told events that fit, in order."""
    found = [
        (event.timestamp - night.start) / 1e9
        for event, _ in night.told
        if (lane is None or event.lane is lane)
        and (kind is None or event.kind is kind)
        and fits(event)
    ]
    return sorted(found)


def saying(night: Watch, *texts: str, since: float = 0.0, until: float = 1e9) -> list[float]:
    """Seconds of the events in `[since, until)` whose body holds all of `texts`."""
    told = stamps(night, lambda event: all(text in event.body for text in texts))
    return [at for at in told if since <= at < until]


def spread(night: Watch, begin: float, end: float, count: int) -> list[float]:
    """`count` instants in `[begin, end)`, in order."""
    return sorted(night.rng.uniform(begin, end) for _ in range(count))


def requests_of(rids: Iterable[str]) -> list[Entity]:
    return [request_keys(rid) for rid in rids]


def withdrawn(
    night: Watch, begin: float, end: float, *, requests: Iterable[str] = ()
) -> list[tuple[float, Thing]]:
    """Take back every write of `[begin, end)` with its job and all that was told of it.

    What stood in its way is the family's business: it tells those requests anew. `requests` are
    further ones to be taken back, by their ids. Returns when each row would have been written.
    """
    low, high = night.at(begin), night.at(end)
    known = {thing.id: thing for thing in night.things}
    gone: list[tuple[float, Thing]] = []
    for event, _ in night.told:
        inside = event.kind is Kind.ROW_INSERTED and low <= event.timestamp < high
        if inside and event.actor == night.firm.table:
            thing = known.get(event.ref.partition("#")[0].rpartition("/")[2])
            if thing is not None:
                gone.append(((event.timestamp - night.start) / 1e9, thing))
    names = {thing.id for _, thing in gone} | {thing.request for _, thing in gone} | {*requests}
    night.told = [
        (event, host)
        for event, host in night.told
        if names.isdisjoint(WORD.findall(event.body)) and not _refers(event, names)
    ]
    night.jobs = [job for job in night.jobs if names.isdisjoint(WORD.findall(job.args))]
    night.things = [thing for thing in night.things if thing.id not in names]
    return gone


def _refers(event: Event, names: set[str]) -> bool:
    return any(key.partition(":")[2] in names for key in event.keys)
