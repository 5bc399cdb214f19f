"""Acts that several nights of the sixth company share: requests, jobs and what they leave, a
host that is no more, the end of a night, and what was told of a thing. None of them knows a fault.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from tests.score.company import Service
from tests.score.queues import Attempt, Job
from tests.score.sixth_company.company import Shift
from tests.score.sixth_company.neighbours import neighbours
from timeline.event import Event, Kind, Lane

SEVERITY_ERROR = 17


def close(world: Shift) -> None:
    """The neighbours, and what a broker that only counts has counted: last of all."""
    neighbours(world)
    world.close_the_books()


def asked(
    world: Shift, seconds: float, by: Service, path: str, *, method: str = "POST", host: str = ""
) -> tuple[str, str]:
    """A request that arrives: its id and the host that took it."""
    rid = world.request_id()
    where = world.say(seconds, by, "begin", {"method": method, "path": path, "rid": rid}, host=host)
    return rid, where


def answered(
    world: Shift,
    seconds: float,
    by: Service,
    path: str,
    rid: str,
    host: str,
    took: float,
    *,
    status: int = 200,
    method: str = "POST",
) -> None:
    """The end of a request that began `took` seconds before."""
    told = {"method": method, "path": path, "rid": rid, "status": status, "ms": int(took * 1e3)}
    world.say(seconds, by, "end", told, host=host)


def quiet_run(world: Shift, job: Job, seconds: float, took: float, host: str = "") -> Attempt:
    """An attempt that finishes and of which the family itself tells the lines."""
    host = host or world.rng.choice(world.company.worker.hosts)
    attempt = Attempt(
        world.at(seconds), world.at(seconds + took), "finished", world.worker_on(host), host
    )
    job.attempts.append(attempt)
    return attempt


def pushed(
    world: Shift, seconds: float, thing: str, rid: str, host: str, job_class: str = ""
) -> Job:
    """A job about `thing` and the line of whoever pushed it."""
    job = world.push(seconds, thing, host, job_class)
    values = {"job": job.job_class, "jid": job.id, "id": thing, "rid": rid}
    world.say(seconds + 0.003, world.company.front, "pushed", values, host=host)
    return job


def left_behind(world: Shift, seconds: float, thing: str, attempt: Attempt) -> None:
    """The row that a job leaves of `thing`."""
    firm = world.company
    columns = {f"{firm.thing}_id": int(thing) if thing.isdigit() else thing}
    world.row(seconds, firm.effects, world.new_id(), columns=columns, host=attempt.host)


def taken_over(
    world: Shift, host: str, sibling: str, since: float, *, ends: float | None = None
) -> None:
    """What `host` would have begun from `since` on was done by `sibling`. From `ends` on, which is
    `since` unless it had something to do until then, it is no more: nobody can scrape it."""
    low, worker = world.at(since), world.worker_on(sibling)
    gone = low if ends is None else world.at(ends)
    world.told = [
        (
            replace(
                event,
                clock=sibling if event.clock == host else event.clock,
                attributes=event.attributes and event.attributes.replace(host, sibling),
            ),
            sibling,
        )
        if by == host and event.timestamp >= low
        else (event, by)
        for event, by in world.told
        if event.timestamp < gone or not _sampled_at(event, host)
    ]
    for job in world.jobs:
        for attempt in job.attempts:
            if attempt.host == host and attempt.started >= low:
                attempt.host, attempt.worker = sibling, worker


def _sampled_at(event: Event, host: str) -> bool:
    """Whether `event` is a sample that was scraped at `host` itself."""
    return event.lane is Lane.METRIC and f'"instance": "{host}:' in (event.attributes or "")


def both_names(request: str) -> frozenset[str]:
    """Keys of a request, by whatever name its service logs it."""
    return frozenset((f"request:{request}", f"trace:{request}"))


def told(world: Shift, *texts: str, since: float = 0.0, until: float = 1e9) -> list[Event]:
    """Events in `[since, until)` whose body holds all of `texts`, in the order of their stamps."""
    low, high = world.at(since), world.at(min(until, world.end_s))
    found = [event for event, _ in world.told]
    for text in texts:  # one after the other: nearly all are gone after the first
        found = [event for event in found if text in event.body]
    found = [event for event in found if low <= event.timestamp < high]
    return sorted(found, key=lambda event: event.timestamp)


def sampled(samples: Sequence[Event]) -> list[float]:
    """The values of samples of curves, in their order, from what is kept beside the words."""
    return [float(json.loads(event.attributes or "{}")["value"]) for event in samples]


def rows_of(world: Shift, table: str, thing: str) -> list[Event]:
    """Rows of `table` that refer to `thing`, inserted before the night's end."""
    return [
        event
        for event in told(world, f"={thing}")
        if event.kind is Kind.ROW_INSERTED and event.actor == table
    ]


def errors(world: Shift, texts: Sequence[str], since: float, until: float) -> int:
    """How many error lines in `[since, until)` hold any of `texts`."""
    found = told(world, since=since, until=until)
    return sum(
        event.lane is Lane.LOG
        and event.severity_number >= SEVERITY_ERROR
        and any(text in event.body for text in texts)
        for event in found
    )
