"""What several families need: failing pushes, early jobs, bursts of errors, muted speakers."""

from __future__ import annotations

from collections.abc import Iterable

from tests.score.company import Service
from tests.score.healthy import PROMISED_S, work
from tests.score.queues import Job
from tests.score.truth import Entity, Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, Kind, Lane


def fault(
    world: World,
    term: str,
    ended_s: float,
    things: Iterable[Thing | Entity] = (),
    *,
    alternates: Iterable[str] = (),
    also: Iterable[str] = (),
    effect: bool | None = None,
    onset_s: float | None = None,
) -> Truth:
    """The truth of a fault that began at the world's onset.

    `effect` says whether the fault left its mark. Where it is not given, every affected thing must
    be named by something; a fault without things must say itself.
    """
    entities = tuple(t.keys if isinstance(t, Thing) else t for t in things)
    if effect is None and not entities:
        raise ValueError(f"{term}: say whether it had an effect")
    onset = world.onset_s if onset_s is None else onset_s
    return Truth(
        term=term,
        onset=world.at(onset),
        ended=world.at(ended_s),
        entities=entities,
        alternates=frozenset(alternates),
        also=frozenset(also),
        effect=_all_named(world, entities) if effect is None else effect,
    )


def failed_push(
    world: World, seconds: float, phrase: str, waited: float, *, executed: int = 0
) -> Thing:
    """A write whose row is committed and whose push ends in an error after `waited` seconds.

    `executed` jobs were made all the same: the answer was lost, not the push.
    """
    firm = world.company
    thing, rid = world.new_id(), world.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = world.say(seconds, firm.front, "begin", told)
    world.row(
        seconds + 0.004, firm.table, thing, columns={"state": "pending"}, commit=seconds + 0.012
    )
    world.say(seconds + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    made = [world.push(seconds + 0.02 + 0.3 * n, thing, host) for n in range(executed)]
    for job in made:
        work(world, job, thing, seconds + 0.1 + world.rng.uniform(0.1, 0.8))
    done = seconds + 0.02 + waited
    values = {"job": firm.job_class, "rid": rid, "error": world.error(firm.front, phrase)}
    world.say(done, firm.front, "push_failed", values, host=host, severity=SEVERITY_ERROR)
    ms = int((done - seconds) * 1000)
    world.say(done + 0.002, firm.front, "end", {**told, "status": 500, "ms": ms}, host=host)
    found = world.entity(thing, rid, made[0] if made else None)
    extra = frozenset(f"job:{job.id}" for job in made)
    found.keys |= extra
    return found


def burst(
    world: World,
    services: Iterable[Service],
    begin: float,
    took: float,
    phrases: tuple[str, ...],
    each: int,
    **values: object,
) -> list[Entity]:
    """Errors of one kind from every one of `services` within `took` seconds: the requests hit."""
    hit: list[Entity] = []
    for service in services:
        for _ in range(each):
            at = begin + world.rng.uniform(0, took)
            told = {
                "method": "GET",
                "path": f"/{world.company.table}",
                "rid": world.request_id(),
                "error": world.error(service, world.rng.choice(phrases), **values),
            }
            world.say(at, service, "request_failed", told, severity=SEVERITY_ERROR)
            hit.append(frozenset((f"request:{told['rid']}",)))
    return hit


def lookup_fails(
    world: World, thing: str, job: Job, seconds: float, *, outcome: str = "failed"
) -> None:
    """A run of `job` that does not find its row."""
    error = world.error(world.company.worker, "not_found", id=thing)
    world.run(job, seconds, world.rng.uniform(0.006, 0.02), outcome, error)


def mute(world: World, hosts: Iterable[str], begin: float, end: float) -> int:
    """Take away every log line of `hosts` in `[begin, end)`; how many they were."""
    silent, low, high = frozenset(hosts), world.at(begin), world.at(end)
    kept = [
        (event, host)
        for event, host in world.told
        if not (event.lane is Lane.LOG and event.clock in silent and low <= event.timestamp < high)
    ]
    gone = len(world.told) - len(kept)
    world.told = kept
    return gone


def lines(world: World, text: str, since: float = 0.0, until: float = 1e9) -> int:
    """How many events told in `[since, until)` say `text`."""
    low, high = world.at(since), world.at(min(until, world.now_s))
    return sum(low <= event.timestamp < high and text in event.body for event, _ in world.told)


def left_alone(world: World, since: float, until: float) -> list[str]:
    """Things written in `[since, until)` whose job left nothing within the time that is promised:
    no row of the company's effects names them. To be asked once everything has been told."""
    firm = world.company
    followed = {key for event, _ in world.told if event.actor == firm.effects for key in event.keys}
    low, high = world.at(since), world.at(min(until, world.now_s - PROMISED_S))
    written = [
        event.ref.partition("#")[0].rpartition("/")[2]
        for event, _ in world.told
        if event.actor == firm.table
        and event.kind is Kind.ROW_INSERTED
        and low <= event.timestamp < high
    ]
    return [thing for thing in written if f"{firm.thing}:{thing}" not in followed]


def _all_named(world: World, entities: Iterable[Entity]) -> bool:
    """Whether every affected thing is named by something that was told or pushed."""
    told = "\n".join(event.body for event, _ in world.told)
    pushed = frozenset(f"job:{job.id}" for job in world.jobs)
    return all(
        any(key in pushed or key.partition(":")[2] in told for key in entity) for entity in entities
    )
