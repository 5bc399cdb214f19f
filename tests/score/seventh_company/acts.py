"""What several families here do to a night.

Runs that are taken back and told anew, writes that never were, words that depend on the language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from tests.score.company import Service
from tests.score.queues import Attempt, Job
from tests.score.seventh_company.surroundings import MOST, surroundings
from tests.score.seventh_company.utility import Shift, shift
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, Event, Kind, Lane
from timeline.window import SECOND_NS

_WORD = re.compile(r"[0-9A-Za-z-]{7,}")
"""What an id is made of, whatever stands around it in a line."""


def opened(world: World, most: int = MOST) -> Shift:
    """The first act of every family: the night as it would have been, of `most` events at most."""
    here = shift(world)
    surroundings(here, most)
    return here


def seconds_of(here: Shift, stamp: int) -> float:
    """ns UTC as seconds of the window."""
    return (stamp - here.start) / SECOND_NS


def written_between(here: Shift, begin: float, end: float) -> list[Thing]:
    """The things of the ordinary night whose job was pushed in `[begin, end)`, in order."""
    low, high = here.at(begin), here.at(end)
    found = [t for t in here.things if t.job is not None and low <= t.job.pushed[0] < high]
    return sorted(found, key=lambda thing: thing.job.pushed[0] if thing.job else 0)


def running_between(here: Shift, begin: float, end: float) -> list[Thing]:
    """The things whose job had its first attempt begun in `[begin, end)`, in order."""
    low, high = here.at(begin), here.at(end)
    found = [
        (thing.job.attempts[0].started, thing)
        for thing in here.things
        if thing.job is not None and thing.job.attempts
    ]
    inside = [pair for pair in found if low <= pair[0] < high]
    return [thing for _, thing in sorted(inside, key=lambda pair: pair[0])]


def unrun(here: Shift, things: Collection[Thing]) -> None:
    """The jobs of `things` have not run: their attempts, the workers' lines, what they left."""
    ids = {t.job.id for t in things if t.job is not None}
    named = {t.id for t in things}
    worker, effects = here.utility.worker.name, here.utility.effects
    for thing in things:
        if thing.job is not None:
            thing.job.attempts.clear()

    def stays(event: Event) -> bool:
        if event.lane is Lane.LOG and event.actor == worker:
            return ids.isdisjoint(_WORD.findall(event.body))
        return event.actor != effects or named.isdisjoint(_WORD.findall(event.body))

    here.told = [(event, host) for event, host in here.told if stays(event)]


def unpushed(here: Shift, things: Collection[Thing]) -> None:
    """The jobs of `things` were never made; the rows and the requests stay as they are."""
    unrun(here, things)
    ids = {t.job.id for t in things if t.job is not None}
    here.told = [
        (event, host)
        for event, host in here.told
        if event.lane is not Lane.LOG or ids.isdisjoint(_WORD.findall(event.body))
    ]
    here.jobs = [job for job in here.jobs if job.id not in ids]
    for thing in things:
        thing.job = None
        thing.keys = frozenset(key for key in thing.keys if not key.startswith("job:"))


def withdrawn(here: Shift, begin: float, end: float) -> list[float]:
    """Take back every write of `[begin, end)` with all that was told of it; when they came."""
    gone = written_between(here, begin, end)
    unpushed(here, gone)
    names = {thing.id for thing in gone} | {thing.request for thing in gone}
    came = [
        seconds_of(here, event.timestamp)
        for event, _ in here.told
        if event.kind is Kind.ROW_INSERTED
        and event.actor == here.utility.table
        and not names.isdisjoint(_WORD.findall(event.body))
    ]
    here.told = [
        (event, host)
        for event, host in here.told
        if names.isdisjoint(_WORD.findall(event.body))
        and not any(key.partition(":")[2] in names for key in event.keys)
    ]
    here.things = [thing for thing in here.things if thing.id not in names]
    return sorted(came)


def tried(
    here: Shift,
    thing: Thing,
    seconds: float,
    took: float,
    outcome: str = "finished",
    error: str = "",
    host: str = "",
) -> bool:
    """One attempt at the job of `thing`, with the worker's lines and what it leaves. False when
    the collection ends before it does: then it still runs."""
    job, worker = thing.job, here.utility.worker
    if job is None or seconds > here.end_s:
        return False
    host = host or here.rng.choice(worker.hosts)
    over = seconds + took <= here.end_s
    ended = here.at(seconds + took) if over else None
    outcome = outcome if over else "running"
    told = {"job": job.job_class, "jid": job.id, "id": thing.id, "ms": int(took * 1000)}
    job.attempts.append(
        Attempt(here.at(seconds), ended, outcome, here.worker_on(host), host, error if over else "")
    )
    here.say(seconds + 0.002, worker, "started", told, host=host)
    if outcome == "finished":
        here.say(seconds + took, worker, "done", told, host=host)
        here.effect_row(seconds + took * 0.8, thing.id, host)
    elif over and error:
        told["error"] = error
        here.say(seconds + took, worker, "failed", told, host=host, severity=SEVERITY_ERROR)
    return over


def pushed_again(here: Shift, thing: Thing, seconds: float, host: str) -> Job:
    """A second job about the same thing, with its own id and the same arguments."""
    job = here.push(seconds, thing.id, host)
    thing.keys |= {f"job:{job.id}"}
    return job


def with_columns(here: Shift, table: str, made: Callable[[], Mapping[str, object]]) -> None:
    """Every row of `table` has further columns, as the table itself has them."""
    told: list[tuple[Event, str]] = []
    for event, host in here.told:
        if event.actor == table and event.kind is Kind.ROW_INSERTED and event.attributes:
            content = json.loads(event.attributes)
            content["columns"] = {**content["columns"], **made()}
            shown = ", ".join(f"{n}={v}" for n, v in list(content["columns"].items())[:4])
            head = event.body.partition(" (now ")[0]
            event = replace(event, body=f"{head} (now {shown})", attributes=json.dumps(content))
        told.append((event, host))
    here.told = told


def in_tongue(by: Service, words: Mapping[str, str], /, **values: object) -> str:
    """The words for the language of `by`, filled in."""
    return words[by.style_name].format(**values)


def spread(here: Shift, begin: float, end: float, count: int) -> list[float]:
    """`count` instants in `[begin, end)`, in order."""
    return sorted(here.rng.uniform(begin, end) for _ in range(count))


def counted(here: Shift, text: str, since: float = 0.0, until: float = 1e9) -> int:
    """How many events of `[since, until)` hold `text`."""
    low, high = here.at(since), here.at(min(until, here.now_s))
    return sum(low <= e.timestamp < high and text in e.body for e, _ in here.told)


def followed(here: Shift, things: Iterable[Thing]) -> int:
    """How many of `things` have a row that refers to them among what jobs leave."""
    named = {
        word
        for event, _ in here.told
        if event.actor == here.utility.effects
        for word in _WORD.findall(event.body)
    }
    return sum(thing.id in named for thing in things)
